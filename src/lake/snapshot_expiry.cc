#include "lake/snapshot_expiry.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "base/error.h"

namespace headrace::lake {
namespace {

std::set<SnapshotId> referenced_snapshots(const TableMetadata& metadata) {
  std::set<SnapshotId> ids;
  for (const auto& [name, ref] : metadata.refs) ids.insert(integer_member(ref, "snapshot-id"));
  if (metadata.current_snapshot_id) ids.insert(*metadata.current_snapshot_id);
  return ids;
}

bool has_id(const Json& entry, const std::set<SnapshotId>& ids) {
  const Json* id = entry.is_object() ? find_member(entry, "snapshot-id") : nullptr;
  return id != nullptr && id->is_int64() && ids.contains(id->get_int64());
}

void erase_entries(JsonArray& entries, const std::set<SnapshotId>& ids) {
  JsonArray kept;
  for (const Json& entry : entries) {
    if (!has_id(entry, ids)) kept.push_back(entry);
  }
  entries = std::move(kept);
}

// The log tells which snapshot was current when; before a gap it cannot be told.
void erase_log(std::vector<SnapshotLogEntry>& log, const std::set<SnapshotId>& ids) {
  const auto gap = std::find_if(log.rbegin(), log.rend(), [&](const SnapshotLogEntry& entry) {
    return ids.contains(entry.snapshot_id);
  });
  log.erase(log.begin(), gap.base());
}

SnapshotList expire_snapshots(TableMetadata& metadata, const CatalogOptions& options,
                              int64_t now_ms) {
  const auto keep = static_cast<size_t>(std::max(options.keep_snapshots, 1));
  const auto max = static_cast<size_t>(std::max(options.max_snapshots, options.keep_snapshots));
  const std::set<SnapshotId> referenced = referenced_snapshots(metadata);
  size_t count = metadata.snapshots.size();
  return metadata.snapshots.take_if([&](const Snapshot& snapshot) {
    const bool old = now_ms - snapshot.timestamp_ms > options.keep_snapshots_ms;
    const bool goes =
        !referenced.contains(snapshot.snapshot_id) && (count > max || (count > keep && old));
    if (goes) --count;
    return goes;
  });
}

std::vector<std::string> trim_metadata_log(TableMetadata& metadata, int keep) {
  std::vector<std::string> dropped;
  JsonArray& log = metadata.metadata_log;
  // The current file is not in its own log.
  const auto keep_entries = static_cast<size_t>(std::max(keep - 1, 1));
  if (log.size() <= keep_entries) return dropped;
  const auto excess = static_cast<std::ptrdiff_t>(log.size() - keep_entries);
  for (auto it = log.begin(); it != log.begin() + excess; ++it) {
    dropped.push_back(string_member(*it, "metadata-file"));
  }
  log.erase(log.begin(), log.begin() + excess);
  return dropped;
}

// One line of snapshots, the expired ones its oldest: then what the oldest kept one does not refer
// to, no kept one does.
bool is_linear(const TableMetadata& metadata, const Expired& expired) {
  if (metadata.refs.size() > 1 || metadata.snapshots.empty()) return false;
  SnapshotId previous = expired.snapshots.front().snapshot_id;
  const auto follows = [&previous](const Snapshot& snapshot) {
    const bool linked = snapshot.parent_snapshot_id == previous;
    previous = snapshot.snapshot_id;
    return linked;
  };
  return std::all_of(std::next(expired.snapshots.begin()), expired.snapshots.end(), follows) &&
         std::all_of(metadata.snapshots.begin(), metadata.snapshots.end(), follows);
}

bool may_remove_files(const TableMetadata& metadata) {
  const auto property = metadata.properties.find("gc.enabled");
  return property == metadata.properties.end() || property->second != "false";
}

// Data files whose removal is recorded in this manifest by the snapshot that wrote it.
void collect_removed_data(TableFiles& files, const TableMetadata& metadata,
                          const ManifestFile& manifest, std::set<std::string>& removed) {
  if (manifest.deleted_files == 0) return;
  for (const auto entries = files.manifest(metadata, manifest);
       const ManifestEntry& entry : *entries) {
    if (entry.status == EntryStatus::kDeleted && entry.snapshot_id == manifest.added_snapshot_id) {
      removed.insert(entry.file.path);
    }
  }
}

// A Puffin file stays as long as one of its deletion vectors is in use.
void keep_shared(TableFiles& files, const TableMetadata& metadata, std::set<std::string>& removed) {
  if (metadata.format_version < 3) return;
  std::set<std::string> seen;  // snapshots share most of their manifests
  for (const Snapshot& snapshot : metadata.snapshots) {
    for (const auto list = files.manifest_list(snapshot); const ManifestFile& manifest : *list) {
      if (manifest.content != ManifestContent::kDeletes || manifest.live_files() == 0) continue;
      if (!seen.insert(manifest.path).second) continue;
      for (const auto entries = files.manifest(metadata, manifest);
           const ManifestEntry& entry : *entries) {
        if (entry.status != EntryStatus::kDeleted) removed.erase(entry.file.path);
      }
    }
  }
}

std::set<std::string> unreferenced_files(TableFiles& files, const TableMetadata& metadata,
                                         const Expired& expired) {
  const Snapshot& oldest = metadata.snapshots.front();
  std::set<std::string> kept;
  std::set<std::string> unreferenced;
  const ManifestListPtr oldest_list = files.manifest_list(oldest);
  for (const ManifestFile& manifest : *oldest_list) {
    kept.insert(manifest.path);
    if (manifest.added_snapshot_id == oldest.snapshot_id) {
      collect_removed_data(files, metadata, manifest, unreferenced);
    }
  }
  for (const Snapshot& snapshot : expired.snapshots) {
    for (const auto list = files.manifest_list(snapshot); const ManifestFile& manifest : *list) {
      if (manifest.added_snapshot_id == snapshot.snapshot_id) {
        collect_removed_data(files, metadata, manifest, unreferenced);
      }
      if (!kept.contains(manifest.path)) unreferenced.insert(manifest.path);
    }
    unreferenced.insert(snapshot.manifest_list);
  }
  keep_shared(files, metadata, unreferenced);
  return unreferenced;
}

}  // namespace

Expired expire(TableMetadata& metadata, const CatalogOptions& options, int64_t now_ms) {
  Expired expired;
  expired.snapshots = expire_snapshots(metadata, options, now_ms);
  expired.metadata_files = trim_metadata_log(metadata, options.keep_metadata_files);
  if (expired.snapshots.empty()) return expired;
  std::set<SnapshotId> ids;
  for (const Snapshot& snapshot : expired.snapshots) ids.insert(snapshot.snapshot_id);
  erase_log(metadata.snapshot_log, ids);
  for (const char* statistics : {"statistics", "partition-statistics"}) {
    Json* entries = metadata.unknown.if_contains(statistics);
    if (entries != nullptr && entries->is_array()) erase_entries(entries->get_array(), ids);
  }
  return expired;
}

size_t remove_expired_files(TableFiles& files, const TableMetadata& metadata,
                            const Expired& expired) noexcept {
  if (!may_remove_files(metadata)) return 0;
  files.remove_soon(expired.metadata_files);
  size_t removed = expired.metadata_files.size();
  if (expired.snapshots.empty() || !is_linear(metadata, expired)) return removed;
  try {
    const std::set<std::string> unreferenced = unreferenced_files(files, metadata, expired);
    files.remove_soon(std::vector(unreferenced.begin(), unreferenced.end()));
    removed += unreferenced.size();
  } catch (const std::exception&) {
    // The commit stands; files that could not be told apart stay as orphans.
  }
  return removed;
}

}  // namespace headrace::lake
