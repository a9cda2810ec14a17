// The parts of a query that speak of when windows end.

#include <algorithm>

#include "base/format.h"
#include "views/view_query.h"

namespace headrace::views {

using engine::quote_identifier;

namespace {

// An infinite time has no µs, and no time has none either.
std::string ends_by(const std::string& start, const Window& window, int64_t until_us) {
  return format("coalesce(epoch_us(({}) + {}) <= {}, false)", start, window.size, until_us);
}

}  // namespace

ViewQuery ViewQuery::of_windows(std::optional<int64_t> after_us,
                                std::optional<int64_t> until_us) const {
  ViewQuery query = *this;
  query.after_us_ = after_us;
  query.until_us_ = until_us;
  return query;
}

const std::string& ViewQuery::type_of_key(const std::string& name) const {
  return std::find_if(keys_.begin(), keys_.end(),
                      [&](const KeyColumn& key) { return key.name == name; })
      ->type;
}

// Of the type of the rows' time, so that files and row groups are left out by a comparison with it.
std::string ViewQuery::time_literal(int64_t time_us) const {
  return format("CAST({}({}) AS {})",
                window_->time_type.ends_with("TIME ZONE") ? "make_timestamptz" : "make_timestamp",
                time_us, window_->time_type);
}

void ViewQuery::add_window_conditions(std::vector<std::string>& conditions) const {
  if (!window_ || (!after_us_ && !until_us_)) return;
  const std::string time = format("({})", window_->time);
  const auto start = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const KeyColumn& key) { return key.name == window_->key; });
  // A plain comparison beside the exact one.
  if (after_us_) {
    conditions.push_back(
        format("{0} >= {1} OR {0} IS NULL", time, time_literal(*after_us_ - window_->longest_us)));
    conditions.push_back("NOT " + ends_by(start->expression, *window_, *after_us_));
  }
  if (until_us_) {
    conditions.push_back(format("{} <= {}", time, time_literal(*until_us_)));
    conditions.push_back(ends_by(start->expression, *window_, *until_us_));
  }
}

std::string ViewQuery::ended_sql(int64_t until_us) const {
  if (has_sessions()) {
    return format("coalesce(epoch_us({}) <= {}, false)", quote_identifier(window_->end_key),
                  until_us);
  }
  return ends_by(quote_identifier(window_->key), *window_, until_us);
}

std::string ViewQuery::ended_rows_sql(const std::string& stored, int64_t until_us) const {
  std::vector<std::string> columns;
  for (const engine::Column& column : stored_columns()) {
    const bool is_multiset = std::any_of(states_.begin(), states_.end(), [&](const auto& state) {
      return state.kind == StateKind::kMultiset && state.name == column.name;
    });
    const std::string name = quote_identifier(column.name);
    columns.push_back(is_multiset ? format("CAST(NULL AS {}) AS {}", column.type, name) : name);
  }
  return format("SELECT {} FROM ({}) WHERE {}", join(columns, ", "), stored, ended_sql(until_us));
}

std::string ViewQuery::event_time_sql(const std::string& relation,
                                      std::optional<int64_t> until_us) const {
  std::string late = "0";
  if (until_us) {
    ViewQuery ended = of_windows(std::nullopt, until_us);
    late = format("count(*) FILTER ({})", ended.condition_sql().substr(1));
  }
  return format(
      "SELECT epoch_us(max({0}) FILTER (WHERE {1} = 1 AND isfinite({0}))), {2} FROM {3}{4}",
      window_->time, kSignColumn, late, relation, hops_sql(*window_));
}

}  // namespace headrace::views
