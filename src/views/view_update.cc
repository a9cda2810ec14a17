// One update of a view: what changed in the source, which stored files that touches, the new files
// and the commit.

#include <set>

#include "base/error.h"
#include "lake/data_writer.h"
#include "telemetry/log.h"
#include "views/affected_files.h"
#include "views/incremental_view.h"
#include "views/stored_inputs.h"

namespace headrace::views {

using engine::quote_identifier;
using lake::DataFile;

namespace {

constexpr const char* kDelta = "view_delta";  // a temporary table of the view's connection
constexpr const char* kAffectedStored = "view_stored";  // and another
constexpr const char* kLost = "view_lost";              // groups that lost rows

}  // namespace

// Empty: it goes on from what is stored, with this change. Windows that are emitted on close are
// final, whatever becomes of their rows or of joined tables.
std::string IncrementalView::reason_to_rebuild(const lake::Table& source, const Stored& stored,
                                               Change& change) {
  for (const auto& [table, snapshot] : joined_.snapshots) {
    const auto included = stored.joined.find(table);
    if (is_emitted_on_close() ||
        (included != stored.joined.end() && included->second == snapshot)) {
      continue;
    }
    return format("table {}, which it joins, has changed", table.to_string());
  }
  try {
    change.source = lake::changes_after(collaborators_.catalog, source, stored.included,
                                        delete_reader_.loader());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
    return "the snapshot of its source that it includes has expired";
  }
  return "";
}

IncrementalView::Change IncrementalView::plan(const lake::Table& source, Stored& stored) {
  Change change;
  if (stored.included && stored.reason_to_rebuild.empty()) {
    stored.reason_to_rebuild = reason_to_rebuild(source, stored, change);
  }
  if (!stored.reason_to_rebuild.empty()) stored.included = std::nullopt;
  if (!stored.included) {
    change.source = {collaborators_.catalog.files(source), {}, {}};
    const bool stays = is_emitted_on_close() && stored.event_time.closed_until_us;
    if (!stays) change.removed = stored.files;
  }
  if (!stored.reason_to_rebuild.empty()) {
    telemetry::log_warning("views", "building a view anew from all rows of its source",
                           {{"view", spec_.name}, {"because", stored.reason_to_rebuild}});
  }
  change.event_time = stored.event_time;
  if (change.source.is_empty()) return change;
  const std::string changes = query_.rows_sql(
      format("({})", lake::changes_sql(source, change.source, kSignColumn)), joined_.sql);
  if (spec_.closing.watermark) change.event_time = event_time_after(stored, changes);
  if (is_emitted_on_close() || query_.has_sessions()) {
    change.whole = collaborators_.catalog.files(source);
    change.whole_sql = format("({})", lake::scan_sql(source, change.whole));
    if (query_.has_sessions()) make_sessions(source, stored, changes, change);
    return change;
  }
  const ViewQuery open = query_.of_windows(stored.event_time.closed_until_us, std::nullopt);
  connection_->execute(
      format("CREATE OR REPLACE TEMP TABLE {} AS {}", kDelta, open.signed_delta_sql(changes)));
  if (stored.included) {
    change.affected = affected_files(stored, change.event_time);
    change.removed = change.affected;
    if (query_.has_extremes() && !change.source.only_came()) regroup(source, open, change);
  }
  return change;
}

// A least or greatest value does not tell which one is next: groups that lost a row are made of the
// rows that are left, and take the place of what is stored of them.
void IncrementalView::regroup(const lake::Table& source, const ViewQuery& open, Change& change) {
  connection_->execute(
      format("CREATE OR REPLACE TEMP TABLE {} AS {}", kLost, query_.lost_groups_sql(kDelta)));
  change.regrouped = connection_->query_integer(format("SELECT count(*) FROM {}", kLost));
  connection_->execute(
      format("DELETE FROM {} d USING {} l WHERE {}", kDelta, kLost, query_.same_groups("d", "l")));
  if (change.regrouped == 0) return;
  const std::vector<DataFile> files = collaborators_.catalog.files(source);
  const std::string rows =
      query_.from_sql(format("({})", lake::scan_sql(source, files)), joined_.sql);
  connection_->execute(format("INSERT INTO {} {}", kDelta, open.of_groups(kLost).delta_sql(rows)));
  telemetry::log_info("views", "rows of the source went: their groups were made again",
                      {{"view", spec_.name}, {"groups", change.regrouped}});
}

// When all rows are read again, those of closed windows are not late: they were taken in.
EventTime IncrementalView::event_time_after(const Stored& stored, const std::string& changes) {
  // Which rows of sessions are late is known when the sessions are made.
  const bool counts_late = stored.included && !query_.has_sessions();
  const auto row = connection_
                       ->query_rows(query_.event_time_sql(
                           changes, counts_late ? stored.event_time.closed_until_us : std::nullopt))
                       .at(0);
  std::optional<int64_t> newest_us;
  if (row[0]) newest_us = std::stoll(*row[0]);
  return stored.event_time.after(spec_.closing, newest_us, std::stoll(row[1].value_or("0")));
}

std::vector<KeyRange> IncrementalView::ranges_of_delta(const lake::Schema& schema) {
  std::vector<KeyRange> ranges;
  for (const KeyColumn& key : query_.keys()) {
    const lake::Field* field = schema.find(key.name);
    if (field == nullptr || field->type.is_nested()) continue;
    const auto rows =
        connection_->query_rows(format("SELECT min({0}), max({0}), count(*) > count({0}) FROM {1}",
                                       quote_identifier(key.name), kDelta));
    ranges.push_back({field, rows[0][0], rows[0][1], rows[0][2] == "true"});
  }
  return ranges;
}

// The starts of windows that close and whose multisets go.
std::vector<KeyRange> IncrementalView::range_of_closing(const lake::Schema& schema,
                                                        const Stored& stored,
                                                        const EventTime& event_time) {
  const auto before_us = stored.event_time.closed_until_us;
  const auto until_us = event_time.closed_until_us;
  if (!query_.has_multiset() || !until_us || before_us == until_us) return {};
  const Window& window = *query_.window();
  const auto text_of = [&](std::optional<int64_t> time_us) {
    // Nothing was closed before: from the first year on.
    const std::string time =
        time_us ? format("make_timestamp({})", *time_us) : "TIMESTAMP '0001-01-01'";
    return connection_->query_value(
        format("SELECT CAST({} AS {})", time, query_.type_of_key(window.key)));
  };
  const std::optional<int64_t> first_us =
      before_us ? std::optional(*before_us - window.longest_us) : std::nullopt;
  return {{schema.find(window.key), text_of(first_us), text_of(until_us), false}};
}

std::vector<DataFile> IncrementalView::affected_files(const Stored& stored,
                                                      const EventTime& event_time) {
  const lake::Schema& schema = stored.table->metadata.current_schema();
  std::vector<DataFile> affected;
  if (connection_->query_integer(format("SELECT count(*) FROM {}", kDelta)) > 0) {
    affected = files_to_rewrite(stored.files, ranges_of_delta(schema));
  }
  const std::vector<KeyRange> closing = range_of_closing(schema, stored, event_time);
  if (closing.empty()) return affected;
  std::set<std::string> known;
  for (const DataFile& file : affected) known.insert(file.path);
  for (const DataFile& file : stored.files) {
    if (may_hold(file, closing) && !known.contains(file.path)) affected.push_back(file);
  }
  return affected;
}

std::string IncrementalView::key_order() const {
  std::vector<std::string> names;
  for (const KeyColumn& key : query_.keys()) names.push_back(quote_identifier(key.name));
  return format("{}", join(names, ", "));
}

std::vector<DataFile> IncrementalView::write_rows(const lake::Table& table,
                                                  const std::string& rows) {
  lake::WriteOptions options;
  options.order_by = key_order();
  return lake::write_data_files(*connection_, collaborators_.catalog, collaborators_.files,
                                collaborators_.random, table, rows, options);
}

// The windows that close with this change, from all rows of the source.
std::vector<DataFile> IncrementalView::write_closed(const Stored& stored, const Change& change) {
  const auto before_us = stored.event_time.closed_until_us;
  const auto until_us = change.event_time.closed_until_us;
  if (!until_us || before_us == until_us) return {};
  const ViewQuery closing = query_.of_windows(before_us, until_us);
  const std::string relation = closing.from_sql(format("({})", change.whole_sql), joined_.sql);
  return write_rows(*stored.table,
                    closing.stored_sql(closing.merged_sql({closing.delta_sql(relation)})));
}

std::vector<DataFile> IncrementalView::write(const Stored& stored, const Change& change) {
  if (query_.has_sessions()) return write_sessions(stored, change);
  if (is_emitted_on_close()) return write_closed(stored, change);
  const lake::Table& table = *stored.table;
  const auto closed_until_us = stored.event_time.closed_until_us;
  const auto stored_sql = [&](const std::string& states) {
    return query_.stored_sql(states, change.event_time.closed_until_us);
  };
  // Rows of closed windows go from file to file as they are.
  std::string closed;
  if (closed_until_us && !change.removed.empty()) {
    closed = query_.ended_rows_sql(lake::scan_sql(table, change.removed), *closed_until_us);
  }
  const auto with_closed = [&](const std::string& rows) {
    return closed.empty() ? rows : format("{} UNION ALL {}", rows, closed);
  };
  if (change.source.is_empty())
    return closed.empty() ? std::vector<DataFile>{} : write_rows(table, closed);
  const std::string delta = format("SELECT * FROM {}", kDelta);
  if (change.affected.empty()) {
    return write_rows(table, with_closed(stored_sql(query_.merged_sql({delta}))));
  }
  std::string open = lake::scan_sql(table, change.affected);
  if (closed_until_us) {
    open = format("SELECT * FROM ({}) WHERE NOT {}", open, query_.ended_sql(*closed_until_us));
  }
  connection_->execute(format("CREATE OR REPLACE TEMP TABLE {} AS {}", kAffectedStored,
                              query_.stored_states_sql(open)));
  if (change.regrouped > 0) {
    connection_->execute(format("DELETE FROM {} s USING {} l WHERE {}", kAffectedStored, kLost,
                                query_.same_groups("s", "l")));
  }
  const std::string condition = query_.same_keys("s", "d");
  const std::string carried = with_closed(stored_sql(
      format("SELECT * FROM {} s ANTI JOIN {} d ON {}", kAffectedStored, kDelta, condition)));
  const int64_t carried_rows =
      connection_->query_integer(format("SELECT count(*) FROM ({})", carried));
  // Many groups that are only carried over get files of their own, so that the next update of the
  // groups beside them need not write them again.
  if (carried_rows < kSmallFileRows) {
    return write_rows(table, with_closed(stored_sql(query_.merged_sql(
                                 {format("SELECT * FROM {}", kAffectedStored), delta}))));
  }
  std::vector<DataFile> written = write_rows(table, carried);
  const std::string changed =
      format("SELECT * FROM {} s SEMI JOIN {} d ON {}", kAffectedStored, kDelta, condition);
  for (DataFile& file : write_rows(table, stored_sql(query_.merged_sql({changed, delta})))) {
    written.push_back(std::move(file));
  }
  return written;
}

IncrementalView::Stored IncrementalView::commit(const Stored& stored, const Change& change,
                                                lake::SnapshotId included) {
  lake::TableChange commit;
  commit.base = stored.table;
  commit.added = write(stored, change);
  connection_->execute(
      format("DROP TABLE IF EXISTS {}; DROP TABLE IF EXISTS {}; DROP TABLE IF EXISTS {}", kDelta,
             kAffectedStored, kLost));
  drop_sessions();
  commit.removed = change.removed;
  commit.operation = change.removed.empty() ? "append" : "overwrite";
  std::map<lake::TableIdentifier, lake::SnapshotId> inputs = joined_.snapshots;
  inputs[source()] = included;
  commit.summary = StoredInputs::of(inputs, query_.fingerprint()).to_summary();
  if (spec_.closing.watermark) commit.summary[kEventTimeKey] = change.event_time.to_text();
  if (change.regrouped > 0) {
    commit.summary["headrace.regrouped"] = format("{}", change.regrouped);
  }
  if (!stored.reason_to_rebuild.empty()) {
    commit.summary["headrace.rebuilt-because"] = stored.reason_to_rebuild;
  }
  commit.expected_summary = expected_summary(stored.table->metadata.current_snapshot());
  try {
    Stored updated{collaborators_.catalog.commit({commit}).at(0)};
    updated.files = collaborators_.catalog.files(*updated.table);
    updated.included = included;
    updated.joined = joined_.snapshots;
    updated.event_time = change.event_time;
    return updated;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kConflict) {
      collaborators_.catalog.discard_files(commit.added);
    }
    throw;
  }
}

}  // namespace headrace::views
