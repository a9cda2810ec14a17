// One update of a view: what changed in the source, which stored files that touches, the new files
// and the commit.

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

constexpr const char* kDelta = "view_delta";      // a temporary table of the view's connection
constexpr const char* kAffected = "view_stored";  // and another

}  // namespace

IncrementalView::Change IncrementalView::plan(const lake::Table& source, Stored& stored) {
  Change change;
  for (const auto& [table, snapshot] : joined_.snapshots) {
    if (!stored.included || stored.joined[table] == snapshot) continue;
    stored.reason_to_rebuild = format("table {}, which it joins, has changed", table.to_string());
  }
  if (stored.included && stored.reason_to_rebuild.empty()) {
    try {
      change.source = lake::changes_after(collaborators_.catalog, source, stored.included,
                                          delete_reader_.loader());
      if (query_.source_kind() == SourceKind::kAppended && !change.source.only_came()) {
        stored.reason_to_rebuild = "rows of its source were changed or deleted";
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound) throw;
      stored.reason_to_rebuild = "the snapshot of its source that it includes has expired";
    }
  }
  if (!stored.reason_to_rebuild.empty()) stored.included = std::nullopt;
  if (!stored.included) {
    change.source = {collaborators_.catalog.files(source), {}, {}};
    change.removed = stored.files;
  }
  if (!stored.reason_to_rebuild.empty()) {
    telemetry::log_warning("views", "building a view anew from all rows of its source",
                           {{"view", spec_.name}, {"because", stored.reason_to_rebuild}});
  }
  if (change.source.is_empty()) return change;
  connection_->execute(format(
      "CREATE OR REPLACE TEMP TABLE {} AS {}", kDelta,
      query_.signed_delta_sql(query_.from_sql(
          format("({})", lake::changes_sql(source, change.source, kSignColumn)), joined_.sql))));
  if (stored.included) {
    change.affected = affected_files(stored);
    change.removed = change.affected;
  }
  return change;
}

std::vector<DataFile> IncrementalView::affected_files(const Stored& stored) {
  const lake::Schema& schema = stored.table->metadata.current_schema();
  std::vector<KeyRange> ranges;
  if (connection_->query_integer(format("SELECT count(*) FROM {}", kDelta)) == 0) return {};
  for (const KeyColumn& key : query_.keys()) {
    const lake::Field* field = schema.find(key.name);
    if (field == nullptr || field->type.is_nested()) continue;
    const auto rows =
        connection_->query_rows(format("SELECT min({0}), max({0}), count(*) > count({0}) FROM {1}",
                                       quote_identifier(key.name), kDelta));
    ranges.push_back({field, rows[0][0], rows[0][1], rows[0][2] == "true"});
  }
  return files_to_rewrite(stored.files, ranges);
}

std::string IncrementalView::key_order() const {
  std::vector<std::string> names;
  for (const KeyColumn& key : query_.keys()) names.push_back(quote_identifier(key.name));
  return format("{}", join(names, ", "));
}

std::vector<DataFile> IncrementalView::write_rows(const lake::Table& table,
                                                  const std::string& states) {
  lake::WriteOptions options;
  options.order_by = key_order();
  return lake::write_data_files(*connection_, collaborators_.catalog, collaborators_.files,
                                collaborators_.random, table, query_.stored_sql(states), options);
}

std::vector<DataFile> IncrementalView::write(const lake::Table& table, const Change& change) {
  if (change.source.is_empty()) return {};
  const std::string delta = format("SELECT * FROM {}", kDelta);
  if (change.affected.empty()) return write_rows(table, query_.merged_sql({delta}));
  connection_->execute(format("CREATE OR REPLACE TEMP TABLE {} AS {}", kAffected,
                              query_.stored_states_sql(lake::scan_sql(table, change.affected))));
  const std::string condition = query_.same_keys("s", "d");
  const std::string carried =
      format("SELECT * FROM {} s ANTI JOIN {} d ON {}", kAffected, kDelta, condition);
  const int64_t carried_rows =
      connection_->query_integer(format("SELECT count(*) FROM ({})", carried));
  // Many groups that are only carried over get files of their own, so that the next update of the
  // groups beside them need not write them again.
  if (carried_rows < kSmallFileRows) {
    return write_rows(table, query_.merged_sql({format("SELECT * FROM {}", kAffected), delta}));
  }
  std::vector<DataFile> written = write_rows(table, carried);
  const std::string changed =
      format("SELECT * FROM {} s SEMI JOIN {} d ON {}", kAffected, kDelta, condition);
  for (DataFile& file : write_rows(table, query_.merged_sql({changed, delta}))) {
    written.push_back(std::move(file));
  }
  return written;
}

IncrementalView::Stored IncrementalView::commit(const Stored& stored, const Change& change,
                                                lake::SnapshotId included) {
  lake::TableChange commit;
  commit.base = stored.table;
  commit.added = write(*stored.table, change);
  connection_->execute(
      format("DROP TABLE IF EXISTS {}; DROP TABLE IF EXISTS {}", kDelta, kAffected));
  commit.removed = change.removed;
  commit.operation = change.removed.empty() ? "append" : "overwrite";
  std::map<lake::TableIdentifier, lake::SnapshotId> inputs = joined_.snapshots;
  inputs[source()] = included;
  commit.summary = StoredInputs::of(inputs, query_.fingerprint()).to_summary();
  if (!stored.reason_to_rebuild.empty()) {
    commit.summary["headrace.rebuilt-because"] = stored.reason_to_rebuild;
  }
  commit.expected_summary = expected_summary(stored.table->metadata.current_snapshot());
  try {
    Stored updated{collaborators_.catalog.commit({commit}).at(0)};
    updated.files = collaborators_.catalog.files(*updated.table);
    updated.included = included;
    updated.joined = joined_.snapshots;
    return updated;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kConflict) {
      collaborators_.catalog.discard_files(commit.added);
    }
    throw;
  }
}

}  // namespace headrace::views
