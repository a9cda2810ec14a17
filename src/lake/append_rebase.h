#pragma once

// Puts appends of another engine on top of a table that has moved on since they were written: their
// manifests stay, their manifest list is written again over the table's present one. What is no
// plain append stays a conflict.
//
// Life cycle: one for one attempt of one commit. One thread.

#include <map>
#include <string>
#include <vector>

#include "lake/metadata_update.h"
#include "lake/table_files.h"

namespace headrace::lake {

class AppendRebase {
 public:
  AppendRebase(TableFiles& files, std::string table) : files_(files), table_(std::move(table)) {}

  // May the commit be tried although the main branch is not where it must be? Only when the branch
  // has moved on from there, and nothing but appends is asked for.
  static bool is_possible(const TableUpdates& updates, const TableMetadata& current);

  // `snapshot` as the next one of `metadata`. Error conflict when it is no plain append.
  Snapshot operator()(Snapshot snapshot, const TableMetadata& metadata);

  const std::vector<std::string>& written() const { return written_; }

 private:
  ManifestList own_manifests(const Snapshot& snapshot, const TableMetadata& metadata);

  TableFiles& files_;
  std::string table_;
  std::map<SnapshotId, Snapshot> originals_;  // as they were sent
  std::optional<SnapshotId> latest_;          // of those put on top
  std::vector<std::string> written_;
};

}  // namespace headrace::lake
