#pragma once

// The engine's filter expressions as a Condition. Inside the engine module only; speaks DuckDB's
// C++ interface.

#include <functional>
#include <optional>

#include <duckdb/planner/column_binding.hpp>
#include <duckdb/planner/expression.hpp>

#include "engine/condition.h"

namespace headrace::engine {

// The scan's column that a column of an expression is; nullopt when it is none, or not all of one.
using ColumnPlace = std::function<std::optional<size_t>(const duckdb::ColumnBinding& binding)>;

Condition condition_of(const duckdb::Expression& expression, const ColumnPlace& place);

}  // namespace headrace::engine
