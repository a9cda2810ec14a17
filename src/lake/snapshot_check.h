#pragma once

// What the files of a snapshot that another engine wrote must fulfil beyond being readable: row
// ids, and deletion vectors that readers will find and apply (spec, format version 3).
//
// Life cycle: one for each snapshot; check() each manifest of its list. One thread. Errors:
// invalid, those of the object store, corrupt when a Puffin file breaks its format.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "lake/manifest.h"
#include "lake/puffin.h"
#include "objects/object_store.h"

namespace headrace::lake {

class SnapshotCheck {
 public:
  SnapshotCheck(objects::ObjectStore& objects, const TableMetadata& metadata,
                const Snapshot& snapshot)
      : objects_(objects), metadata_(metadata), snapshot_(snapshot) {}

  // Whether check() is to be given the entries of a manifest of other snapshots, too.
  bool needs_entries(const ManifestFile& manifest) const;
  void check(const ManifestFile& manifest) const;
  void check(const ManifestFile& manifest, const ManifestEntries& entries);

 private:
  void check_added(const ManifestEntry& entry);
  void check_vector(const DataFile& vector);
  const std::vector<PuffinBlob>& blobs_of(const DataFile& vector);

  objects::ObjectStore& objects_;
  const TableMetadata& metadata_;
  const Snapshot& snapshot_;
  std::set<std::string> with_vector_;                    // data files
  std::map<std::string, std::vector<PuffinBlob>> read_;  // by Puffin file
};

}  // namespace headrace::lake
