#pragma once

// The aggregates that a view can keep up to date, and the states behind each: values that can be
// merged, and over a table whose rows change also taken away again.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "views/view_query.h"

namespace headrace::views {

inline constexpr std::string_view kSupportedAggregates =
    "count, sum, min, max, avg, count_if, count(DISTINCT x), approx_count_distinct, stddev, "
    "variance and their _samp and _pop forms, arg_min and arg_max (also as min_by, max_by), "
    "median, "
    "quantile_cont, quantile_disc, approx_quantile, and the n greatest or least by max(x, n), "
    "min(x, n), arg_max(x, y, n), arg_min(x, y, n); each also with FILTER (WHERE …)";

bool is_supported_aggregate(std::string_view function_name);

// One state of an aggregate: the expression over the source's rows and how two are merged.
struct AggregateState {
  StateKind kind;
  std::string expression;
  int64_t limit = 0;                 // of kGreatest and kLeast
  std::optional<size_t> count = {};  // of a sum: the state that counts its values
};

struct Aggregate {
  std::vector<AggregateState> states;
  std::string result;  // SQL, with $0, $1 where the states stand
};

// Error unsupported for forms that cannot be kept (DISTINCT of others than count, ORDER BY),
// invalid for wrong arguments.
Aggregate aggregate_of(engine::Connection& connection, const JsonObject& call, SourceKind source);

// "sum", "count", "values", …, for the names of hidden columns.
std::string_view name_of(StateKind kind);

// `text` with "$0", "$1" replaced.
std::string with_states(std::string text, const std::vector<std::string>& columns);

}  // namespace headrace::views
