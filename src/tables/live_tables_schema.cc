// How the columns and the partitioning of a table change: by its job, and by a user.

#include <algorithm>

#include "base/error.h"
#include "lake/partition_change.h"
#include "tables/live_tables_state.h"

namespace headrace::tables {
namespace {

std::vector<lake::Field> fields_of(const std::vector<engine::Column>& columns) {
  std::vector<lake::Field> fields;
  for (const engine::Column& column : columns) {
    fields.push_back({0, column.name, lake::type_from_duckdb(column.type), false, ""});
  }
  return fields;
}

std::vector<std::string> key_of(const lake::Table& table) {
  std::vector<std::string> key;
  const auto property = table.metadata.properties.find(kPrimaryKeyProperty);
  if (property == table.metadata.properties.end()) return key;
  for (const lake::Field& field : table.metadata.current_schema().fields) {
    const std::string list = ", " + property->second + ", ";
    if (list.find(", " + field.name + ", ") != std::string::npos) key.push_back(field.name);
  }
  return key;
}

void check_key_stays(const lake::Table& table, const lake::TableAlteration& alteration) {
  std::vector<std::string> changed = alteration.drop;
  for (const auto& [from, to] : alteration.rename) changed.push_back(from);
  for (const auto& [column, type] : alteration.type) changed.push_back(column);
  for (const std::string& column : key_of(table)) {
    if (std::find(changed.begin(), changed.end(), column) == changed.end()) continue;
    fail(ErrorKind::kInvalid,
         "altering {}: \"{}\" is part of its primary key, by which its rows are found: write to "
         "another table instead",
         table.identifier.to_string(), column);
  }
}

void check_not_filled(const TableState& live, const lake::TableAlteration& alteration) {
  if (!live.is_target) return;
  for (const std::string& column : alteration.drop) {
    const lake::Field* field = live.table->metadata.current_schema().find(column);
    if (field == nullptr) continue;
    const auto& filled = live.hot_schema.fields;
    const auto found = std::find_if(filled.begin(), filled.end(), [&](const lake::Field& other) {
      return other.id == field->id;
    });
    if (found == filled.end()) continue;
    fail(ErrorKind::kConflict,
         "altering {}: a job fills \"{}\", so it would come back: have the job leave it out first, "
         "with 'leave_out: [{}]' in its table node",
         live.table->identifier.to_string(), column, found->name);
  }
}

}  // namespace

lake::SchemaEvolution evolution(const lake::Table& table, const lake::Schema& schema,
                                const std::vector<engine::Column>& columns) {
  lake::SchemaEvolution result = lake::evolve(table.metadata, schema, fields_of(columns));
  if (result.misfits.empty()) return result;
  const std::string name = table.identifier.to_string();
  fail(ErrorKind::kInvalid,
       "the job's columns do not fit table {}: {}; cast them in the job, write to another table, "
       "or drop this one with 'headrace tables drop {}'",
       name, join(result.misfits, "; "), name);
}

// The table with all that its job declares.
lake::TablePtr LiveTables::brought_up_to(const TargetSpec& spec, lake::TablePtr table) const {
  constexpr int kMaxAttempts = 5;
  lake::Catalog& catalog = state_->collaborators.catalog;
  for (int attempt = 1;; ++attempt) {
    lake::SchemaEvolution evolved =
        evolution(*table, table->metadata.current_schema(), spec.columns);
    lake::TableChange change;
    change.base = table;
    change.cause = spec.cause;
    const lake::TablePtr wanted = lake::with_schema(table, evolved.table);
    if (!spec.partition_by.empty() &&
        !lake::is_partitioned_by(wanted->metadata, spec.partition_by)) {
      change.new_partition_by = spec.partition_by;
    }
    if (evolved.is_changed) change.new_schema = std::move(evolved.table);
    if (spec.format_version.value_or(0) > table->metadata.format_version) {
      change.format_version = spec.format_version;
    }
    if (!change.new_schema && !change.new_partition_by && !change.format_version) return table;
    try {
      return catalog.commit({change}).front();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConflict || attempt == kMaxAttempts) throw;
      table = catalog.load(spec.identifier);
    }
  }
}

TableState LiveTables::evolve_target(const TableIdentifier& identifier,
                                     const std::vector<engine::Column>& columns) {
  std::lock_guard lock(state_->mutex);
  TableState& live = state_->at(identifier);
  if (live.generations.size() != 1) {
    fail(ErrorKind::kInternal, "table {} gets other columns while rows of it are committed",
         identifier.to_string());
  }
  const TableState before = live;
  // From the committed columns on, so that what was pending is part of it.
  lake::SchemaEvolution evolved = evolution(*live.table, shown_schema(live), columns);
  live.hot_schema = std::move(evolved.written);
  for (const lake::Field& field : before.hot_schema.fields) {
    if (live.hot_schema.find_id(field.id) != nullptr) continue;
    live = before;
    fail(ErrorKind::kInvalid,
         "the job of table {} gives no column \"{}\" any more, which hot rows have",
         identifier.to_string(), field.name);
  }
  if (evolved.is_changed) live.pending = std::move(evolved.table);
  live.generations = {state_->next_generation++};
  ++live.version;
  const std::string rows = hot_name(identifier, before.generations.back());
  std::string copied = columns_by_id(before.hot_schema.fields, live.hot_schema.fields);
  if (live.is_upsert) copied += format(", r.{}", kDeletedColumn);
  std::vector<std::string> statements = {
      state_->hot_table_ddl(identifier, live, live.generations.back()),
      format("INSERT INTO {} SELECT {} FROM {} r", hot_name(identifier, live.generations.back()),
             copied, rows)};
  const int64_t old_generation = before.generations.back();
  const int64_t generation = live.generations.back();
  if (live.is_upsert) {
    statements.push_back(format("CREATE TABLE {} AS SELECT * FROM {}",
                                gone_name(identifier, generation),
                                gone_name(identifier, old_generation)));
    state_->gone_schemas[generation] = state_->gone_schemas.at(old_generation);
  }
  try {
    state_->append_definitions(identifier, statements);
    statements.push_back("DROP TABLE " + rows);
    if (live.is_upsert) statements.push_back("DROP TABLE " + gone_name(identifier, old_generation));
    state_->run(statements);
  } catch (...) {
    live = before;
    state_->gone_schemas.erase(generation);
    throw;
  }
  state_->gone_schemas.erase(old_generation);
  return live;
}

// Views that stand on the table must be possible with these columns: they are made, and taken back.
void LiveTables::check_shown(const TableIdentifier& identifier, const lake::Schema& schema) {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->tables.find(identifier);
  if (found == state_->tables.end()) return;
  const TableState before = found->second;
  found->second.pending = schema;
  try {
    std::vector<std::string> statements;
    state_->append_definitions(identifier, statements);
    state_->try_out(statements);
  } catch (const Error& error) {
    found->second = before;
    fail(ErrorKind::kConflict,
         "altering {}: what stands on it would break: {}; change the views over the table first",
         identifier.to_string(), error.message());
  }
  found->second = before;
}

lake::TablePtr LiveTables::alter(const TableIdentifier& identifier,
                                 const lake::TableAlteration& alteration,
                                 const std::string& cause) {
  constexpr milliseconds kPatience{10'000};
  const lake::TablePtr table = state_->collaborators.catalog.load(identifier);
  check_key_stays(*table, alteration);
  if (const auto live = find(identifier)) check_not_filled(*live, alteration);
  lake::TableChange change = lake::change_of(table, alteration, [this](const std::string& type) {
    return lake::type_from_duckdb(state_->collaborators.database.canonical_type(type));
  });
  change.cause = cause;
  if (change.new_schema) check_shown(identifier, *change.new_schema);
  lake::TablePtr altered = state_->collaborators.catalog.commit({std::move(change)}).front();
  refresh(identifier, kPatience);
  return altered;
}

}  // namespace headrace::tables
