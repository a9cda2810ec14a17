#pragma once

// The metadata files of tables: reads and writes table metadata, manifest lists and manifests.
// Every file is written once, durably, and never changed, so what was read is
// kept parsed. Thread use: any thread. Errors: those of the object store, corrupt, unsupported.

#include <memory>
#include <string>

#include "base/random.h"
#include "lake/file_cache.h"
#include "lake/file_remover.h"
#include "lake/manifest.h"
#include "lake/table.h"
#include "objects/object_store.h"

namespace headrace::lake {

class TableFiles {
 public:
  TableFiles(objects::ObjectStore& objects, Random& random, bool removes_in_background);

  TableMetadata read_metadata(const std::string& location);
  // Hold what these return while you look at it: another thread may have put its own into the
  // cache, or pushed it out. (A range-for over *manifest_list(…) does not hold it in C++20.)
  ManifestListPtr manifest_list(const Snapshot& snapshot);
  ManifestEntriesPtr manifest(const TableMetadata& metadata, const ManifestFile& manifest);

  // Looks at the files of a snapshot that another engine wrote: its manifest list, all manifests,
  // and what stands in its own ones, with what snapshot_check.h says. Error invalid naming what is
  // missing, cannot be read or breaks the format.
  void check_snapshot(const TableMetadata& metadata, const Snapshot& snapshot);

  // Returns the location of the new file, "NNNNN-<uuid>.metadata.json" with the next number.
  std::string write_metadata(const TableMetadata& metadata, const std::string& previous_location);
  // Path, length and counts are filled in; the snapshot's and sequence number are the caller's.
  ManifestFile write_manifest(const TableMetadata& metadata, int spec_id, ManifestEntries entries);
  // Returns its location.
  std::string write_manifest_list(const TableMetadata& metadata, const Snapshot& snapshot,
                                  ManifestList manifests);

  void remove_best_effort(const std::vector<std::string>& uris) noexcept;
  void remove_best_effort(const std::string& uri) noexcept { remove_best_effort(std::vector{uri}); }

  // The same of files that nothing waits for: beside the caller, if that was asked for.
  void remove_soon(const std::vector<std::string>& uris) noexcept;

 private:
  void forget(const std::vector<std::string>& uris);
  std::string sync_marker();
  static std::string metadata_uri(const TableMetadata& metadata, const std::string& name);

  objects::ObjectStore& objects_;
  Random& random_;
  FileCache<ManifestList> lists_;
  FileCache<ManifestEntries> manifests_;
  std::unique_ptr<FileRemover> remover_;  // nullptr: nothing in the background
};

}  // namespace headrace::lake
