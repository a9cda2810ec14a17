#include "tables/live_tables.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "lake/format_version.h"
#include "lake/sort_order.h"
#include "tables/live_tables_state.h"
#include "tables/record_columns.h"

namespace headrace::tables {
namespace {

std::vector<stream::Offset> raw_positions(const lake::Table& table, const std::string& topic) {
  const lake::Snapshot* snapshot = table.metadata.current_snapshot();
  if (snapshot == nullptr) return {};
  const auto found = snapshot->summary.find(kPositionsKey);
  return found == snapshot->summary.end() ? std::vector<stream::Offset>{}
                                          : Positions::from_text(found->second).topic(topic);
}

std::string key_text(const UpsertSpec& upsert) {
  return format("{}", join(upsert.primary_key, ", "));
}

// Whether rows are added or change others is the table's own and stays.
void check_key(const lake::Table& table, const UpsertSpec& upsert) {
  const std::string name = table.identifier.to_string();
  const auto property = table.metadata.properties.find(kPrimaryKeyProperty);
  const std::string there = property == table.metadata.properties.end() ? "" : property->second;
  const std::string wanted = key_text(upsert);
  if (there == wanted) return;
  if (there.empty()) {
    fail(ErrorKind::kInvalid,
         "table {} was made without a primary key, so a key may be in it many times: write to "
         "another table, or drop this one with 'headrace tables drop {}'",
         name, name);
  }
  fail(ErrorKind::kInvalid,
       "table {} has the primary key ({}), the job gives {}: change the job, write to another "
       "table, "
       "or drop this one with 'headrace tables drop {}'",
       name, there, wanted.empty() ? "none" : format("({})", wanted), name);
}

// The table with the sort order that the job asks for.
lake::TablePtr with_layout(lake::Catalog& catalog, const lake::TablePtr& table,
                           const TargetSpec& spec) {
  lake::TableChange change;
  change.base = table;
  if (spec.sort_by) {
    lake::TableMetadata wanted = table->metadata;
    lake::set_sort_order(wanted, *spec.sort_by);
    if (wanted.default_sort_order_id != table->metadata.default_sort_order_id) {
      change.sort_by = spec.sort_by;
    }
  }
  if (!change.sort_by) return table;
  return catalog.commit({change}).at(0);
}

}  // namespace

LiveTables::LiveTables(const Collaborators& collaborators)
    : state_(std::make_unique<State>(collaborators)) {
  lake::register_file_scan(collaborators.database);
  state_->connection->execute("CREATE SCHEMA IF NOT EXISTS hot");
}

LiveTables::~LiveTables() = default;

void LiveTables::load_all() {
  // What another engine made of one table must not keep the others away.
  for (const TableIdentifier& identifier : state_->collaborators.catalog.list("")) {
    refresh_again(identifier);
  }
}

std::vector<TableIdentifier> LiveTables::list() const {
  std::lock_guard lock(state_->mutex);
  std::vector<TableIdentifier> identifiers;
  for (const auto& [identifier, live] : state_->tables) identifiers.push_back(identifier);
  return identifiers;
}

std::optional<TableState> LiveTables::find(const TableIdentifier& identifier) const {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->tables.find(identifier);
  if (found == state_->tables.end()) return std::nullopt;
  return found->second;
}

namespace {

[[noreturn]] void fail_written_to(const TableIdentifier& identifier) {
  fail(ErrorKind::kConflict, "table {} is written to by another job already",
       identifier.to_string());
}

}  // namespace

TableState LiveTables::open_target(const TargetSpec& spec) {
  lake::Catalog& catalog = state_->collaborators.catalog;
  // Before anything is opened that the table's writer holds.
  const auto before = find(spec.identifier);
  if (before && before->is_target) fail_written_to(spec.identifier);
  lake::TablePtr table = catalog.find(spec.identifier);
  const bool is_upsert = !spec.upsert.primary_key.empty();
  if (!table) {
    std::vector<std::pair<std::string, std::string>> columns;
    for (const engine::Column& column : spec.columns)
      columns.emplace_back(column.name, column.type);
    const lake::Schema schema = lake::make_schema(columns);
    auto properties = spec.properties;
    if (is_upsert) {
      // Throws when they cannot be a key, before there is a table.
      std::ignore = key_index::KeyColumns(schema, spec.upsert.primary_key, spec.upsert.sequence_by);
      properties[kPrimaryKeyProperty] = key_text(spec.upsert);
    }
    table = catalog.create({spec.identifier, schema, spec.partition_by, properties, "",
                            spec.sort_by.value_or(std::vector<std::string>()),
                            spec.format_version.value_or(lake::kDefaultFormatVersion)});
  }
  check_key(*table, spec.upsert);
  table = with_layout(catalog, brought_up_to(spec, std::move(table)), spec);
  auto files = live_files(catalog, *table);
  std::shared_ptr<UpsertTable> upsert;
  if (is_upsert) {
    upsert = open_upsert(spec, *table, *files);
    files = upsert->files();
  }

  std::lock_guard lock(state_->mutex);
  TableState& live = state_->tables[spec.identifier];
  if (live.is_target) fail_written_to(spec.identifier);
  if (is_upsert || !live.table || live.table->catalog_version <= table->catalog_version) {
    live.table = table;
    live.files = std::move(files);
  }
  lake::SchemaEvolution evolved =
      evolution(*live.table, live.table->metadata.current_schema(), spec.columns);
  live.hot_schema = std::move(evolved.written);
  live.pending.reset();
  if (evolved.is_changed) live.pending = std::move(evolved.table);
  live.raw_topic = spec.raw_topic;
  live.is_upsert = is_upsert;
  ++live.version;
  std::vector<std::string> statements;
  if (upsert) {
    statements.push_back(upsert->version_ddl());
    state_->upserts[spec.identifier] = upsert;
  }
  if (spec.raw_topic) {
    live.raw_committed = raw_positions(*live.table, *spec.raw_topic);
    for (size_t i = live.raw_committed.size(); i < spec.raw_start.size(); ++i) {
      live.raw_committed.push_back(spec.raw_start[i]);
    }
  } else {
    live.generations = {state_->next_generation++};
    statements.push_back(state_->hot_table_ddl(spec.identifier, live, live.generations.back()));
    if (is_upsert) {
      statements.push_back(state_->gone_ddl(spec.identifier, live, live.generations.back()));
    }
  }
  state_->append_definitions(spec.identifier, statements);
  state_->run(statements);
  live.is_target = true;
  return live;
}

void LiveTables::close_target(const TableIdentifier& identifier) {
  std::unique_lock lock(state_->mutex);
  TableState& live = state_->at(identifier);
  std::vector<int64_t> dropped;
  dropped.swap(live.generations);
  std::vector<std::string> drops;
  for (const int64_t generation : dropped) {
    drops.push_back("DROP TABLE " + hot_name(identifier, generation));
    if (live.is_upsert) {
      drops.push_back("DROP TABLE IF EXISTS " + superseded_name(identifier, generation));
      drops.push_back(state_->drop_gone_ddl(identifier, generation));
    }
  }
  if (live.is_upsert) {
    drops.push_back(state_->upserts.at(identifier)->drop_ddl());
    state_->upserts.erase(identifier);
    // From here on the deleted rows are those that the delete files say.
    live.table = state_->collaborators.catalog.load(identifier);
    live.files = live_files(state_->collaborators.catalog, *live.table);
  }
  live.is_upsert = false;
  live.is_target = false;
  live.pending.reset();
  if (std::exchange(live.is_moved, false)) {
    live.table = state_->collaborators.catalog.load(identifier);
    live.files = live_files(state_->collaborators.catalog, *live.table);
  }
  live.hot_rows = 0;
  live.sealed_rows = 0;
  ++live.version;
  std::vector<std::string> statements;
  state_->append_definitions(identifier, statements);
  statements.insert(statements.end(), drops.begin(), drops.end());
  state_->run(statements);
  live.is_committing = false;
  live.is_exchanging = false;
  const bool refresh_wanted = std::exchange(live.refresh_wanted, false);
  lock.unlock();
  if (refresh_wanted) refresh_again(identifier);
  state_->taken_up.notify_all();
}

std::shared_ptr<UpsertTable> LiveTables::open_upsert(const TargetSpec& spec,
                                                     const lake::Table& table,
                                                     const std::vector<lake::DataFile>& files) {
  if (state_->collaborators.key_index_directory.empty()) {
    fail(ErrorKind::kInternal, "opening {}: there is no folder for key indexes",
         spec.identifier.to_string());
  }
  for (const engine::Column& column : spec.columns) {
    if (column.name != kDeletedColumn) continue;
    fail(ErrorKind::kInvalid, "table {}: a table with a primary key cannot have a column '{}'",
         spec.identifier.to_string(), kDeletedColumn);
  }
  key_index::KeyColumns columns(table.metadata.current_schema(), spec.upsert.primary_key,
                                spec.upsert.sequence_by);
  auto index = key_index::KeyIndex::open(
      format("{}/{}", state_->collaborators.key_index_directory, spec.identifier.to_string()),
      table, std::move(columns));
  return std::make_shared<UpsertTable>(state_->collaborators.database, std::move(index), table,
                                       files, version_macro(spec.identifier));
}

std::shared_ptr<UpsertTable> LiveTables::upsert(const TableIdentifier& identifier) const {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->upserts.find(identifier);
  if (found != state_->upserts.end()) return found->second;
  fail(ErrorKind::kInternal, "table {} is not open for changes", identifier.to_string());
}

bool LiveTables::are_moved(const std::vector<TableIdentifier>& identifiers) const {
  std::lock_guard lock(state_->mutex);
  return std::any_of(identifiers.begin(), identifiers.end(), [&](const auto& identifier) {
    const auto live = state_->tables.find(identifier);
    if (live != state_->tables.end() && live->second.is_moved) return true;
    const auto found = state_->upserts.find(identifier);
    return found != state_->upserts.end() && found->second->is_moved();
  });
}

LiveTables::ChangeBatch::ChangeBatch(LiveTables& tables,
                                     const std::vector<TableIdentifier>& identifiers)
    : tables_(tables) {
  // In one order, as everybody who takes several of them does.
  const std::set<TableIdentifier> sorted(identifiers.begin(), identifiers.end());
  for (const TableIdentifier& identifier : sorted) {
    upserts_.push_back(tables_.upsert(identifier));
    locks_.push_back(upserts_.back()->lock());
  }
}

LiveTables::ChangeBatch::~ChangeBatch() {
  if (is_kept_) return;
  for (const auto& upsert : upserts_) upsert->take_back();
}

int64_t LiveTables::ChangeBatch::apply(engine::Connection& connection,
                                       const TableIdentifier& identifier, const Changes& changes) {
  UpsertTable::HotTables hot;
  lake::Schema schema;
  {
    std::lock_guard lock(tables_.state_->mutex);
    hot = tables_.state_->hot_tables(identifier);
    schema = tables_.state_->at(identifier).hot_schema;
  }
  return tables_.upsert(identifier)->apply(connection, schema, changes, hot);
}

void LiveTables::ChangeBatch::keep() {
  for (const auto& upsert : upserts_) upsert->keep();
  is_kept_ = true;
}

std::string LiveTables::sealed_rows_sql(const TableIdentifier& identifier,
                                        int64_t generation) const {
  std::lock_guard lock(state_->mutex);
  const TableState& live = state_->at(identifier);
  std::vector<std::string> names;
  for (const lake::Field& field : live.hot_schema.fields) {
    names.push_back(engine::quote_identifier(field.name));
  }
  const std::string sql =
      format("SELECT {} FROM {}", join(names, ", "), hot_name(identifier, generation));
  return live.is_upsert ? format("{} WHERE NOT {}", sql, kDeletedColumn) : sql;
}

std::string LiveTables::hot_name(const TableIdentifier& identifier) const {
  std::lock_guard lock(state_->mutex);
  return hot_name(identifier, state_->newest_generation(identifier));
}

std::string LiveTables::hot_name(const TableIdentifier& identifier, int64_t generation) {
  return engine::quote_name("hot", hot_table_name(identifier, generation));
}

std::string LiveTables::hot_table(const TableIdentifier& identifier) const {
  std::lock_guard lock(state_->mutex);
  return hot_table_name(identifier, state_->newest_generation(identifier));
}

void LiveTables::rows_added(const TableIdentifier& identifier, int64_t rows) {
  std::lock_guard lock(state_->mutex);
  TableState& live = state_->at(identifier);
  live.hot_rows += rows;
  ++live.version;
}

int64_t LiveTables::unsealed_rows(const TableIdentifier& identifier) const {
  std::lock_guard lock(state_->mutex);
  const TableState& live = state_->at(identifier);
  return live.hot_rows - live.sealed_rows;
}

void LiveTables::set_view_owner(const TableIdentifier& identifier, Dependent* owner) {
  std::lock_guard lock(state_->mutex);
  state_->owners[identifier] = owner;
}

void LiveTables::end_view_owner(const TableIdentifier& identifier, Dependent* owner) {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->owners.find(identifier);
  if (found == state_->owners.end() || found->second != owner) return;
  state_->owners.erase(found);
  if (!state_->tables.contains(identifier)) return;
  std::vector<std::string> statements;
  state_->append_definitions(identifier, statements);
  state_->run(statements);
}

void LiveTables::run_locked(const std::function<std::vector<std::string>()>& statements) {
  std::lock_guard lock(state_->mutex);
  state_->run(statements());
}

}  // namespace headrace::tables
