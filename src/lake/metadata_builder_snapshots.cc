// Snapshots, branches, tags and statistics.

#include <algorithm>

#include "base/error.h"
#include "lake/carried_summary.h"
#include "lake/metadata_builder.h"

namespace headrace::lake {
namespace {

// As much as the clocks of two machines may differ: readers refuse histories that go back further.
constexpr int64_t kClockToleranceMs = 60'000;

SnapshotId snapshot_id_of(const Json& object) { return integer_member(object, "snapshot-id"); }

std::optional<SnapshotId> target_of(const JsonObject& refs, const std::string& name) {
  const Json* ref = refs.if_contains(name);
  if (ref == nullptr) return std::nullopt;
  return snapshot_id_of(*ref);
}

std::string id_text(std::optional<SnapshotId> id) { return id ? format("{}", *id) : "none"; }

}  // namespace

void MetadataBuilder::check_new_snapshot(const Snapshot& snapshot) const {
  const SnapshotId id = snapshot.snapshot_id;
  if (id <= 0 || metadata_.snapshot(id) != nullptr) {
    fail(ErrorKind::kInvalid, "committing to {}: snapshot id {} is taken or not positive", table_,
         id);
  }
  if (!snapshot.summary.contains("operation")) {
    fail(ErrorKind::kInvalid, "committing to {}: the summary of snapshot {} has no operation",
         table_, id);
  }
  if (!std::any_of(metadata_.schemas.begin(), metadata_.schemas.end(),
                   [&](const Schema& schema) { return schema.schema_id == snapshot.schema_id; })) {
    fail(ErrorKind::kInvalid, "committing to {}: snapshot {} names schema {}, which is not there",
         table_, id, snapshot.schema_id);
  }
  if (snapshot.sequence_number <= metadata_.last_sequence_number) {
    fail(ErrorKind::kConflict,
         "committing to {}: snapshot {} has sequence number {}, but {} is used already; load the "
         "table again",
         table_, id, snapshot.sequence_number, metadata_.last_sequence_number);
  }
  if (snapshot.parent_snapshot_id && metadata_.snapshot(*snapshot.parent_snapshot_id) == nullptr) {
    fail(ErrorKind::kConflict,
         "committing to {}: snapshot {} goes on from {}, which is not there any more", table_, id,
         *snapshot.parent_snapshot_id);
  }
  const int64_t latest = metadata_.snapshots.empty() ? 0 : metadata_.snapshots.back().timestamp_ms;
  if (snapshot.timestamp_ms < latest - kClockToleranceMs ||
      snapshot.timestamp_ms > now_ms_ + kClockToleranceMs) {
    fail(ErrorKind::kInvalid,
         "committing to {}: snapshot {} has the time {} ms, but here it is {} ms; set the client's "
         "clock",
         table_, id, snapshot.timestamp_ms, now_ms_);
  }
}

// Which ids the rows of a new snapshot take (spec, "Snapshot Row IDs").
void MetadataBuilder::take_row_ids(const Snapshot& snapshot) {
  if (metadata_.format_version < 3) return;
  if (!snapshot.first_row_id || !snapshot.added_rows) {
    fail(ErrorKind::kInvalid,
         "committing to {}: snapshot {} has no first-row-id or no added-rows, which format version "
         "3 requires",
         table_, snapshot.snapshot_id);
  }
  // DuckDB passes over some; what counts is that none is given twice.
  if (*snapshot.first_row_id < metadata_.next_row_id) {
    fail(ErrorKind::kConflict,
         "committing to {}: snapshot {} has first-row-id {}, but the next row id is {}; load the "
         "table again",
         table_, snapshot.snapshot_id, *snapshot.first_row_id, metadata_.next_row_id);
  }
  if (*snapshot.added_rows > INT64_MAX - *snapshot.first_row_id) {
    fail(ErrorKind::kInvalid, "committing to {}: snapshot {} adds {} rows, more than there are ids",
         table_, snapshot.snapshot_id, *snapshot.added_rows);
  }
  metadata_.next_row_id = *snapshot.first_row_id + *snapshot.added_rows;
}

void MetadataBuilder::add_snapshot(Snapshot snapshot) {
  if (snapshot.schema_id < 0) snapshot.schema_id = metadata_.current_schema_id;
  if (rebase_) snapshot = rebase_(std::move(snapshot), metadata_);
  check_new_snapshot(snapshot);
  take_row_ids(snapshot);
  const auto view = metadata_.properties.find("headrace.view");
  if (view != metadata_.properties.end() && snapshot.summary.at("operation") != "replace") {
    fail(ErrorKind::kDenied,
         "committing to {}: its rows are kept by view '{}'; write to another table, or take the "
         "property headrace.view off it when there is no such view any more",
         table_, view->second);
  }
  // A table that is replaced has no parent; who writes it goes on from where they stood all the
  // same.
  const Snapshot* before = snapshot.parent_snapshot_id
                               ? metadata_.snapshot(*snapshot.parent_snapshot_id)
                               : (base_ != nullptr ? base_->current_snapshot() : nullptr);
  carry_summary(before, snapshot);
  metadata_.last_sequence_number = snapshot.sequence_number;
  metadata_.last_updated_ms = std::max(metadata_.last_updated_ms, snapshot.timestamp_ms);
  added_snapshots_.insert(snapshot.snapshot_id);
  metadata_.snapshots.push_back(std::move(snapshot));
}

// A snapshot that this commit adds must go on from what the branch pointed to.
void MetadataBuilder::check_follows(const Snapshot& snapshot,
                                    std::optional<SnapshotId> before) const {
  if (!added_snapshots_.contains(snapshot.snapshot_id) || !before) return;
  std::optional<SnapshotId> at = snapshot.parent_snapshot_id;
  while (at && at != before && added_snapshots_.contains(*at)) {
    at = metadata_.snapshot(*at)->parent_snapshot_id;
  }
  if (at == before) return;
  fail(ErrorKind::kConflict,
       "committing to {}: snapshot {} goes on from {}, but the table is at {}; load it again",
       table_, snapshot.snapshot_id, id_text(at), *before);
}

void MetadataBuilder::make_current(const Snapshot& snapshot) {
  metadata_.current_snapshot_id = snapshot.snapshot_id;
  const bool is_new = added_snapshots_.contains(snapshot.snapshot_id);
  was_current_.insert(snapshot.snapshot_id);
  metadata_.snapshot_log.push_back(
      {is_new ? snapshot.timestamp_ms : metadata_.last_updated_ms, snapshot.snapshot_id});
}

void MetadataBuilder::set_ref(const std::string& name, JsonObject ref) {
  const SnapshotId id = snapshot_id_of(ref);
  const Snapshot* snapshot = metadata_.snapshot(id);
  if (snapshot == nullptr) {
    fail(ErrorKind::kInvalid, "committing to {}: \"{}\" cannot point to snapshot {}: there is none",
         table_, name, id);
  }
  const std::string type = string_member(ref, "type");
  if ((type != "branch" && type != "tag") || (name == kMainBranch && type != "branch")) {
    fail(ErrorKind::kInvalid, "committing to {}: \"{}\" cannot be a {}", table_, name, type);
  }
  if (rebase_ && !added_snapshots_.contains(id)) {
    fail(ErrorKind::kConflict, "committing to {}: it has moved on from snapshot {}", table_, id);
  }
  const std::optional<SnapshotId> before = target_of(metadata_.refs, name);
  if (type == "branch") check_follows(*snapshot, before);
  if (name == kMainBranch && before != id) make_current(*snapshot);
  metadata_.refs[name] = std::move(ref);
}

void MetadataBuilder::remove_ref(const std::string& name) {
  metadata_.refs.erase(name);
  if (name != kMainBranch) return;
  metadata_.current_snapshot_id.reset();
  metadata_.snapshot_log.clear();
  keeps_rows_ = false;
}

void MetadataBuilder::remove_snapshots(const std::set<SnapshotId>& ids) {
  for (const auto& [name, ref] : metadata_.refs) {
    if (!ids.contains(snapshot_id_of(ref))) continue;
    fail(ErrorKind::kInvalid, "committing to {}: snapshot {} cannot go, \"{}\" points to it",
         table_, snapshot_id_of(ref), std::string(name));
  }
  metadata_.snapshots.take_if(
      [&](const Snapshot& snapshot) { return ids.contains(snapshot.snapshot_id); });
  removed_snapshots_.insert(ids.begin(), ids.end());
  for (const char* kind : {"statistics", "partition-statistics"}) {
    for (const SnapshotId id : ids) remove_statistics(kind, id);
  }
}

// The log says which snapshot was current when: not those that were so only within this commit, and
// nothing from before a gap.
void MetadataBuilder::tidy_snapshot_log() {
  std::vector<SnapshotLogEntry> kept;
  for (const SnapshotLogEntry& entry : metadata_.snapshot_log) {
    const SnapshotId id = entry.snapshot_id;
    if (was_current_.contains(id) && metadata_.current_snapshot_id != id) continue;
    if (removed_snapshots_.contains(id)) {
      kept.clear();
    } else {
      kept.push_back(entry);
    }
  }
  metadata_.snapshot_log = std::move(kept);
}

void MetadataBuilder::set_statistics(const std::string& kind, JsonObject statistics) {
  const SnapshotId id = snapshot_id_of(statistics);
  if (metadata_.snapshot(id) == nullptr) {
    fail(ErrorKind::kInvalid, "committing to {}: {} of snapshot {}, which is not there", table_,
         kind, id);
  }
  remove_statistics(kind, id);
  Json& all = metadata_.unknown[kind];
  if (!all.is_array()) all = JsonArray();
  all.get_array().push_back(std::move(statistics));
}

void MetadataBuilder::remove_statistics(const std::string& kind, SnapshotId snapshot_id) {
  Json* all = metadata_.unknown.if_contains(kind);
  if (all == nullptr || !all->is_array()) return;
  JsonArray kept;
  for (const Json& entry : all->get_array()) {
    if (snapshot_id_of(entry) != snapshot_id) kept.push_back(entry);
  }
  *all = std::move(kept);
}

}  // namespace headrace::lake
