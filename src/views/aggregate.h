#pragma once

// The aggregates that a view can keep up to date, and the mergeable states behind each.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "views/view_query.h"

namespace headrace::views {

inline constexpr std::string_view kSupportedAggregates =
    "count, sum, min, max, avg and count_if, each also with FILTER (WHERE …)";

bool is_supported_aggregate(std::string_view function_name);

// One state of an aggregate: which, and the expression over the source's rows.
struct AggregateState {
  StateKind kind;
  Json expression;
};

// Most aggregates are their own state; an average has two: its sum, then its count.
// Error unsupported for DISTINCT, ORDER BY and a number of arguments that cannot be kept.
std::vector<AggregateState> states_of(const JsonObject& aggregate);

// "sum", "count", "min" or "max", for the names of hidden columns.
std::string_view name_of(StateKind kind);

}  // namespace headrace::views
