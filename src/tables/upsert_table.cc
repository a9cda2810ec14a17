#include "tables/upsert_table.h"

#include "base/error.h"
#include "lake/table_changes.h"

namespace headrace::tables {

using engine::quote_identifier;

namespace {

// The changes of a batch, one for each key, in the connection's temporary table.
constexpr const char* kChanges = "temp.headrace_changes";

std::string quoted(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  for (const std::string& name : names) result.push_back(quote_identifier(name));
  return format("{}", join(result, ", "));
}

std::string changes_sql(const lake::Schema& schema, const key_index::KeyColumns& columns,
                        const Changes& changes) {
  std::vector<std::string> names;
  std::vector<std::string> replaced;
  for (const lake::Field& field : schema.fields) {
    const std::string name = quote_identifier(field.name);
    names.push_back(name);
    replaced.push_back(format("CAST({0} AS {1}) AS {0}", name, lake::to_duckdb(field.type)));
  }
  names.emplace_back(kDeletedColumn);
  replaced.push_back(format("coalesce({0}, false) AS {0}", kDeletedColumn));
  return format(
      "CREATE OR REPLACE TEMP TABLE headrace_changes AS SELECT {} FROM (SELECT * REPLACE ({}) FROM "
      "({})) QUALIFY row_number() OVER (PARTITION BY {} ORDER BY {}) = 1",
      join(names, ", "), join(replaced, ", "), changes.select, quoted(columns.keys()),
      join(changes.latest_first, ", "));
}

}  // namespace

std::string same_keys(const std::vector<std::string>& keys, std::string_view a,
                      std::string_view b) {
  std::vector<std::string> conditions;
  for (const std::string& key : keys) {
    const std::string name = quote_identifier(key);
    conditions.push_back(format("{}.{} = {}.{}", a, name, b, name));
  }
  return format("{}", join(conditions, " AND "));
}

// The deleted rows of the files that a batch meets.
struct UpsertTable::Lookup {
  std::map<size_t, lake::RowPositionsPtr> deleted;
};

UpsertTable::UpsertTable(engine::Database& database, std::unique_ptr<key_index::KeyIndex> index,
                         const lake::Table& table, const std::vector<lake::DataFile>& files,
                         std::string version_macro)
    : version_macro_(std::move(version_macro)), reader_(database), index_(std::move(index)) {
  index_->catch_up(*database.connect(), table, files);
  adopt(files, {});
}

std::string UpsertTable::version_ddl() const {
  return format("CREATE OR REPLACE MACRO {}() AS {}::BIGINT", version_macro_, version_);
}

// `known`: deleted rows that need not be read, by path; an empty pointer says that there are none.
void UpsertTable::adopt(const std::vector<lake::DataFile>& files,
                        const std::map<std::string, lake::RowPositionsPtr>& known) {
  auto set = lake::DeleteSet::make(version_macro_ + "()");
  auto adopted = std::make_shared<std::vector<lake::DataFile>>(files);
  set_numbers_.clear();
  for (lake::DataFile& file : *adopted) {
    std::vector<std::shared_ptr<const lake::DataFile>> to_read;
    const auto found = known.find(file.path);
    if (found == known.end()) {
      for (const auto& deletes : file.deletes) {
        if (deletes->content == lake::FileContent::kPositionDeletes) to_read.push_back(deletes);
      }
    }
    file.delete_set = set;
    file.delete_number = set->add_file(file.path, std::move(to_read),
                                       found == known.end() ? nullptr : found->second);
    if (const auto number = index_->file_number(file.path)) {
      set_numbers_[*number] = file.delete_number;
    }
  }
  set_ = std::move(set);
  files_ = std::move(adopted);
}

// Where the row is, as number in the set and position; nothing when the entry's row is gone.
std::optional<std::pair<size_t, int64_t>> UpsertTable::live_row(const key_index::KeyEntry& entry,
                                                                Lookup& lookup) const {
  const key_index::KeyEntry at = move_ ? move_->now(entry) : entry;
  const auto number = set_numbers_.find(at.file);
  if (number == set_numbers_.end()) return std::nullopt;
  auto deleted = lookup.deleted.find(number->second);
  if (deleted == lookup.deleted.end()) {
    deleted =
        lookup.deleted
            .emplace(number->second, set_->deleted(number->second, version_, reader_.loader()))
            .first;
  }
  if (deleted->second && deleted->second->contains(at.position)) return std::nullopt;
  return std::pair(number->second, int64_t{at.position});
}

// The committed rows that the changes replace. Changes that are older than what the index knows of
// their key are taken out.
lake::PositionsByFile UpsertTable::find_committed(engine::Connection& connection,
                                                  const std::string& changes) {
  lake::PositionsByFile replaced;
  std::vector<std::string> older;
  Lookup lookup;
  engine::Result result =
      connection.query(format("SELECT {}, {}, r.rowid FROM {} r", columns().key_sql("r"),
                              columns().sequence_sql("r"), changes));
  while (const engine::Chunk* chunk = result.next()) {
    const engine::VectorView keys = chunk->column(0);
    const engine::VectorView sequences = chunk->column(1);
    std::vector<std::string_view> wanted;
    for (size_t row = 0; row < chunk->rows(); ++row) wanted.push_back(keys.string(row));
    const auto found = index_->find(wanted);
    for (size_t row = 0; row < chunk->rows(); ++row) {
      if (!found[row]) continue;
      if (columns().sequence() && found[row]->sequence > sequences.string(row)) {
        older.push_back(format("{}", chunk->column(2).data<int64_t>()[row]));
      } else if (const auto at = live_row(*found[row], lookup)) {
        replaced[at->first].add(at->second);
      }
    }
  }
  if (!older.empty()) {
    connection.execute(format("DELETE FROM {} WHERE rowid IN ({})", changes, join(older, ", ")));
  }
  return replaced;
}

// The committed rows of the keys in a table.
lake::PositionsByFile UpsertTable::rows_of_keys(engine::Connection& connection,
                                                const std::string& keys) {
  lake::PositionsByFile rows;
  Lookup lookup;
  engine::Result result =
      connection.query(format("SELECT {} FROM {} r", columns().key_sql("r"), keys));
  while (const engine::Chunk* chunk = result.next()) {
    std::vector<std::string_view> wanted;
    for (size_t row = 0; row < chunk->rows(); ++row) {
      wanted.push_back(chunk->column(0).string(row));
    }
    for (const auto& found : index_->find(wanted)) {
      if (!found) continue;
      if (const auto at = live_row(*found, lookup)) rows[at->first].add(at->second);
    }
  }
  return rows;
}

int64_t UpsertTable::apply(engine::Connection& connection, const lake::Schema& schema,
                           const Changes& changes, const HotTables& hot) {
  const auto& keys = columns().keys();
  connection.execute(changes_sql(schema, columns(), changes));
  if (columns().sequence()) {
    const std::string sequence = quote_identifier(*columns().sequence());
    for (const std::string& generation : {hot.newest, hot.sealed}) {
      if (generation.empty()) continue;
      connection.execute(format("DELETE FROM {} c USING {} h WHERE {} AND h.{} > c.{}", kChanges,
                                generation, same_keys(keys, "c", "h"), sequence, sequence));
    }
  }
  lake::PositionsByFile replaced = find_committed(connection, kChanges);
  if (hot.keep_gone && !replaced.empty()) hot.keep_gone(connection, rows_at(replaced));
  set_->add_layer(version_ + 1, std::move(replaced));
  if (!hot.sealed.empty()) {
    connection.execute(format("INSERT INTO {} SELECT {} FROM {} c SEMI JOIN {} h ON {}",
                              hot.superseded, quoted(keys), kChanges, hot.sealed,
                              same_keys(keys, "c", "h")));
  }
  const int64_t removed = connection.execute(format(
      "DELETE FROM {} h USING {} c WHERE {}", hot.newest, kChanges, same_keys(keys, "h", "c")));
  const int64_t inserted =
      connection.execute(format("INSERT INTO {} SELECT * FROM {}", hot.newest, kChanges));
  connection.execute(
      format("CREATE OR REPLACE MACRO {}() AS {}::BIGINT", version_macro_, version_ + 1));
  return inserted - removed;
}

void UpsertTable::keep() { ++version_; }

void UpsertTable::take_back() { set_->remove_layers_from(version_ + 1); }

std::vector<lake::DataFile> UpsertTable::rows_at(const lake::PositionsByFile& positions) const {
  std::vector<lake::DataFile> rows;
  const auto set = lake::DeleteSet::make();
  for (const lake::DataFile& file : *files_) {
    const auto found = positions.find(file.delete_number);
    if (found != positions.end()) rows.push_back(lake::gone_rows(file, found->second, set));
  }
  return rows;
}

UpsertTable::GoneRows UpsertTable::gone(bool has_sealed) const {
  GoneRows rows;
  const auto between = [&](int64_t first, int64_t last) {
    lake::PositionsByFile positions;
    for (const auto& [version, layer] : set_->layers(first, last)) {
      for (const auto& [number, some] : layer) positions[number].add(some);
    }
    return rows_at(positions);
  };
  if (has_sealed) rows.sealed = between(taken_version_, sealed_version_);
  rows.newest = between(has_sealed ? sealed_version_ + 1 : taken_version_, version_);
  return rows;
}

std::vector<lake::DeletedRows> UpsertTable::seal() {
  lake::PositionsByFile fresh;
  for (const auto& [version, layer] : set_->layers(taken_version_, version_)) {
    for (const auto& [number, positions] : layer) fresh[number].add(positions);
  }
  sealed_version_ = version_;
  std::vector<lake::DeletedRows> deleted;
  for (const lake::DataFile& file : *files_) {
    const auto found = fresh.find(file.delete_number);
    if (found == fresh.end()) continue;
    const lake::RowPositionsPtr all =
        set_->deleted(file.delete_number, sealed_version_, reader_.loader());
    deleted.push_back({file, std::move(found->second), *all});
  }
  return deleted;
}

void UpsertTable::index_committed(engine::Connection& connection, const lake::Table& table,
                                  const std::vector<lake::DataFile>& added,
                                  const std::string& gone) {
  index_->take_up(connection, table, added, gone);
}

void UpsertTable::replace_files(engine::Connection& connection,
                                const std::vector<lake::DataFile>& files,
                                const std::vector<lake::DataFile>& added,
                                const std::string& superseded) {
  std::map<std::string, lake::RowPositionsPtr> known;
  for (const lake::DataFile& file : *files_) {
    known[file.path] = set_->deleted(file.delete_number, sealed_version_, reader_.loader());
  }
  for (const lake::DataFile& file : added) known[file.path] = nullptr;
  const std::shared_ptr<lake::DeleteSet> before = set_;
  adopt(files, known);

  // Rows that were just committed and are not the newest any more: gone for every reader.
  taken_version_ = sealed_version_ + 1;
  set_->add_layer(taken_version_, rows_of_keys(connection, superseded));
  add_layers_of(*before, nullptr, "");
}

// Deletes that are not committed yet, of the set before: they follow their rows.
void UpsertTable::add_layers_of(const lake::DeleteSet& before, const lake::MovedRows* moved,
                                const std::string& moved_to) {
  std::map<std::string, size_t> numbers;
  for (const lake::DataFile& file : *files_) numbers[file.path] = file.delete_number;
  for (const auto& [version, layer] : before.layers(taken_version_, version_)) {
    lake::PositionsByFile now;
    for (const auto& [number, positions] : layer) {
      const std::string& path = before.path(number);
      if (const auto found = numbers.find(path); found != numbers.end()) {
        now[found->second].add(positions);
      } else if (moved != nullptr && moved->is_of(path)) {
        now[numbers.at(moved_to)].add(moved->moved(path, positions));
      }
    }
    set_->add_layer(version, std::move(now));
  }
}

// Where the row of an entry is that may be of before the move.
key_index::KeyEntry UpsertTable::Move::now(const key_index::KeyEntry& entry) const {
  const auto file = from.find(entry.file);
  if (file == from.end()) return entry;
  const auto position = rows->find(file->second, entry.position);
  if (!position) return {};
  return {to, static_cast<uint32_t>(*position), entry.sequence};
}

void UpsertTable::reserve(const Exchange& exchange) {
  reserved_.reset();  // of an exchange that failed
  if (exchange.moved == nullptr || exchange.to == nullptr) return;
  Move move{{}, exchange.moved, index_->reserve(exchange.to->path)};
  for (const std::string& path : exchange.replaced) {
    if (const auto number = index_->file_number(path)) move.from[*number] = path;
  }
  reserved_ = std::move(move);
}

void UpsertTable::exchange_files(const std::vector<lake::DataFile>& files,
                                 const Exchange& exchange) {
  std::map<std::string, lake::RowPositionsPtr> known;
  for (const lake::DataFile& file : *files_) {
    known[file.path] = set_->deleted(file.delete_number, sealed_version_, reader_.loader());
  }
  const std::shared_ptr<lake::DeleteSet> before = set_;
  move_ = std::exchange(reserved_, std::nullopt);
  adopt(files, known);
  add_layers_of(*before, exchange.moved.get(), exchange.to == nullptr ? "" : exchange.to->path);
}

void UpsertTable::index_moved(engine::Connection& connection, const lake::Table& table,
                              const Exchange& exchange) {
  if (exchange.moved == nullptr) return;
  if (exchange.to == nullptr) {
    index_->forget_files(exchange.replaced);
    return;
  }
  // Written by nobody else: there is one exchange at a time.
  const Move& move = *move_;
  index_->follow(connection, table, *exchange.to, exchange.replaced,
                 [&](const key_index::KeyEntry& entry) -> std::optional<int64_t> {
                   const key_index::KeyEntry now = move.now(entry);
                   if (entry.file == move.to || now.file != move.to) return std::nullopt;
                   return now.position;
                 });
  const auto locked = lock();
  move_.reset();
}

}  // namespace headrace::tables
