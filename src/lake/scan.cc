#include "base/error.h"
#include "engine/database.h"
#include "lake/data_writer.h"

namespace headrace::lake {
namespace {

using engine::quote_identifier;
using engine::quote_literal;

std::string empty_relation(const Schema& schema) {
  std::vector<std::string> columns;
  for (const Field& field : schema.fields) {
    columns.push_back(
        format("CAST(NULL AS {}) AS {}", to_duckdb(field.type), quote_identifier(field.name)));
  }
  return format("SELECT {} WHERE false", join(columns, ", "));
}

// Columns are found by field id, so files from before a column was added or renamed read right.
std::string schema_parameter(const Schema& schema) {
  std::vector<std::string> columns;
  for (const Field& field : schema.fields) {
    columns.push_back(format("{}: {{name: {}, type: {}, default_value: NULL}}", field.id,
                             quote_literal(field.name), quote_literal(to_duckdb(field.type))));
  }
  return format("MAP {{{}}}", join(columns, ", "));
}

}  // namespace

std::string scan_sql(const Table& table, const std::vector<DataFile>& files) {
  const Schema& schema = table.metadata.current_schema();
  if (files.empty()) return empty_relation(schema);
  std::vector<std::string> paths;
  for (const DataFile& file : files) paths.push_back(quote_literal(local_path(file.path)));
  std::vector<std::string> columns;
  for (const Field& field : schema.fields) columns.push_back(quote_identifier(field.name));
  return format("SELECT {} FROM read_parquet([{}], schema={}, hive_partitioning=false)",
                join(columns, ", "), join(paths, ", "), schema_parameter(schema));
}

}  // namespace headrace::lake
