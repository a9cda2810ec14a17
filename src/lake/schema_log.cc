#include "lake/schema_log.h"

#include <map>

#include "base/error.h"

namespace headrace::lake {
namespace {

struct Column {
  std::string name;  // with those that it is in
  std::string type;
  bool is_nested = false;
};
using Columns = std::map<int, Column>;  // by field id

// Members are columns of their own; what is in a list or map is called as the format calls it.
void collect(const std::vector<Field>& fields, const std::string& prefix, Columns& columns) {
  for (const Field& field : fields) {
    const std::string name = prefix + field.name;
    columns[field.id] = {name, to_duckdb(field.type), field.type.is_nested()};
    collect(field.type.fields, name + ".", columns);
  }
}

Columns columns_of(const TableMetadata& metadata) {
  Columns columns;
  collect(metadata.current_schema().fields, "", columns);
  return columns;
}

// A column in another that is told of itself is not told of.
bool is_inside_of(const std::string& name, const std::vector<SchemaDifference>& told,
                  const std::string& change) {
  for (const SchemaDifference& difference : told) {
    if (difference.change == change && name.starts_with(difference.column + ".")) return true;
  }
  return false;
}

std::string partitioning(const TableMetadata& metadata) {
  std::vector<std::string> fields;
  for (const PartitionField& field : metadata.default_spec().fields) {
    const Field* source = metadata.current_schema().find_id(field.source_id);
    const std::string column =
        source == nullptr ? format("field {}", field.source_id) : source->name;
    fields.push_back(field.transform.kind == TransformKind::kIdentity
                         ? column
                         : format("{}({})", to_text(field.transform), column));
  }
  return format("{}", join(fields, ", "));
}

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

std::vector<SchemaDifference> schema_differences(const TableMetadata& before,
                                                 const TableMetadata& after) {
  std::vector<SchemaDifference> told;
  if (before.current_schema_id != after.current_schema_id) {
    const Columns old_columns = columns_of(before);
    const Columns new_columns = columns_of(after);
    for (const auto& [id, column] : old_columns) {
      if (new_columns.contains(id) || is_inside_of(column.name, told, "drop")) continue;
      told.push_back({"drop", column.name, column.type, ""});
    }
    for (const auto& [id, column] : new_columns) {
      const auto old = old_columns.find(id);
      if (old == old_columns.end()) {
        if (is_inside_of(column.name, told, "add")) continue;
        told.push_back({"add", column.name, "", column.type});
        continue;
      }
      if (last_part(old->second.name) != last_part(column.name)) {
        told.push_back({"rename", column.name, old->second.name, column.name});
      }
      if (!column.is_nested && old->second.type != column.type) {
        told.push_back({"widen", column.name, old->second.type, column.type});
      }
    }
  }
  if (before.default_spec_id != after.default_spec_id) {
    told.push_back({"partition", "", partitioning(before), partitioning(after)});
  }
  return told;
}

void log_schema_change(const Table& before, const Table& after, const std::string& cause,
                       std::vector<store::Change>& transaction) {
  const auto differences = schema_differences(before.metadata, after.metadata);
  if (differences.empty()) return;
  JsonArray changes;
  for (const SchemaDifference& difference : differences) {
    changes.push_back(JsonObject{{"change", difference.change},
                                 {"column", difference.column},
                                 {"before", difference.before},
                                 {"after", difference.after}});
  }
  const Json entry = JsonObject{{"changed_at_ms", after.metadata.last_updated_ms},
                                {"cause", cause},
                                {"changes", std::move(changes)}};
  transaction.push_back({kSchemaChangesSpace,
                         format("{}/{:012}", after.identifier.to_string(), after.catalog_version),
                         to_text(entry), std::nullopt});
}

std::vector<SchemaChange> schema_changes_from_text(const TableIdentifier& table,
                                                   const std::string& text) {
  const Json json = parse_json(text, "a change of a table's columns");
  std::vector<SchemaChange> changes;
  for (const Json& entry : member(json, "changes").as_array()) {
    changes.push_back({table,
                       integer_member(json, "changed_at_ms"),
                       string_member(json, "cause"),
                       {string_member(entry, "change"), string_member(entry, "column"),
                        string_member(entry, "before"), string_member(entry, "after")}});
  }
  return changes;
}

}  // namespace headrace::lake
