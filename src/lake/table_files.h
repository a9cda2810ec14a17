#pragma once

// The metadata files of tables: reads and writes table metadata, manifest lists and manifests.
// Every file is written once, synced with its directory, and never changed, so what was read is
// kept parsed. Thread use: any thread. Errors: those of the file system, corrupt, unsupported.

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "lake/file_cache.h"
#include "lake/manifest.h"
#include "lake/table.h"

namespace headrace::lake {

class TableFiles {
 public:
  TableFiles(FileSystem& files, Random& random);

  TableMetadata read_metadata(const std::string& location);
  // Hold what these return while you look at it: another thread may have put its own into the
  // cache, or pushed it out. (A range-for over *manifest_list(…) does not hold it in C++20.)
  ManifestListPtr manifest_list(const Snapshot& snapshot);
  ManifestEntriesPtr manifest(const TableMetadata& metadata, const ManifestFile& manifest);

  // Looks at the files of a snapshot that another engine wrote: its manifest list, all manifests,
  // and what stands in its own ones. Error invalid naming what is missing or cannot be read.
  void check_snapshot(const TableMetadata& metadata, const Snapshot& snapshot);

  // Returns the location of the new file, "NNNNN-<uuid>.metadata.json" with the next number.
  std::string write_metadata(const TableMetadata& metadata, const std::string& previous_location);
  // Path, length and counts are filled in; the snapshot's and sequence number are the caller's.
  ManifestFile write_manifest(const TableMetadata& metadata, int spec_id, ManifestEntries entries);
  // Returns its location.
  std::string write_manifest_list(const TableMetadata& metadata, const Snapshot& snapshot,
                                  ManifestList manifests);

  void make_directory(const std::string& path);  // and its parents, durably
  void remove_best_effort(const std::string& uri) noexcept;

 private:
  std::string sync_marker();
  std::string metadata_path(const TableMetadata& metadata, const std::string& name) const;

  FileSystem& files_;
  Random& random_;
  FileCache<ManifestList> lists_;
  FileCache<ManifestEntries> manifests_;
};

}  // namespace headrace::lake
