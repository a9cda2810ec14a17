// SQL of session windows: how rows become sessions, and which of them a change can touch.

#include "base/format.h"
#include "views/view_query.h"

namespace headrace::views {

using engine::quote_identifier;

namespace {

// The place of rows without a time: before all others, and no session from there reaches them.
constexpr int64_t kNoTime = -9'200'000'000'000'000'000;

constexpr const char* kPlace = "__headrace_at";  // of a row or a point, in µs

// An infinite time is none: no row could follow it.
std::string finite(const std::string& time) {
  return format("CASE WHEN isfinite({0}) THEN {0} END", time);
}

std::string value_of(const KeyColumn& key) {
  return key.type.empty() ? key.expression : format("CAST({} AS {})", key.expression, key.type);
}

std::string place_sql(const std::string& time) {
  return format("coalesce(epoch_us({}), {})", time, kNoTime);
}

}  // namespace

std::vector<std::pair<KeyColumn, std::string>> ViewQuery::session_keys() const {
  std::vector<std::pair<KeyColumn, std::string>> keys;
  for (const KeyColumn& key : keys_) {
    if (key.expression.find("__headrace_session_") != std::string::npos) continue;
    keys.emplace_back(key, format("__key_{}", keys.size()));
  }
  return keys;
}

// The rows that count, with the ends of their sessions; stands after FROM.
std::string ViewQuery::sessions_sql(const std::string& rows) const {
  std::string partition;
  for (const auto& [key, name] : session_keys()) partition += format("{}, ", key.expression);
  const std::string time = finite(window_->time);
  partition += format("({}) IS NULL", time);
  const std::string placed = format("SELECT *, {} AS {} FROM {}{}", place_sql(time), kPlace, rows,
                                    where_.empty() ? "" : " WHERE " + where_);
  // Places are far apart at most by more than 63 bits hold.
  const std::string begun = format(
      "SELECT *, CASE WHEN CAST({0} AS HUGEINT) - lag({0}) OVER (PARTITION BY {1} ORDER BY {0}) <= "
      "{2} THEN 0 ELSE 1 END AS __headrace_begins FROM ({3})",
      kPlace, partition, window_->session_gap_us, placed);
  const std::string numbered = format(
      "SELECT *, sum(__headrace_begins) OVER (PARTITION BY {1} ORDER BY {0} RANGE UNBOUNDED "
      "PRECEDING) AS __headrace_number FROM ({2})",
      kPlace, partition, begun);
  return format(
      "(SELECT *, min({0}) OVER (PARTITION BY {1}, __headrace_number) AS {2}, max({0}) OVER "
      "(PARTITION BY {1}, __headrace_number) + {3} AS {4} FROM ({5}))",
      time, partition, kSessionStart, window_->size, kSessionEnd, numbered);
}

std::string ViewQuery::session_points_sql(const std::string& changes) const {
  std::string columns;
  for (const auto& [key, name] : session_keys()) {
    columns += format("{} AS {}, ", value_of(key), name);
  }
  return format("SELECT DISTINCT {}{} AS {} FROM {}{}", columns, place_sql(finite(window_->time)),
                kPlace, changes, where_.empty() ? "" : " WHERE " + where_);
}

std::string ViewQuery::same_session_keys(std::string_view rows, std::string_view points) const {
  std::vector<std::string> conditions = {"true"};
  for (const auto& [key, name] : session_keys()) {
    const std::string value =
        rows.empty() ? value_of(key) : format("{}.{}", rows, quote_identifier(key.name));
    conditions.push_back(format("{} IS NOT DISTINCT FROM {}.{}", value, points, name));
  }
  return format("{}", join(conditions, " AND "));
}

std::string ViewQuery::affected_sessions_sql(const std::string& stored,
                                             const std::string& points) const {
  const std::string start = place_sql("s." + quote_identifier(window_->key));
  const std::string end = place_sql("s." + quote_identifier(window_->end_key));
  return format("SELECT s.* FROM ({}) s SEMI JOIN {} p ON {} AND p.{} >= {} - {} AND p.{} <= {}",
                stored, points, same_session_keys("s", "p"), kPlace, start, window_->session_gap_us,
                kPlace, end);
}

std::string ViewQuery::session_intervals_sql(const std::string& affected,
                                             const std::string& points) const {
  std::string of_sessions;
  std::string of_points;
  for (const auto& [key, name] : session_keys()) {
    of_sessions += format("{} AS {}, ", quote_identifier(key.name), name);
    of_points += name + ", ";
  }
  const std::string last =
      place_sql(format("{} - {}", quote_identifier(window_->end_key), window_->size));
  return format("SELECT {}{} AS __first, {} AS __last FROM {} UNION SELECT {}{}, {} FROM {}",
                of_sessions, place_sql(quote_identifier(window_->key)), last, affected, of_points,
                kPlace, kPlace, points);
}

std::string ViewQuery::rows_in_intervals_sql(const std::string& rows,
                                             const std::string& intervals) const {
  const std::string place = place_sql(finite(window_->time));
  return format(
      "(SELECT r.* FROM {} r SEMI JOIN {} i ON {} AND {} >= i.__first AND {} <= i.__last)", rows,
      intervals, same_session_keys("", "i"), place, place);
}

std::string ViewQuery::current_sessions_sql(const std::string& stored, const std::string& changes,
                                            const std::string& rows) const {
  std::vector<std::string> outputs;
  for (const OutputColumn& output : outputs_) {
    outputs.push_back("s." + quote_identifier(output.name));
  }
  const std::string made = rows_in_intervals_sql(rows, "__intervals");
  return format(
      "WITH __stored AS ({}), __points AS MATERIALIZED ({}), __affected AS MATERIALIZED ({}), "
      "__intervals AS MATERIALIZED ({}) SELECT {} FROM __stored s ANTI JOIN __affected a ON {} "
      "UNION ALL {}",
      stored, session_points_sql(changes),
      affected_sessions_sql("SELECT * FROM __stored", "__points"),
      session_intervals_sql("__affected", "__points"), join(outputs, ", "), same_keys("s", "a"),
      visible_sql(merged_sql({delta_sql(made)})));
}

std::string ViewQuery::range_of_points_sql(const std::string& points) const {
  return format(
      "SELECT min({0}) FILTER ({0} > {1}), max({0}) FILTER ({0} > {1}), "
      "coalesce(bool_or({0} = {1}), false) FROM {2}",
      kPlace, kNoTime, points);
}

}  // namespace headrace::views
