// Which data files a snapshot has, and which came with it.

#include <algorithm>

#include "base/error.h"
#include "lake/delete_assignment.h"
#include "lake/store_catalog.h"
#include "lake/table_changes.h"

namespace headrace::lake {
namespace {

const Snapshot& snapshot_of(const Table& table, SnapshotId id) {
  const Snapshot* snapshot = table.metadata.snapshot(id);
  if (snapshot != nullptr) return *snapshot;
  fail(ErrorKind::kNotFound, "reading {}: snapshot {} does not exist or has expired",
       table.identifier.to_string(), id);
}

bool is_replacement(const Snapshot& snapshot) {
  const auto operation = snapshot.summary.find("operation");
  return operation != snapshot.summary.end() && operation->second == "replace";
}

}  // namespace

std::vector<DataFile> StoreCatalog::files(const Table& table, std::optional<SnapshotId> snapshot) {
  std::vector<DataFile> result;
  const std::optional<SnapshotId> id = snapshot ? snapshot : table.metadata.current_snapshot_id;
  if (!id) return result;
  const Snapshot& of = snapshot_of(table, *id);
  result = live_files(table, of, ManifestContent::kData);
  assign_deletes(table, result, live_files(table, of, ManifestContent::kDeletes));
  return result;
}

ManifestListPtr StoreCatalog::manifests(const Table& table, SnapshotId snapshot) {
  return files_.manifest_list(snapshot_of(table, snapshot));
}

ManifestEntriesPtr StoreCatalog::entries(const Table& table, const ManifestFile& manifest) {
  return files_.manifest(table.metadata, manifest);
}

std::vector<DataFile> StoreCatalog::live_files(const Table& table, const Snapshot& snapshot,
                                               ManifestContent content) {
  std::vector<DataFile> result;
  for (const auto list = files_.manifest_list(snapshot); const ManifestFile& manifest : *list) {
    if (manifest.content != content || manifest.live_files() == 0) continue;
    for (const auto entries = files_.manifest(table.metadata, manifest);
         const ManifestEntry& entry : *entries) {
      if (entry.status != EntryStatus::kDeleted) result.push_back(entry.file);
    }
  }
  return result;
}

std::vector<DataFile> StoreCatalog::delete_files(const Table& table) {
  const Snapshot* current = table.metadata.current_snapshot();
  return current == nullptr ? std::vector<DataFile>()
                            : live_files(table, *current, ManifestContent::kDeletes);
}

std::vector<DataFile> StoreCatalog::files_added_after(const Table& table,
                                                      std::optional<SnapshotId> after) {
  if (!after) return files(table, std::nullopt);
  std::vector<DataFile> result;
  for (const Snapshot* snapshot : snapshots_after(table, *after)) {
    if (is_replacement(*snapshot)) continue;
    for (const auto list = files_.manifest_list(*snapshot); const ManifestFile& manifest : *list) {
      if (manifest.added_snapshot_id != snapshot->snapshot_id) continue;
      if (manifest.content != ManifestContent::kData || manifest.added_files == 0) continue;
      for (const auto entries = files_.manifest(table.metadata, manifest);
           const ManifestEntry& entry : *entries) {
        const bool added_here =
            entry.status == EntryStatus::kAdded && entry.snapshot_id == snapshot->snapshot_id;
        if (added_here) result.push_back(entry.file);
      }
    }
  }
  if (result.empty()) return result;
  const Snapshot& current = *table.metadata.current_snapshot();
  assign_deletes(table, result, live_files(table, current, ManifestContent::kDeletes));
  return result;
}

}  // namespace headrace::lake
