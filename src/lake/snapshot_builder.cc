#include "lake/snapshot_builder.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "lake/carried_summary.h"
#include "lake/format_version.h"
#include "lake/name_mapping.h"
#include "lake/partition_change.h"
#include "lake/row_lineage.h"
#include "lake/schema_change.h"
#include "lake/snapshot_summary.h"
#include "lake/sort_order.h"

namespace headrace::lake {
namespace {

// What goes, of data or of deletes.
struct Going {
  std::set<std::string> files = {};       // by identity
  std::set<std::string> data_files = {};  // by path: in format 3 their deletion vectors go along

  bool is_empty() const { return files.empty() && data_files.empty(); }
  bool holds(const DataFile& file) const {
    return files.contains(file.identity()) ||
           (file.is_deletion_vector() && data_files.contains(*file.referenced_data_file));
  }
};

bool holds_any(const ManifestEntries& entries, const Going& going) {
  return std::any_of(entries.begin(), entries.end(), [&](const ManifestEntry& entry) {
    return entry.status != EntryStatus::kDeleted && going.holds(entry.file);
  });
}

// Manifests are merged with those of about their own size, so that an entry is rewritten only a
// few times however many commits there are.
int size_level(const ManifestFile& manifest, int64_t base) {
  int level = 0;
  for (int64_t files = manifest.live_files(); files >= base; files /= base) ++level;
  return level;
}

void log_snapshot(TableMetadata& metadata, const Snapshot& snapshot) {
  metadata.snapshot_log.push_back({snapshot.timestamp_ms, snapshot.snapshot_id});
  metadata.refs[kMainBranch] =
      JsonObject{{"snapshot-id", snapshot.snapshot_id}, {"type", "branch"}};
}

}  // namespace

SnapshotBuilder::SnapshotBuilder(TableFiles& files, const TableChange& change,
                                 SnapshotId snapshot_id, int merge_manifests_at)
    : files_(files),
      change_(change),
      snapshot_id_(snapshot_id),
      merge_manifests_at_(std::max(merge_manifests_at, 2)) {}

bool SnapshotBuilder::makes_snapshot() const {
  return !change_.added.empty() || !change_.removed.empty() || !change_.summary.empty();
}

TableMetadata SnapshotBuilder::apply_to(const Table& current, int64_t now_ms) {
  attempt_files_.clear();
  check_still_applies(current);
  TableMetadata metadata = current.metadata;
  for (const auto& [key, value] : change_.set_properties) metadata.properties[key] = value;
  if (change_.new_schema) apply_schema(metadata);
  if (change_.format_version) {
    upgrade_format(metadata, *change_.format_version, "altering " + current.identifier.to_string());
  }
  if (change_.sort_by) set_sort_order(metadata, *change_.sort_by);
  if (change_.new_partition_by) set_partitioning(metadata, *change_.new_partition_by);
  const int64_t previous_update_ms = metadata.last_updated_ms;
  metadata.last_updated_ms = std::max(now_ms, previous_update_ms);
  if (makes_snapshot()) add_snapshot(metadata, metadata.last_updated_ms);
  metadata.metadata_log.push_back(JsonObject{{"timestamp-ms", previous_update_ms},
                                             {"metadata-file", current.metadata_location}});
  keep_snapshot_texts(metadata);
  return metadata;
}

void SnapshotBuilder::check_still_applies(const Table& current) const {
  const std::string name = current.identifier.to_string();
  if (change_.base->metadata.table_uuid != current.metadata.table_uuid) {
    fail(ErrorKind::kConflict, "committing to {}: the table was dropped and created again", name);
  }
  const Snapshot* snapshot = current.metadata.current_snapshot();
  if (change_.only_on_base &&
      change_.base->metadata.current_snapshot_id != current.metadata.current_snapshot_id) {
    fail(ErrorKind::kConflict,
         "committing to {}: its rows were changed meanwhile, and the change deletes rows by their "
         "position",
         name);
  }
  for (const auto& [key, expected] : change_.expected_summary) {
    std::optional<std::string> found;
    if (snapshot != nullptr) {
      const auto entry = snapshot->summary.find(key);
      if (entry != snapshot->summary.end()) found = entry->second;
    }
    if (found == expected) continue;
    fail(ErrorKind::kConflict,
         "committing to {}: its current snapshot has {} = {}, not {}; another writer was there "
         "first",
         name, key, found.value_or("(absent)"), expected.value_or("(absent)"));
  }
  check_deletes(current);
  if (change_.new_schema &&
      change_.base->metadata.current_schema_id != current.metadata.current_schema_id) {
    fail(ErrorKind::kConflict, "changing the columns of {}: they were changed meanwhile", name);
  }
}

// Deletes are written for the format that the table had then.
void SnapshotBuilder::check_deletes(const Table& current) const {
  const bool takes_vectors = current.metadata.format_version >= 3;
  for (const DataFile& file : change_.added) {
    if (file.content != FileContent::kPositionDeletes) continue;
    if (file.is_deletion_vector() == takes_vectors) continue;
    fail(
        ErrorKind::kConflict,
        "committing to {}: its format version is {} by now, and the change deletes rows in the way "
        "of another one",
        current.identifier.to_string(), current.metadata.format_version);
  }
}

void SnapshotBuilder::apply_schema(TableMetadata& metadata) const {
  Schema schema = changed_schema(metadata, *change_.new_schema);
  metadata.last_column_id = std::max(metadata.last_column_id, schema.highest_field_id());
  metadata.current_schema_id = schema.schema_id;
  metadata.properties[kNameMappingProperty] = name_mapping(schema);
  metadata.schemas.push_back(std::move(schema));
}

void SnapshotBuilder::add_snapshot(TableMetadata& metadata, int64_t now_ms) {
  Snapshot snapshot;
  snapshot.snapshot_id = snapshot_id_;
  snapshot.parent_snapshot_id = metadata.current_snapshot_id;
  snapshot.sequence_number = metadata.last_sequence_number + 1;
  snapshot.timestamp_ms = now_ms;
  snapshot.schema_id = metadata.current_schema_id;
  ManifestList manifests = added_manifests(metadata);
  ManifestList kept = kept_manifests(metadata, snapshot);
  manifests.insert(manifests.end(), kept.begin(), kept.end());
  for (ManifestFile& manifest : manifests) {
    // What this snapshot wrote has no sequence number yet.
    if (manifest.added_snapshot_id != snapshot_id_) continue;
    manifest.sequence_number = snapshot.sequence_number;
    if (manifest.min_sequence_number == 0) {
      manifest.min_sequence_number = snapshot.sequence_number;
    }
  }
  carry_summary(metadata.current_snapshot(), snapshot);
  if (metadata.format_version >= 3) {
    assign_row_ids(manifests, metadata.next_row_id, snapshot);
    metadata.next_row_id += *snapshot.added_rows;
  }
  snapshot.manifest_list = files_.write_manifest_list(metadata, snapshot, std::move(manifests));
  attempt_files_.push_back(snapshot.manifest_list);
  metadata.last_sequence_number = snapshot.sequence_number;
  metadata.current_snapshot_id = snapshot_id_;
  log_snapshot(metadata, snapshot);
  metadata.snapshots.push_back(std::move(snapshot));
}

// Added files are written into manifests once, at the first attempt.
ManifestList SnapshotBuilder::added_manifests(const TableMetadata& metadata) {
  if (added_.empty() && !change_.added.empty()) {
    std::map<std::pair<int, ManifestContent>, ManifestEntries> groups;
    for (const DataFile& file : change_.added) {
      groups[{file.spec_id, manifest_content_of(file.content)}].push_back(
          {EntryStatus::kAdded, snapshot_id_, 0, 0, file});
    }
    for (auto& [group, entries] : groups) {
      ManifestFile manifest = files_.write_manifest(metadata, group.first, std::move(entries));
      manifest.added_snapshot_id = snapshot_id_;
      added_.emplace(group, std::move(manifest));
    }
  }
  ManifestList manifests;
  for (const auto& [group, manifest] : added_) manifests.push_back(manifest);
  return manifests;
}

ManifestList SnapshotBuilder::kept_manifests(const TableMetadata& metadata, Snapshot& snapshot) {
  const Snapshot* parent = metadata.current_snapshot();
  std::set<std::string> missing;
  std::map<ManifestContent, Going> to_remove;
  for (const DataFile& file : change_.removed) {
    missing.insert(file.identity());
    to_remove[manifest_content_of(file.content)].files.insert(file.identity());
    if (metadata.format_version >= 3 && file.content == FileContent::kData) {
      to_remove[ManifestContent::kDeletes].data_files.insert(file.path);
    }
  }
  std::vector<const DataFile*> removed;
  std::vector<ManifestEntriesPtr> in_use;  // what `removed` points into
  ManifestList rewritten;
  ManifestList kept;
  if (parent != nullptr) {
    for (const auto list = files_.manifest_list(*parent); const ManifestFile& manifest : *list) {
      if (manifest.live_files() == 0) continue;
      const Going& going = to_remove[manifest.content];
      if (going.is_empty()) {
        kept.push_back(manifest);
        continue;
      }
      ManifestEntriesPtr entries = files_.manifest(metadata, manifest);
      if (!holds_any(*entries, going)) {
        kept.push_back(manifest);
        continue;
      }
      rewritten.push_back(without(
          metadata, manifest, *entries,
          [&](const DataFile& file) {
            missing.erase(file.identity());
            return going.holds(file);
          },
          removed));
      in_use.push_back(std::move(entries));
    }
  }
  if (!missing.empty()) {
    fail(ErrorKind::kConflict, "committing to {}: the file {} that it replaces is gone already",
         change_.base->identifier.to_string(), *missing.begin());
  }
  snapshot.summary = make_summary(change_, removed, parent);
  kept = merged(metadata, std::move(kept));
  rewritten.insert(rewritten.end(), kept.begin(), kept.end());
  return rewritten;
}

ManifestFile SnapshotBuilder::without(const TableMetadata& metadata, const ManifestFile& manifest,
                                      const ManifestEntries& entries,
                                      const std::function<bool(const DataFile&)>& goes,
                                      std::vector<const DataFile*>& removed) {
  ManifestEntries remaining;
  int64_t least_sequence_number = 0;
  for (const ManifestEntry& entry : entries) {
    if (entry.status == EntryStatus::kDeleted) continue;
    ManifestEntry next = entry;
    next.status = EntryStatus::kExisting;
    if (goes(entry.file)) {
      next.status = EntryStatus::kDeleted;
      next.snapshot_id = snapshot_id_;
      removed.push_back(&entry.file);
    } else if (least_sequence_number == 0 || entry.sequence_number < least_sequence_number) {
      least_sequence_number = entry.sequence_number;
    }
    remaining.push_back(std::move(next));
  }
  ManifestFile result = files_.write_manifest(metadata, manifest.spec_id, std::move(remaining));
  attempt_files_.push_back(result.path);
  result.added_snapshot_id = snapshot_id_;
  result.min_sequence_number = least_sequence_number;
  return result;
}

ManifestList SnapshotBuilder::merged(const TableMetadata& metadata, ManifestList manifests) {
  // By content, spec and size.
  std::map<std::tuple<ManifestContent, int, int>, ManifestList> groups;
  ManifestList result;
  for (ManifestFile& manifest : manifests) {
    const int level = size_level(manifest, merge_manifests_at_);
    groups[{manifest.content, manifest.spec_id, level}].push_back(std::move(manifest));
  }
  for (auto& [key, group] : groups) {
    if (static_cast<int>(group.size()) >= merge_manifests_at_) {
      result.push_back(merge(metadata, group));
    } else {
      result.insert(result.end(), group.begin(), group.end());
    }
  }
  return result;
}

ManifestFile SnapshotBuilder::merge(const TableMetadata& metadata, const ManifestList& group) {
  ManifestEntries all;
  int64_t least_sequence_number = 0;
  for (const ManifestFile& manifest : group) {
    const ManifestEntriesPtr entries = files_.manifest(metadata, manifest);
    for (const ManifestEntry& entry : *entries) {
      if (entry.status == EntryStatus::kDeleted) continue;
      all.push_back(entry);
      all.back().status = EntryStatus::kExisting;
      if (least_sequence_number == 0 || entry.sequence_number < least_sequence_number) {
        least_sequence_number = entry.sequence_number;
      }
    }
  }
  ManifestFile result = files_.write_manifest(metadata, group.front().spec_id, std::move(all));
  attempt_files_.push_back(result.path);
  result.added_snapshot_id = snapshot_id_;
  result.min_sequence_number = least_sequence_number;
  return result;
}

std::vector<std::string> SnapshotBuilder::added_manifest_paths() const {
  std::vector<std::string> paths;
  for (const auto& [group, manifest] : added_) paths.push_back(manifest.path);
  return paths;
}

}  // namespace headrace::lake
