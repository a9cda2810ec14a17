// SQL of session windows: how rows become sessions, and which of them a change can touch.

#include "base/format.h"
#include "views/view_query.h"

namespace headrace::views {

using engine::quote_identifier;

namespace {

// The place of rows without a time: before all others, and no session from there reaches them.
constexpr int64_t kNoTime = -9'200'000'000'000'000'000;

// Stand for relations beside expressions of the query, which may name one `r` itself.
constexpr const char* kRows = "__headrace_rows";
constexpr const char* kPlaces = "__headrace_places";

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

// Of rows: the keys and the place of each.
std::string ViewQuery::places_sql(const std::string& rows) const {
  std::string columns;
  for (const auto& [key, name] : session_keys()) {
    columns += format("{} AS {}, ", value_of(key), name);
  }
  return format("SELECT {}{} AS {} FROM {}{}", columns, place_sql(finite(window_->time)), kPlace,
                rows, where_.empty() ? "" : " WHERE " + where_);
}

std::string ViewQuery::session_points_sql(const std::string& changes) const {
  return format("SELECT DISTINCT * FROM ({})", places_sql(changes));
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
  return format("SELECT s.* FROM ({}) s SEMI JOIN {} p ON {} AND p.{} >= {} - {} AND p.{} <= {}{}",
                stored, points, same_session_keys("s", "p"), kPlace, start, window_->session_gap_us,
                kPlace, end, after_us_ ? " WHERE NOT " + ended_sql(*after_us_) : "");
}

// Of sessions, stored or made: keys, __first and __last, the places of the rows at their ends.
std::string ViewQuery::intervals_of_sessions_sql(const std::string& sessions) const {
  std::string columns;
  for (const auto& [key, name] : session_keys()) {
    columns += format("{} AS {}, ", quote_identifier(key.name), name);
  }
  return format("SELECT {}{} AS __first, {} AS __last FROM {}", columns,
                place_sql(quote_identifier(window_->key)),
                place_sql(format("{} - {}", quote_identifier(window_->end_key), window_->size)),
                sessions);
}

std::string ViewQuery::same_points(std::string_view a, std::string_view b) const {
  std::vector<std::string> conditions = {"true"};
  for (const auto& [key, name] : session_keys()) {
    conditions.push_back(format("{}.{} IS NOT DISTINCT FROM {}.{}", a, name, b, name));
  }
  return format("{}", join(conditions, " AND "));
}

std::string ViewQuery::session_intervals_sql(const std::string& affected,
                                             const std::string& points) const {
  std::string of_points;
  for (const auto& [key, name] : session_keys()) of_points += name + ", ";
  return format("{} UNION SELECT {}{}, {} FROM {}", intervals_of_sessions_sql(affected), of_points,
                kPlace, kPlace, points);
}

std::string ViewQuery::closed_intervals_sql(const std::string& stored,
                                            const std::string& intervals) const {
  std::string closed = intervals_of_sessions_sql(
      format("(SELECT * FROM ({}) WHERE {})", stored, ended_sql(*after_us_)));
  if (intervals.empty()) return closed;
  return format(
      "SELECT c.* FROM ({}) c SEMI JOIN {} i ON {} AND c.__first <= i.__last AND c.__last >= "
      "i.__first",
      closed, intervals, same_points("c", "i"));
}

std::string ViewQuery::rows_in_intervals_sql(const std::string& rows, const std::string& intervals,
                                             const std::string& closed) const {
  const std::string place = place_sql(finite(window_->time));
  const auto joined = [&](const std::string& relation, std::string_view join,
                          const std::string& with) {
    return format(
        "(SELECT {0}.* FROM {1} {0} {2} JOIN {3} {4} ON {5} AND {6} >= {4}.__first AND {6} <= "
        "{4}.__last)",
        kRows, relation, join, with, kPlaces, same_session_keys("", kPlaces), place);
  };
  std::string result = intervals.empty() ? rows : joined(rows, "SEMI", intervals);
  return closed.empty() ? result : joined(result, "ANTI", closed);
}

std::string ViewQuery::rows_since_sql(const std::string& rows, int64_t since_us,
                                      const std::string& points) const {
  const std::string time = format("({})", window_->time);
  const std::string since = time_literal(since_us);
  const std::string newer =
      format("SELECT * FROM {} WHERE {} >= {} AND isfinite({})", rows, time, since, time);
  if (points.empty()) return format("({})", newer);
  return format(
      "({} UNION ALL SELECT {}.* FROM {} {} SEMI JOIN {} {} ON {} AND {} = {}.{} WHERE {} < {})",
      newer, kRows, rows, kRows, points, kPlaces, same_session_keys("", kPlaces),
      place_sql(finite(window_->time)), kPlaces, kPlace, time, since);
}

std::string ViewQuery::open_sessions_sql(const std::string& rows) const {
  std::vector<std::string> columns;
  for (const KeyColumn& key : keys_) {
    columns.push_back(format("{} AS {}", value_of(key), quote_identifier(key.name)));
  }
  return format("SELECT * FROM (SELECT DISTINCT {} FROM {}) WHERE NOT {}", join(columns, ", "),
                sessions_sql(rows), ended_sql(*after_us_));
}

std::string ViewQuery::made_sessions_sql(const std::string& rows,
                                         const std::string& affected) const {
  std::string made = merged_sql({delta_sql(rows)});
  if (!after_us_) return made;
  const std::string open = format("SELECT * FROM __made WHERE NOT {}", ended_sql(*after_us_));
  std::string with = format("WITH __made AS MATERIALIZED ({}) {}", made, open);
  if (affected.empty()) return with;
  // What is left of a session that was open belongs to the view, even where it is over by now.
  const std::string keys = same_session_keys("m", "a");
  return format(
      "{} UNION ALL SELECT m.* FROM __made m SEMI JOIN ({}) a ON {} AND {} <= a.__last AND {} >= "
      "a.__first WHERE {}",
      with, intervals_of_sessions_sql(affected), keys,
      place_sql("m." + quote_identifier(window_->key)),
      place_sql(format("m.{} - {}", quote_identifier(window_->end_key), window_->size)),
      ended_sql(*after_us_));
}

// What has no time is never late: its session has no end.
std::string ViewQuery::late_rows_sql(const std::string& changes, const std::string& made,
                                     const std::string& affected, const std::string& closed) const {
  std::string in_time = intervals_of_sessions_sql(made);
  if (!affected.empty()) in_time += " UNION ALL " + intervals_of_sessions_sql(affected);
  const auto is_in = [&](std::string_view intervals) {
    return format("{} AND c.{} >= {}.__first AND c.{} <= {}.__last", same_points("c", intervals),
                  kPlace, intervals, kPlace, intervals);
  };
  return format(
      "WITH __changes AS MATERIALIZED (SELECT * FROM ({}) WHERE {} > {}) SELECT (SELECT count(*) "
      "FROM __changes) - (SELECT count(*) FROM (SELECT c.* FROM __changes c SEMI JOIN ({}) i ON "
      "{}) c ANTI JOIN {} f ON {})",
      places_sql(changes), kPlace, kNoTime, in_time, is_in("i"), closed, is_in("f"));
}

std::string ViewQuery::current_sessions_sql(const std::string& stored, const std::string& changes,
                                            const std::string& rows) const {
  std::vector<std::string> outputs;
  for (const OutputColumn& output : outputs_) {
    outputs.push_back("s." + quote_identifier(output.name));
  }
  std::string with = format(
      "WITH __stored AS ({}), __points AS MATERIALIZED ({}), __affected AS MATERIALIZED ({}), "
      "__intervals AS MATERIALIZED ({})",
      stored, session_points_sql(changes),
      affected_sessions_sql("SELECT * FROM __stored", "__points"),
      session_intervals_sql("__affected", "__points"));
  std::string closed;
  if (after_us_) {
    closed = "__closed";
    with += format(", __closed AS MATERIALIZED ({})",
                   closed_intervals_sql("SELECT * FROM __stored", "__intervals"));
  }
  return format("{} SELECT {} FROM __stored s ANTI JOIN __affected a ON {} UNION ALL {}", with,
                join(outputs, ", "), same_keys("s", "a"),
                visible_sql(made_sessions_sql(rows_in_intervals_sql(rows, "__intervals", closed),
                                              "__affected")));
}

std::string ViewQuery::whole_sessions_sql(const std::string& stored,
                                          const std::string& rows) const {
  const std::string closed = format("({})", closed_intervals_sql(stored, ""));
  return visible_sql(made_sessions_sql(rows_in_intervals_sql(rows, "", closed), ""));
}

std::string ViewQuery::range_of_places_sql(const std::string& table, const std::string& first,
                                           const std::string& last) {
  return format(
      "SELECT min({0}) FILTER ({0} > {2}), max({1}) FILTER ({1} > {2}), "
      "coalesce(bool_or({0} = {2}), false) FROM {3}",
      first, last, kNoTime, table);
}

}  // namespace headrace::views
