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
      sql += " UNION ALL SELECT * FROM " + hot_name(identifier, generation);
    }
    return sql;
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
    return format("CREATE TABLE {} ({})", hot_name(identifier, generation), columns);
  }

  Collaborators collaborators;
  std::mutex mutex;
  std::unique_ptr<engine::Connection> connection;
  std::map<TableIdentifier, TableState> tables;
  std::map<TableIdentifier, std::vector<Dependent*>> dependents;
  std::map<TableIdentifier, Dependent*> owners;  // of tables whose view is somebody else's
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
  if (!table) {
    std::vector<std::pair<std::string, std::string>> columns;
    for (const engine::Column& column : spec.columns)
      columns.emplace_back(column.name, column.type);
    table = catalog.create(
        {spec.identifier, lake::make_schema(columns), spec.partition_by, spec.properties, ""});
  }
  check_columns(*table, spec.columns);
  auto files = live_files(catalog, *table);

  std::lock_guard lock(state_->mutex);
  TableState& live = state_->tables[spec.identifier];
  if (live.is_target) {
    fail(ErrorKind::kConflict, "table {} is written to by another job already",
         spec.identifier.to_string());
  }
  live.table = table;
  live.files = std::move(files);
  live.raw_topic = spec.raw_topic;
  ++live.version;
  std::vector<std::string> statements;
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
  live.is_target = false;
  live.hot_rows = 0;
  live.sealed_rows = 0;
  ++live.version;
  std::vector<std::string> statements;
  state_->append_definitions(identifier, statements);
  for (const int64_t generation : dropped)
    statements.push_back("DROP TABLE " + hot_name(identifier, generation));
  state_->run(statements);
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

void LiveTables::replace_committed(const std::vector<CommittedTable>& committed) {
  std::lock_guard lock(state_->mutex);
  std::vector<std::string> drops;
  for (const CommittedTable& change : committed) {
    TableState& live = state_->at(change.table->identifier);
    auto files = std::make_shared<std::vector<lake::DataFile>>();
    for (const lake::DataFile& file : *live.files) {
      if (!change.removed_paths.contains(file.path)) files->push_back(file);
    }
    files->insert(files->end(), change.added.begin(), change.added.end());
    live.table = change.table;
    live.files = std::move(files);
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
