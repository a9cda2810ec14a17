// One update of a view of sessions: where rows came or went, the stored sessions that this touches,
// and the sessions that the rows of these places make now.

#include "base/format.h"
#include "views/affected_files.h"
#include "views/closing_sessions.h"
#include "views/incremental_view.h"

namespace headrace::views {

using lake::DataFile;

namespace {

// Temporary tables of the view's connection.
constexpr const char* kPoints = "view_points";
constexpr const char* kAffectedSessions = "view_sessions";
constexpr const char* kIntervals = "view_intervals";
constexpr const char* kClosed = "view_closed_sessions";  // intervals, too
constexpr const char* kMade = "view_made_sessions";      // keys and states

std::string create(const char* table, const std::string& select) {
  return format("CREATE OR REPLACE TEMP TABLE {} AS {}", table, select);
}

}  // namespace

// A table with places, and how far from them a session may begin to be met.
struct IncrementalView::Places {
  const char* table;
  const char* first;
  const char* last;
  int64_t gap_us;
};

void IncrementalView::make_sessions(const lake::Table& source, const Stored& stored,
                                    const std::string& changes, Change& change) {
  if (is_emitted_on_close()) {
    make_closing_sessions(source, stored, changes, change);
    return;
  }
  const auto closed_until_us = stored.event_time.closed_until_us;
  const ViewQuery open = query_.of_windows(closed_until_us, std::nullopt);
  if (stored.included) {
    make_changed_sessions(open, stored, changes, change);
    return;
  }
  std::string rows = query_.rows_sql(change.whole_sql, joined_.sql);
  if (closed_until_us) {
    const std::string scan = lake::scan_sql(*stored.table, stored.files);
    connection_->execute(create(kClosed, open.closed_intervals_sql(scan, "")));
    rows = open.rows_in_intervals_sql(rows, "", kClosed);
  }
  connection_->execute(create(kMade, open.made_sessions_sql(rows, "")));
}

void IncrementalView::make_closing_sessions(const lake::Table& source, const Stored& stored,
                                            const std::string& changes, Change& change) {
  ClosingSessions::Rows rows{change.whole_sql, joined_.sql};
  std::vector<DataFile> before;
  if (stored.included) {
    rows.changes = changes;
    if (!change.source.only_came()) {
      before = collaborators_.catalog.files(source, stored.included);
      rows.before = format("({})", lake::scan_sql(source, before));
    }
  }
  ClosingSessions(*connection_, query_)
      .make(rows, {*stored.table, stored.files}, stored.event_time, change.event_time);
}

void IncrementalView::make_changed_sessions(const ViewQuery& open, const Stored& stored,
                                            const std::string& changes, Change& change) {
  const lake::Schema& schema = stored.table->metadata.current_schema();
  connection_->execute(create(kPoints, open.session_points_sql(changes)));
  if (connection_->query_integer(format("SELECT count(*) FROM {}", kPoints)) > 0) {
    change.affected = files_to_rewrite(
        stored.files, ranges_of_sessions(schema, {kPoints, ViewQuery::kPlace, ViewQuery::kPlace,
                                                  query_.window()->session_gap_us}));
  }
  change.removed = change.affected;
  const std::string scan = lake::scan_sql(*stored.table, change.affected);
  connection_->execute(create(kAffectedSessions, open.affected_sessions_sql(scan, kPoints)));
  connection_->execute(create(kIntervals, open.session_intervals_sql(kAffectedSessions, kPoints)));
  const std::string closed = closed_near(open, stored);
  connection_->execute(
      create(kMade, open.made_sessions_sql(
                        open.rows_in_intervals_sql(query_.rows_sql(change.whole_sql, joined_.sql),
                                                   kIntervals, closed),
                        kAffectedSessions)));
  if (closed.empty()) return;
  change.event_time.late_changes +=
      connection_->query_integer(open.late_rows_sql(changes, kMade, kAffectedSessions, closed));
}

// The closed sessions in the intervals: they keep their rows. Empty: nothing is closed.
std::string IncrementalView::closed_near(const ViewQuery& open, const Stored& stored) {
  if (!stored.event_time.closed_until_us) return "";
  const std::vector<KeyRange> ranges = ranges_of_sessions(stored.table->metadata.current_schema(),
                                                          {kIntervals, "__first", "__last", 0});
  std::vector<DataFile> files;
  for (const DataFile& file : stored.files) {
    if (may_hold(file, ranges)) files.push_back(file);
  }
  connection_->execute(
      create(kClosed, open.closed_intervals_sql(lake::scan_sql(*stored.table, files), kIntervals)));
  return kClosed;
}

// What begins by the last place and ends after the first one.
std::vector<KeyRange> IncrementalView::ranges_of_sessions(const lake::Schema& schema,
                                                          const Places& places) {
  std::vector<KeyRange> ranges;
  for (const auto& [key, name] : query_.session_keys()) {
    const lake::Field* field = schema.find(key.name);
    if (field == nullptr || field->type.is_nested()) continue;
    const auto row = connection_
                         ->query_rows(format("SELECT min({0}), max({0}), count(*) > count({0}) "
                                             "FROM {1}",
                                             name, places.table))
                         .at(0);
    ranges.push_back({field, row[0], row[1], row[2] == "true"});
  }
  const Window& window = *query_.window();
  const auto row =
      connection_
          ->query_rows(ViewQuery::range_of_places_sql(places.table, places.first, places.last))
          .at(0);
  const bool has_null = row[2] == "true";
  const auto text_of = [&](const std::optional<std::string>& place, int64_t later_us,
                           const std::string& key) -> std::optional<std::string> {
    if (!place) return std::nullopt;
    return connection_->query_value(format("SELECT CAST(make_timestamp({} + {}) AS {})", *place,
                                           later_us, query_.type_of_key(key)));
  };
  ranges.push_back({schema.find(window.key), std::nullopt,
                    text_of(row[1], places.gap_us, window.key), has_null, true});
  ranges.push_back({schema.find(window.end_key), text_of(row[0], 0, window.end_key), std::nullopt,
                    has_null, true});
  return ranges;
}

std::vector<DataFile> IncrementalView::write_sessions(const Stored& stored, const Change& change) {
  if (is_emitted_on_close()) {
    const auto until_us = change.event_time.closed_until_us;
    if (change.source.is_empty() || !until_us) return {};
    return write_rows(*stored.table, ClosingSessions(*connection_, query_).over_sql(*until_us));
  }
  const auto closed_until_us = stored.event_time.closed_until_us;
  const std::string scan = lake::scan_sql(*stored.table, change.removed);
  std::vector<std::string> rows;
  if (!change.source.is_empty()) {
    rows.push_back(query_.stored_sql(format("SELECT * FROM {}", kMade)));
  }
  if (stored.included && !change.source.is_empty()) {
    rows.push_back(format("SELECT s.* FROM ({}) s ANTI JOIN {} a ON {}", scan, kAffectedSessions,
                          query_.same_keys("s", "a")));
  } else if (closed_until_us && !change.removed.empty()) {
    rows.push_back(query_.ended_rows_sql(scan, *closed_until_us));
  }
  if (rows.empty()) return {};
  return write_rows(*stored.table, format("{}", join(rows, " UNION ALL ")));
}

void IncrementalView::drop_sessions() {
  for (const char* table : {kPoints, kAffectedSessions, kIntervals, kClosed, kMade}) {
    connection_->execute(format("DROP TABLE IF EXISTS {}", table));
  }
  ClosingSessions(*connection_, query_).drop();
}

}  // namespace headrace::views
