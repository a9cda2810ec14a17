#include "tables/live_tables.h"

#include <algorithm>

#include "base/error.h"
#include "tables/record_columns.h"

namespace headrace::tables {

using lake::TableIdentifier;

namespace {

std::string hot_table_name(const TableIdentifier& identifier, int64_t generation) {
  return format("{}#{}", identifier.to_string(), generation);
}

std::string superseded_name(const TableIdentifier& identifier, int64_t generation) {
  return engine::quote_name("hot", hot_table_name(identifier, generation) + "#superseded");
}

std::string version_macro(const TableIdentifier& identifier) {
  return engine::quote_name("hot", identifier.to_string() + "#version");
}

std::string columns_sql(const TableState& table, std::string_view prefix) {
  std::vector<std::string> names;
  for (const lake::Field& field : table.table->metadata.current_schema().fields) {
    names.push_back(format("{}{}", prefix, engine::quote_identifier(field.name)));
  }
  return format("{}", join(names, ", "));
}

}  // namespace

struct LiveTables::State {
  explicit State(const Collaborators& given)
      : collaborators(given), connection(given.database.connect()) {}

  TableState& at(const TableIdentifier& identifier) {
    const auto found = tables.find(identifier);
    if (found == tables.end())
      fail(ErrorKind::kNotFound, "there is no table {}", identifier.to_string());
    return found->second;
  }

  int64_t newest_generation(const TableIdentifier& identifier) {
    const TableState& live = at(identifier);
    if (live.generations.empty())
      fail(ErrorKind::kInternal, "table {} has no hot rows", identifier.to_string());
    return live.generations.back();
  }

  // Runs the statements in one engine transaction.
  void run(const std::vector<std::string>& statements) {
    connection->execute("BEGIN");
    try {
      for (const std::string& statement : statements) connection->execute(statement);
      connection->execute("COMMIT");
    } catch (...) {
      connection->execute("ROLLBACK");
      throw;
    }
  }

  std::string hot_relations(const TableIdentifier& identifier, const TableState& table) const {
    std::string sql;
    if (table.raw_topic) {
      std::vector<OffsetRange> ranges;
      for (const stream::Offset offset : table.raw_committed)
        ranges.push_back({offset, std::nullopt});
      if (!ranges.empty()) sql += " UNION ALL SELECT * FROM " + topic_sql(*table.raw_topic, ranges);
    }
    for (const int64_t generation : table.generations) {
      sql += " UNION ALL " + hot_relation(identifier, table, generation);
    }
    return sql;
  }

  std::string hot_relation(const TableIdentifier& identifier, const TableState& table,
                           int64_t generation) const {
    const std::string name = hot_name(identifier, generation);
    if (!table.is_upsert) return "SELECT * FROM " + name;
    std::string sql = format("SELECT {} FROM {} r", columns_sql(table, "r."), name);
    if (generation != table.generations.back()) {
      sql += format(" ANTI JOIN {} s ON {}", superseded_name(identifier, generation),
                    same_keys(upserts.at(identifier)->columns().keys(), "r", "s"));
    }
    return format("{} WHERE NOT r.{}", sql, kDeletedColumn);
  }

  std::vector<std::string> definition(const TableIdentifier& identifier) {
    const TableState& table = at(identifier);
    return {format("CREATE SCHEMA IF NOT EXISTS {}", engine::quote_identifier(identifier.database)),
            format("CREATE OR REPLACE VIEW {} AS SELECT * FROM ({}){}",
                   engine::quote_name(identifier.database, identifier.name),
                   lake::scan_sql(*table.table, *table.files), hot_relations(identifier, table))};
  }

  // The view of a table and of all that depend on it.
  void append_definitions(const TableIdentifier& identifier, std::vector<std::string>& statements) {
    const auto owner = owners.find(identifier);
    for (std::string& statement :
         owner == owners.end() ? definition(identifier) : owner->second->definition())
      statements.push_back(std::move(statement));
    const auto found = dependents.find(identifier);
    if (found == dependents.end()) return;
    for (Dependent* dependent : found->second) {
      for (std::string& statement : dependent->definition())
        statements.push_back(std::move(statement));
    }
  }

  std::string hot_table_ddl(const TableIdentifier& identifier, const TableState& table,
                            int64_t generation) const {
    std::string columns;
    for (const lake::Field& field : table.table->metadata.current_schema().fields) {
      if (!columns.empty()) columns += ", ";
      columns += engine::quote_identifier(field.name) + " " + lake::to_duckdb(field.type);
    }
    if (table.is_upsert) columns += format(", {} BOOLEAN", kDeletedColumn);
    return format("CREATE TABLE {} ({})", hot_name(identifier, generation), columns);
  }

  // Keys of a sealed generation that changed again.
  std::string superseded_ddl(const TableIdentifier& identifier, int64_t generation) const {
    std::vector<std::string> keys;
    for (const std::string& key : upserts.at(identifier)->columns().keys()) {
      keys.push_back(engine::quote_identifier(key));
    }
    return format("CREATE TABLE {} AS SELECT {} FROM {} LIMIT 0",
                  superseded_name(identifier, generation), join(keys, ", "),
                  hot_name(identifier, generation));
  }

  UpsertTable::HotTables hot_tables(const TableIdentifier& identifier) {
    const std::vector<int64_t>& generations = at(identifier).generations;
    UpsertTable::HotTables hot{hot_name(identifier, generations.back()), "", ""};
    if (generations.size() > 1) {
      hot.sealed = hot_name(identifier, generations.front());
      hot.superseded = superseded_name(identifier, generations.front());
    }
    return hot;
  }

  Collaborators collaborators;
  std::mutex mutex;
  std::unique_ptr<engine::Connection> connection;
  std::map<TableIdentifier, TableState> tables;
  std::map<TableIdentifier, std::vector<Dependent*>> dependents;
  std::map<TableIdentifier, Dependent*> owners;  // of tables whose view is somebody else's
  std::map<TableIdentifier, std::shared_ptr<UpsertTable>> upserts;
  int64_t next_generation = 1;
};

namespace {

std::vector<stream::Offset> raw_positions(const lake::Table& table, const std::string& topic) {
  const lake::Snapshot* snapshot = table.metadata.current_snapshot();
  if (snapshot == nullptr) return {};
  const auto found = snapshot->summary.find(kPositionsKey);
  return found == snapshot->summary.end() ? std::vector<stream::Offset>{}
                                          : Positions::from_text(found->second).topic(topic);
}

std::shared_ptr<const std::vector<lake::DataFile>> live_files(lake::Catalog& catalog,
                                                              const lake::Table& table) {
  return std::make_shared<const std::vector<lake::DataFile>>(catalog.files(table));
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

// Throws when rows of these columns cannot go into the table.
void check_columns(const lake::Table& table, const std::vector<engine::Column>& columns) {
  const auto& fields = table.metadata.current_schema().fields;
  const auto describe_fields = [&] {
    std::vector<std::string> texts;
    for (const lake::Field& field : fields)
      texts.push_back(field.name + " " + lake::to_duckdb(field.type));
    return format("{}", join(texts, ", "));
  };
  const auto describe_columns = [&] {
    std::vector<std::string> texts;
    for (const engine::Column& column : columns) texts.push_back(column.name + " " + column.type);
    return format("{}", join(texts, ", "));
  };
  bool fits = fields.size() == columns.size();
  for (size_t i = 0; fits && i < fields.size(); ++i) {
    fits =
        fields[i].name == columns[i].name &&
        lake::to_duckdb(fields[i].type) == lake::to_duckdb(lake::type_from_duckdb(columns[i].type));
  }
  if (!fits) {
    fail(ErrorKind::kInvalid,
         "the job's columns do not fit table {}: the table has ({}), the job gives ({}); change "
         "the job, write to "
         "another table, or drop this one with 'headrace tables drop {}'",
         table.identifier.to_string(), describe_fields(), describe_columns(),
         table.identifier.to_string());
  }
}

}  // namespace

LiveTables::LiveTables(const Collaborators& collaborators)
    : state_(std::make_unique<State>(collaborators)) {
  state_->connection->execute("CREATE SCHEMA IF NOT EXISTS hot");
}

LiveTables::~LiveTables() = default;

void LiveTables::load_all() {
  for (const TableIdentifier& identifier : state_->collaborators.catalog.list(""))
    refresh(identifier);
}

void LiveTables::refresh(const TableIdentifier& identifier) {
  const lake::TablePtr table = state_->collaborators.catalog.load(identifier);
  auto files = live_files(state_->collaborators.catalog, *table);
  std::lock_guard lock(state_->mutex);
  TableState& live = state_->tables[identifier];
  if (live.table && live.table->metadata_location == table->metadata_location) return;
  if (live.is_upsert) {
    // Its hot rows and positions go with the files that it has; its job opens it again.
    state_->upserts.at(identifier)->set_moved();
    return;
  }
  live.table = table;
  live.files = std::move(files);
  ++live.version;
  std::vector<std::string> statements;
  state_->append_definitions(identifier, statements);
  state_->run(statements);
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

TableState LiveTables::open_target(const TargetSpec& spec) {
  lake::Catalog& catalog = state_->collaborators.catalog;
  lake::TablePtr table = catalog.find(spec.identifier);
  const bool is_upsert = !spec.upsert.primary_key.empty();
  if (!table) {
    std::vector<std::pair<std::string, std::string>> columns;
    for (const engine::Column& column : spec.columns)
      columns.emplace_back(column.name, column.type);
    const lake::Schema schema = lake::make_schema(columns);
    auto properties = spec.properties;
    if (is_upsert) {
      key_index::KeyColumns(schema, spec.upsert.primary_key, spec.upsert.sequence_by);
      properties[kPrimaryKeyProperty] = key_text(spec.upsert);
    }
    table = catalog.create({spec.identifier, schema, spec.partition_by, properties, ""});
  }
  check_columns(*table, spec.columns);
  check_key(*table, spec.upsert);
  auto files = live_files(catalog, *table);
  std::shared_ptr<UpsertTable> upsert;
  if (is_upsert) {
    upsert = open_upsert(spec, *table, *files);
    files = upsert->files();
  }

  std::lock_guard lock(state_->mutex);
  TableState& live = state_->tables[spec.identifier];
  if (live.is_target) {
    fail(ErrorKind::kConflict, "table {} is written to by another job already",
         spec.identifier.to_string());
  }
  live.table = table;
  live.files = std::move(files);
  live.raw_topic = spec.raw_topic;
  live.is_upsert = is_upsert;
  ++live.version;
  std::vector<std::string> statements;
  if (upsert) {
    statements.push_back(upsert->version_ddl());
    state_->upserts[spec.identifier] = upsert;
  }
  if (spec.raw_topic) {
    live.raw_committed = raw_positions(*table, *spec.raw_topic);
    for (size_t i = live.raw_committed.size(); i < spec.raw_start.size(); ++i) {
      live.raw_committed.push_back(spec.raw_start[i]);
    }
  } else {
    live.generations = {state_->next_generation++};
    statements.push_back(state_->hot_table_ddl(spec.identifier, live, live.generations.back()));
  }
  state_->append_definitions(spec.identifier, statements);
  state_->run(statements);
  live.is_target = true;
  return live;
}

void LiveTables::close_target(const TableIdentifier& identifier) {
  std::lock_guard lock(state_->mutex);
  TableState& live = state_->at(identifier);
  std::vector<int64_t> dropped;
  dropped.swap(live.generations);
  std::vector<std::string> drops;
  for (const int64_t generation : dropped) {
    drops.push_back("DROP TABLE " + hot_name(identifier, generation));
    if (live.is_upsert) {
      drops.push_back("DROP TABLE IF EXISTS " + superseded_name(identifier, generation));
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
  live.hot_rows = 0;
  live.sealed_rows = 0;
  ++live.version;
  std::vector<std::string> statements;
  state_->append_definitions(identifier, statements);
  statements.insert(statements.end(), drops.begin(), drops.end());
  state_->run(statements);
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
  lake::TablePtr table;
  {
    std::lock_guard lock(tables_.state_->mutex);
    hot = tables_.state_->hot_tables(identifier);
    table = tables_.state_->at(identifier).table;
  }
  return tables_.upsert(identifier)
      ->apply(connection, table->metadata.current_schema(), changes, hot);
}

void LiveTables::ChangeBatch::keep() {
  for (const auto& upsert : upserts_) upsert->keep();
  is_kept_ = true;
}

std::string LiveTables::sealed_rows_sql(const TableIdentifier& identifier,
                                        int64_t generation) const {
  std::lock_guard lock(state_->mutex);
  const TableState& live = state_->at(identifier);
  const std::string sql =
      format("SELECT {} FROM {}", columns_sql(live, ""), hot_name(identifier, generation));
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

std::vector<SealedGeneration> LiveTables::seal(
    const std::vector<TableIdentifier>& identifiers,
    const std::map<std::string, std::vector<stream::Offset>>& raw_next) {
  std::lock_guard lock(state_->mutex);
  std::vector<SealedGeneration> sealed;
  std::vector<std::string> statements;
  std::vector<std::pair<TableState*, int64_t>> started;
  for (const TableIdentifier& identifier : identifiers) {
    TableState& live = state_->at(identifier);
    SealedGeneration generation;
    if (live.raw_topic) {
      const auto& next = raw_next.at(*live.raw_topic);
      for (size_t i = 0; i < live.raw_committed.size(); ++i) {
        generation.raw_range.push_back({live.raw_committed[i], next.at(i)});
      }
    } else {
      generation.number = live.generations.back();
      generation.is_upsert = live.is_upsert;
      if (live.is_upsert) {
        statements.push_back(state_->superseded_ddl(identifier, generation.number));
        generation.deleted = state_->upserts.at(identifier)->seal();
      }
      const int64_t fresh = state_->next_generation++;
      statements.push_back(state_->hot_table_ddl(identifier, live, fresh));
      started.emplace_back(&live, fresh);
    }
    generation.rows = live.hot_rows - live.sealed_rows;
    sealed.push_back(std::move(generation));
  }
  for (const auto& [live, generation] : started) live->generations.push_back(generation);
  for (size_t i = 0; i < identifiers.size(); ++i)
    state_->at(identifiers[i]).sealed_rows += sealed[i].rows;
  try {
    for (const TableIdentifier& identifier : identifiers) {
      if (!state_->at(identifier).raw_topic) state_->append_definitions(identifier, statements);
    }
    state_->run(statements);
  } catch (...) {
    for (const auto& [live, generation] : started) live->generations.pop_back();
    for (size_t i = 0; i < identifiers.size(); ++i)
      state_->at(identifiers[i]).sealed_rows -= sealed[i].rows;
    throw;
  }
  return sealed;
}

// The keys of a commit's rows and of those that it deleted. Batches of changes go on meanwhile.
void LiveTables::index_committed(const CommittedTable& committed) {
  const TableIdentifier& identifier = committed.table->identifier;
  const std::shared_ptr<UpsertTable> table = upsert(identifier);
  const std::string gone = format("SELECT {}, {} FROM {} r WHERE r.{}",
                                  table->columns().key_sql("r"), table->columns().sequence_sql("r"),
                                  hot_name(identifier, committed.sealed.number), kDeletedColumn);
  table->index_committed(*state_->collaborators.database.connect(), *committed.table,
                         committed.added, gone);
}

void LiveTables::replace_committed(const std::vector<CommittedTable>& committed) {
  std::vector<TableIdentifier> upserts;
  for (const CommittedTable& change : committed) {
    if (!change.sealed.is_upsert) continue;
    index_committed(change);
    upserts.push_back(change.table->identifier);
  }
  std::sort(upserts.begin(), upserts.end());
  std::vector<std::unique_lock<std::mutex>> no_batches;
  for (const TableIdentifier& identifier : upserts) {
    no_batches.push_back(upsert(identifier)->lock());
  }
  std::lock_guard lock(state_->mutex);
  std::vector<std::string> drops;
  for (const CommittedTable& change : committed) {
    TableState& live = state_->at(change.table->identifier);
    live.table = change.table;
    if (live.is_upsert) {
      UpsertTable& table = *state_->upserts.at(change.table->identifier);
      const std::string superseded =
          superseded_name(change.table->identifier, change.sealed.number);
      table.replace_files(*state_->connection, state_->collaborators.catalog.files(*change.table),
                          change.added, superseded);
      live.files = table.files();
      drops.push_back("DROP TABLE " + superseded);
    } else {
      auto files = std::make_shared<std::vector<lake::DataFile>>();
      for (const lake::DataFile& file : *live.files) {
        if (!change.removed_paths.contains(file.path)) files->push_back(file);
      }
      files->insert(files->end(), change.added.begin(), change.added.end());
      live.files = std::move(files);
    }
    for (size_t i = 0; i < change.sealed.raw_range.size(); ++i) {
      live.raw_committed[i] = *change.sealed.raw_range[i].to;
    }
    if (change.sealed.number != 0) {
      std::erase(live.generations, change.sealed.number);
      drops.push_back("DROP TABLE " + hot_name(change.table->identifier, change.sealed.number));
    }
    live.hot_rows -= change.sealed.rows;
    live.sealed_rows -= change.sealed.rows;
    ++live.version;
  }
  std::vector<std::string> statements;
  for (const CommittedTable& change : committed) {
    state_->append_definitions(change.table->identifier, statements);
  }
  statements.insert(statements.end(), drops.begin(), drops.end());
  state_->run(statements);
}

std::string LiveTables::relation_after(const TableIdentifier& identifier,
                                       std::optional<lake::SnapshotId> snapshot, bool lock_held) {
  std::unique_lock lock(state_->mutex, std::defer_lock);
  if (!lock_held) lock.lock();
  const TableState& live = state_->at(identifier);
  const std::vector<lake::DataFile> files =
      state_->collaborators.catalog.files_added_after(*live.table, snapshot);
  return format("(SELECT * FROM ({}){})", lake::scan_sql(*live.table, files),
                state_->hot_relations(identifier, live));
}

void LiveTables::add_dependent(const TableIdentifier& on, Dependent* dependent) {
  std::lock_guard lock(state_->mutex);
  state_->dependents[on].push_back(dependent);
}

void LiveTables::remove_dependent(const TableIdentifier& on, Dependent* dependent) {
  std::lock_guard lock(state_->mutex);
  std::erase(state_->dependents[on], dependent);
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
