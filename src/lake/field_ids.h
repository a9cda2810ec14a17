#pragma once

// Field ids in the form DuckDB's Parquet writer takes them.

#include <string>

#include "lake/types.h"

namespace headrace::lake {

// {"a": 1, "s": {__duckdb_field_id: 2, "x": 5}, …}
std::string field_ids_sql(const Schema& schema);

}  // namespace headrace::lake
