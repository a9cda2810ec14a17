#include "jobs/found_fields.h"

#include <algorithm>

#include "base/text.h"
#include "jobs/parse/record_look.h"
#include "lake/schema_evolution.h"

namespace headrace::jobs {
namespace {

using parse::ParseField;

bool has_key(const std::vector<ParseField>& fields, const std::string& key) {
  return std::any_of(fields.begin(), fields.end(), [&](const ParseField& field) {
    return equal_ignoring_case(field.name, key) || field.key() == key;
  });
}

void add_inferred(std::vector<ParseField>& fields, ParseField field) {
  field.is_inferred = true;
  if (!has_key(fields, field.name) && !has_key(fields, field.key())) {
    fields.push_back(std::move(field));
  }
}

// Of a table's property; nothing when it has none, or none that can be read.
const Json* fields_of_node(const Json& property, const std::string& node) {
  const Json* found = property.is_object() ? find_member(property, node) : nullptr;
  return found != nullptr && found->is_array() ? found : nullptr;
}

bool add_stored(const lake::Table& table, const std::string& node,
                std::vector<ParseField>& fields) {
  const auto property = table.metadata.properties.find(kFoundFieldsProperty);
  if (property == table.metadata.properties.end()) return false;
  const Json json = parse_json(property->second, kFoundFieldsProperty);
  const Json* stored = fields_of_node(json, node);
  if (stored == nullptr) return false;
  for (const Json& entry : stored->get_array()) {
    ParseField field;
    field.name = string_member(entry, "name");
    field.type = string_member(entry, "type");
    if (find_member(entry, "member") != nullptr) field.member = string_member(entry, "member");
    add_inferred(fields, std::move(field));
  }
  return true;
}

// A column that a user dropped comes back when the data bring it again, not before.
void forget_dropped(const lake::Table& table, std::vector<ParseField>& fields) {
  const auto renamed = lake::renamed_columns(table.metadata);
  std::erase_if(fields, [&](const ParseField& field) {
    return field.is_inferred && table.metadata.current_schema().find(field.name) == nullptr &&
           !renamed.contains(field.name);
  });
}

// A table that was there before its job inferred columns.
void add_columns_of(const lake::Table& table, std::vector<ParseField>& fields) {
  for (const lake::Field& column : table.metadata.current_schema().fields) {
    if (!parse::complain_about_type(column.type).empty()) continue;
    ParseField field;
    field.name = column.name;
    field.type = lake::to_duckdb(column.type);
    add_inferred(fields, std::move(field));
  }
}

}  // namespace

std::string found_fields_text(const CompiledJob& job) {
  JsonObject nodes;
  for (const auto& [node, fields] : job.found) {
    JsonArray array;
    for (const ParseField& field : fields) {
      if (!field.is_inferred) continue;
      JsonObject entry{{"name", field.name}, {"type", field.type}};
      if (field.member) entry["member"] = *field.member;
      array.push_back(std::move(entry));
    }
    nodes[node] = std::move(array);
  }
  return to_text(nodes);
}

FoundFields stored_fields(const JobSpec& spec, const CompiledJob& sources, lake::Catalog& catalog) {
  FoundFields found;
  for (const InferringNode& node : sources.inferring) found[node.node] = node.need.declared;
  if (found.empty()) return found;
  for (auto& [node, fields] : found) {
    bool is_stored = false;
    std::vector<lake::TablePtr> filled;
    for (const auto& [from, identifier] : row_targets(spec)) {
      const lake::TablePtr table = catalog.find(identifier);
      if (!table) continue;
      is_stored = add_stored(*table, node, fields) || is_stored;
      if (from == node) filled.push_back(table);
    }
    if (is_stored) {
      for (const lake::TablePtr& table : filled) forget_dropped(*table, fields);
      continue;
    }
    for (const lake::TablePtr& table : filled) add_columns_of(*table, fields);
  }
  return found;
}

bool has_columns(const CompiledJob& sources, const FoundFields& found) {
  return std::all_of(sources.inferring.begin(), sources.inferring.end(),
                     [&](const InferringNode& node) { return !found.at(node.node).empty(); });
}

bool grow_with(const InputBatch& batch, const CompiledJob& sources, FoundFields& found) {
  bool has_grown = false;
  for (const InferringNode& node : sources.inferring) {
    const parse::FoundType seen = parse::look_at_records(batch, node.topic);
    has_grown = parse::grow(found.at(node.node), seen, node.need.rules) || has_grown;
  }
  return has_grown;
}

}  // namespace headrace::jobs
