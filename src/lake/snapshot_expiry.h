#pragma once

// Takes old snapshots out of a table's metadata, and finds the files that nothing refers to any
// more once that metadata is committed.

#include <string>
#include <vector>

#include "lake/table_files.h"

namespace headrace::lake {

struct Expired {
  SnapshotList snapshots;                   // oldest first
  std::vector<std::string> metadata_files;  // beyond those to be kept
};

// Changes `metadata` (which is about to be committed) by the catalog's options. Snapshots that a
// branch or tag points to stay.
Expired expire(TableMetadata& metadata, const CatalogOptions& options, int64_t now_ms);

// After the commit of `metadata`: removes, as far as it can, the manifest lists, manifests and data
// files that only expired snapshots referred to, and old metadata files. Leaves the files of tables
// with a branched history and of those with gc.enabled=false. Returns how many go.
size_t remove_expired_files(TableFiles& files, const TableMetadata& metadata,
                            const Expired& expired) noexcept;

}  // namespace headrace::lake
