#pragma once

// Manifests (lists of data files) and manifest lists (a snapshot's manifests), as Avro files.
// Facts: Iceberg table spec v2 and v3, "Manifests", "Manifest Lists". Pure functions, any thread.
// Errors: corrupt when bytes break the format, unsupported for what headrace cannot read.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lake/table.h"

namespace headrace::lake {

enum class EntryStatus { kExisting = 0, kAdded = 1, kDeleted = 2 };

struct ManifestEntry {
  EntryStatus status = EntryStatus::kAdded;
  SnapshotId snapshot_id = 0;  // that added or, for deleted ones, removed the file
  int64_t sequence_number = 0;
  int64_t file_sequence_number = 0;
  DataFile file;
};
using ManifestEntries = std::vector<ManifestEntry>;
using ManifestEntriesPtr = std::shared_ptr<const ManifestEntries>;

// What a manifest list tells of the values of one partition field.
struct FieldSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan;
  std::optional<std::string> lower_bound;
  std::optional<std::string> upper_bound;
};

enum class ManifestContent { kData = 0, kDeletes = 1 };
ManifestContent manifest_content_of(FileContent content);

struct ManifestFile {
  std::string path;  // URI
  int64_t length = 0;
  int spec_id = 0;
  ManifestContent content = ManifestContent::kData;
  int64_t sequence_number = 0;
  int64_t min_sequence_number = 0;
  SnapshotId added_snapshot_id = 0;
  int64_t added_files = 0;
  int64_t existing_files = 0;
  int64_t deleted_files = 0;
  int64_t added_rows = 0;
  int64_t existing_rows = 0;
  int64_t deleted_rows = 0;
  std::optional<int64_t> first_row_id = {};  // of a data manifest, in format 3
  std::vector<FieldSummary> partitions;

  int64_t live_files() const { return added_files + existing_files; }
};
using ManifestList = std::vector<ManifestFile>;
using ManifestListPtr = std::shared_ptr<const ManifestList>;

// The entries as bytes. Sequence numbers and row ids of added entries are left out: they are
// inherited from the manifest list, so that a commit that is tried again keeps its manifests.
std::string write_manifest(const Schema& schema, const PartitionSpec& spec,
                           const ManifestEntries& entries, std::string_view sync_marker,
                           int format_version);
// `manifest` gives what the entries inherit. `schema` must hold the sources of `spec`.
ManifestEntries read_manifest(std::string_view bytes, const ManifestFile& manifest,
                              const Schema& schema, const PartitionSpec& spec);

// Content, counts and bounds of the entries, which are all of data or all of deletes; path, length,
// snapshot and sequence number are the caller's.
ManifestFile summarize(const Schema& schema, const PartitionSpec& spec,
                       const ManifestEntries& entries);

std::string write_manifest_list(const ManifestList& manifests, const Snapshot& snapshot,
                                std::string_view sync_marker, int format_version);
ManifestList read_manifest_list(std::string_view bytes);

}  // namespace headrace::lake
