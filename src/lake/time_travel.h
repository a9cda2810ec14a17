#pragma once

// A table as it was: which snapshot a version's name or a time means, and the columns it had.
//
// Thread use: functions without state. The results point into the table.

#include <string>
#include <vector>

#include "base/clock.h"
#include "lake/table.h"

namespace headrace::lake {

struct TableVersion {
  const Snapshot* snapshot = nullptr;
  const Schema* schema = nullptr;  // of the snapshot; of a branch the table's newest, as in Spark
};

// By the name of a branch or tag, or by a snapshot's id in digits. not_found: the message lists
// what there is.
TableVersion find_version(const Table& table, const std::string& version);
// What the main branch pointed to at that time. not_found when the table is younger, or what it was
// then has expired.
TableVersion find_version_at(const Table& table, Timestamp time);

// A branch or a tag of a table (spec, "Snapshot References").
struct SnapshotReference {
  std::string name;
  bool is_branch = false;
  SnapshotId snapshot_id = 0;
  // Its own retention, where it has one.
  std::optional<int64_t> min_snapshots_to_keep = {};  // of a branch
  std::optional<int64_t> max_snapshot_age_ms = {};    // of a branch
  std::optional<int64_t> max_ref_age_ms = {};
};
// By name. A table with a current snapshot has the branch main, even where nobody wrote it down.
std::vector<SnapshotReference> references_of(const TableMetadata& metadata);

}  // namespace headrace::lake
