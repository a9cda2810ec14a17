#pragma once

// DuckDB's logical types ↔ their names in SQL. Inside the engine module only.

#include <memory>
#include <string>
#include <type_traits>

#include <duckdb.h>

namespace headrace::engine {

struct LogicalTypeDeleter {
  void operator()(duckdb_logical_type type) const { duckdb_destroy_logical_type(&type); }
};
using LogicalType = std::unique_ptr<std::remove_pointer_t<duckdb_logical_type>, LogicalTypeDeleter>;

// As SQL spells it: "DECIMAL(18,4)", "STRUCT(a INTEGER, b VARCHAR[])".
std::string name_of(duckdb_logical_type type);

// The type of that name. Simple names are answered at once; others are asked of `connection`.
LogicalType logical_type(duckdb_connection connection, const std::string& name);

}  // namespace headrace::engine
