// One update of a view of sessions: where rows came or went, the stored sessions that this touches,
// and the sessions that the rows of these places make now.

#include "base/format.h"
#include "views/affected_files.h"
#include "views/incremental_view.h"

namespace headrace::views {

using engine::quote_identifier;
using lake::DataFile;

namespace {

// Temporary tables of the view's connection.
constexpr const char* kPoints = "view_points";
constexpr const char* kSessions = "view_sessions";  // that are affected
constexpr const char* kIntervals = "view_intervals";

}  // namespace

void IncrementalView::find_sessions(const Stored& stored, const std::string& changes,
                                    Change& change) {
  connection_->execute(
      format("CREATE OR REPLACE TEMP TABLE {} AS {}", kPoints, query_.session_points_sql(changes)));
  if (connection_->query_integer(format("SELECT count(*) FROM {}", kPoints)) == 0) return;
  change.affected =
      files_to_rewrite(stored.files, ranges_of_sessions(stored.table->metadata.current_schema()));
  change.removed = change.affected;
}

// A session is met by a point from one gap before its start to its end.
std::vector<KeyRange> IncrementalView::ranges_of_sessions(const lake::Schema& schema) {
  std::vector<KeyRange> ranges;
  for (const auto& [key, point] : query_.session_keys()) {
    const lake::Field* field = schema.find(key.name);
    if (field == nullptr || field->type.is_nested()) continue;
    const auto row = connection_
                         ->query_rows(format("SELECT min({0}), max({0}), count(*) > count({0}) "
                                             "FROM {1}",
                                             point, kPoints))
                         .at(0);
    ranges.push_back({field, row[0], row[1], row[2] == "true"});
  }
  const Window& window = *query_.window();
  const auto row = connection_->query_rows(query_.range_of_points_sql(kPoints)).at(0);
  const bool has_null = row[2] == "true";
  const auto text_of = [&](const std::optional<std::string>& place, int64_t later_us,
                           const std::string& key) -> std::optional<std::string> {
    if (!place) return std::nullopt;
    return connection_->query_value(format("SELECT CAST(make_timestamp({} + {}) AS {})", *place,
                                           later_us, query_.type_of_key(key)));
  };
  ranges.push_back({schema.find(window.key), std::nullopt,
                    text_of(row[1], window.session_gap_us, window.key), has_null, true});
  ranges.push_back({schema.find(window.end_key), text_of(row[0], 0, window.end_key), std::nullopt,
                    has_null, true});
  return ranges;
}

std::vector<DataFile> IncrementalView::write_sessions(const Stored& stored, const Change& change) {
  if (change.source.is_empty()) return {};
  const auto made_of = [&](const std::string& rows) {
    return query_.stored_sql(query_.merged_sql({query_.delta_sql(rows)}));
  };
  if (!stored.included) return write_rows(*stored.table, made_of(change.whole_sql));
  const std::string scan = lake::scan_sql(*stored.table, change.affected);
  connection_->execute(format("CREATE OR REPLACE TEMP TABLE {} AS {}", kSessions,
                              query_.affected_sessions_sql(scan, kPoints)));
  connection_->execute(format("CREATE OR REPLACE TEMP TABLE {} AS {}", kIntervals,
                              query_.session_intervals_sql(kSessions, kPoints)));
  return write_rows(*stored.table,
                    format("SELECT s.* FROM ({}) s ANTI JOIN {} a ON {} UNION ALL {}", scan,
                           kSessions, query_.same_keys("s", "a"),
                           made_of(query_.rows_in_intervals_sql(change.whole_sql, kIntervals))));
}

void IncrementalView::drop_sessions() {
  for (const char* table : {kPoints, kSessions, kIntervals}) {
    connection_->execute(format("DROP TABLE IF EXISTS {}", table));
  }
}

}  // namespace headrace::views
