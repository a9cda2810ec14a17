#pragma once

// Turns one table's metadata and one change of it into the metadata after the change: writes the
// manifests and the manifest list of the new snapshot. It is asked again with newer metadata when
// a commit lost the race; the snapshot id and the manifests of added files stay then.
//
// Life cycle: one for each TableChange of a commit. One thread.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lake/table_files.h"

namespace headrace::lake {

class SnapshotBuilder {
 public:
  SnapshotBuilder(TableFiles& files, const TableChange& change, SnapshotId snapshot_id,
                  int merge_manifests_at);

  // Throws conflict when the change does not apply to `current` any more.
  TableMetadata apply_to(const Table& current, int64_t now_ms);

  SnapshotId snapshot_id() const { return snapshot_id_; }
  const TableChange& change() const { return change_; }
  bool makes_snapshot() const;
  // Files written by the last apply_to() for it alone; to be removed when its commit lost.
  std::vector<std::string> take_attempt_files() { return std::move(attempt_files_); }
  // Manifests of added files, good for every attempt; to be removed when the commit failed.
  std::vector<std::string> added_manifest_paths() const;

 private:
  void check_still_applies(const Table& current) const;
  void check_deletes(const Table& current) const;
  void apply_schema(TableMetadata& metadata) const;
  void add_snapshot(TableMetadata& metadata, int64_t now_ms);
  ManifestList added_manifests(const TableMetadata& metadata);
  ManifestList kept_manifests(const TableMetadata& metadata, Snapshot& snapshot);
  ManifestFile without(const TableMetadata& metadata, const ManifestFile& manifest,
                       const ManifestEntries& entries,
                       const std::function<bool(const DataFile&)>& goes,
                       std::vector<const DataFile*>& removed);
  ManifestList merged(const TableMetadata& metadata, ManifestList manifests);
  ManifestFile merge(const TableMetadata& metadata, const ManifestList& group);

  TableFiles& files_;
  const TableChange& change_;
  const SnapshotId snapshot_id_;
  const int merge_manifests_at_;
  std::map<std::pair<int, ManifestContent>, ManifestFile> added_;  // by spec id and content
  std::vector<std::string> attempt_files_;
};

}  // namespace headrace::lake
