#include "views/closing_sessions.h"

#include "base/format.h"
#include "views/affected_files.h"

namespace headrace::views {
namespace {

// Temporary tables of the connection.
constexpr const char* kChangedPlaces = "closing_points";
constexpr const char* kClosedBefore = "closing_closed";  // intervals
constexpr const char* kOpenBefore = "closing_open";      // keys
constexpr const char* kOpenNow = "closing_made";         // keys and states

std::string temporary(const char* table, const std::string& select) {
  return format("CREATE OR REPLACE TEMP TABLE {} AS {}", table, select);
}

}  // namespace

// Which rows are looked at: all, or those from a time on and at points before it.
struct ClosingSessions::Reach {
  std::optional<int64_t> since_us = {};
  std::string points = {};
  int64_t first_us = 0;  // of all of them

  std::string rows(const ViewQuery& query, const std::string& source,
                   const std::vector<std::string>& joined) const {
    if (!since_us) return query.rows_sql(source, joined);
    return query.rows_since_sql(query.rows_sql(source, joined, first_us), *since_us, points);
  }
};

ClosingSessions::Reach ClosingSessions::reach_of(const Rows& rows, const EventTime& before) {
  // When all is built anew, it is not known what came since.
  if (rows.changes.empty() || !before.open_since_us) return {};
  Reach reach{before.open_since_us, "", *before.open_since_us};
  connection_.execute(temporary(kChangedPlaces, query_.session_points_sql(rows.changes)));
  const auto row = connection_
                       .query_rows(ViewQuery::range_of_places_sql(kChangedPlaces, ViewQuery::kPlace,
                                                                  ViewQuery::kPlace))
                       .at(0);
  if (!row[0] || std::stoll(*row[0]) >= reach.first_us) return reach;
  reach.points = kChangedPlaces;
  reach.first_us = std::stoll(*row[0]);
  return reach;
}

// Sessions that ended before the first of the rows hold none of them.
std::vector<lake::DataFile> ClosingSessions::files_within(const Closed& closed,
                                                          const Reach& reach) {
  if (!reach.since_us) return closed.files;
  const std::string& key = query_.window()->end_key;
  const auto first = connection_.query_value(
      format("SELECT CAST(make_timestamp({}) AS {})", reach.first_us, query_.type_of_key(key)));
  const std::vector<KeyRange> ends = {
      {closed.table.metadata.current_schema().find(key), first, std::nullopt, false, true}};
  std::vector<lake::DataFile> files;
  for (const lake::DataFile& file : closed.files) {
    if (may_hold(file, ends)) files.push_back(file);
  }
  return files;
}

void ClosingSessions::make(const Rows& rows, const Closed& closed, const EventTime& before,
                           EventTime& after) {
  const ViewQuery open = query_.of_windows(before.closed_until_us, std::nullopt);
  const Reach reach = reach_of(rows, before);
  std::string closed_before;
  std::string open_before;
  if (before.closed_until_us) {
    closed_before = kClosedBefore;
    const std::vector<lake::DataFile> files = files_within(closed, reach);
    connection_.execute(temporary(
        kClosedBefore, open.closed_intervals_sql(lake::scan_sql(closed.table, files), "")));
  }
  if (!closed_before.empty() && !rows.before.empty()) {
    open_before = kOpenBefore;
    // Places where rows came are none of what was there before.
    const Reach newer{reach.since_us, "", reach.since_us.value_or(0)};
    connection_.execute(temporary(
        kOpenBefore, open.open_sessions_sql(open.rows_in_intervals_sql(
                         newer.rows(open, rows.before, rows.joined), "", closed_before))));
  }
  connection_.execute(temporary(
      kOpenNow,
      open.made_sessions_sql(
          open.rows_in_intervals_sql(reach.rows(open, rows.now, rows.joined), "", closed_before),
          open_before)));
  if (!closed_before.empty() && !rows.changes.empty()) {
    after.late_changes += connection_.query_integer(
        open.late_rows_sql(rows.changes, kOpenNow, open_before, closed_before));
  }
  after.open_since_us = open_since(after.closed_until_us);
}

// Where all sessions are over, no row is at the time by which they are, or later.
std::optional<int64_t> ClosingSessions::open_since(std::optional<int64_t> closed_until_us) {
  if (!closed_until_us) return std::nullopt;
  const auto first =
      connection_.query_value(format("SELECT epoch_us(min({}) FILTER (NOT {})) FROM {}",
                                     engine::quote_identifier(query_.window()->key),
                                     query_.ended_sql(*closed_until_us), kOpenNow));
  return first ? std::stoll(*first) : *closed_until_us;
}

std::string ClosingSessions::over_sql(int64_t until_us) const {
  return query_.stored_sql(
      format("SELECT * FROM {} WHERE {}", kOpenNow, query_.ended_sql(until_us)));
}

void ClosingSessions::drop() {
  for (const char* table : {kChangedPlaces, kClosedBefore, kOpenBefore, kOpenNow}) {
    connection_.execute(format("DROP TABLE IF EXISTS {}", table));
  }
}

}  // namespace headrace::views
