#include <algorithm>
#include <functional>

#include "base/error.h"
#include "lake/types.h"

namespace headrace::lake {
namespace {

const Field* find_in(const std::vector<Field>& fields, int id) {
  for (const Field& field : fields) {
    if (field.id == id) return &field;
    if (const Field* nested = find_in(field.type.fields, id)) return nested;
  }
  return nullptr;
}

int highest_in(const std::vector<Field>& fields) {
  int highest = 0;
  for (const Field& field : fields) {
    highest = std::max({highest, field.id, highest_in(field.type.fields)});
  }
  return highest;
}

}  // namespace

void assign_ids(std::vector<Field>& fields, int& last_id) {
  for (Field& field : fields) {
    if (field.id == 0) field.id = ++last_id;
  }
  for (Field& field : fields) assign_ids(field.type.fields, last_id);
}

const Field* Schema::find(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const Field& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

const Field* Schema::find_id(int id) const { return find_in(fields, id); }

int Schema::highest_field_id() const { return highest_in(fields); }

Schema make_schema(const std::vector<std::pair<std::string, std::string>>& names_and_duckdb_types) {
  Schema schema;
  for (const auto& [name, type] : names_and_duckdb_types) {
    if (name.empty()) fail(ErrorKind::kInvalid, "making a schema: a column has no name");
    if (schema.find(name) != nullptr) {
      fail(ErrorKind::kInvalid, "making a schema: column \"{}\" appears twice; rename one", name);
    }
    try {
      schema.fields.push_back({0, name, type_from_duckdb(type), false, ""});
    } catch (const Error& error) {
      throw error.with_context(format("column \"{}\"", name));
    }
  }
  int last_id = 0;
  assign_ids(schema.fields, last_id);
  return schema;
}

}  // namespace headrace::lake
