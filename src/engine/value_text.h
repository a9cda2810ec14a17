#pragma once

// Single values as text, for small results. Inside the engine module only.

#include <optional>
#include <string>

#include <duckdb.h>

namespace headrace::engine {

// The value as SQL prints it; nested values as JSON. nullopt: NULL.
std::optional<std::string> value_text(duckdb_vector vector, duckdb_logical_type type, idx_t row);

}  // namespace headrace::engine
