#include "lake/field_ids.h"

#include "base/format.h"
#include "engine/database.h"

namespace headrace::lake {
namespace {

std::string ids_of(const Field& field) {
  if (!field.type.is_nested()) return format("{}", field.id);
  std::string text = format("{{__duckdb_field_id: {}", field.id);
  for (const Field& nested : field.type.fields) {
    text += format(", {}: {}", engine::quote_identifier(nested.name), ids_of(nested));
  }
  return text + "}";
}

}  // namespace

std::string field_ids_sql(const Schema& schema) {
  std::vector<std::string> columns;
  for (const Field& field : schema.fields) {
    columns.push_back(format("{}: {}", engine::quote_identifier(field.name), ids_of(field)));
  }
  return format("{{{}}}", join(columns, ", "));
}

}  // namespace headrace::lake
