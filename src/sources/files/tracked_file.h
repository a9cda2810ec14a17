#pragma once

// What a files source in mode watch knows of one file, and how that stands in a position.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "sources/files/file_identity.h"
#include "sources/files/progress.h"

namespace headrace::sources {

struct TrackedFile {
  int64_t id = 0;    // grows: of two entries with one inode the higher is the present content
  std::string path;  // where it was last seen
  std::string home;  // where it was first seen: decides about its partition
  FileIdentity identity;
  int home_partition = 0;
  FileMark read;               // up to where it was read
  std::vector<FileMark> have;  // what each partition has of it
  std::vector<int> slots;      // in each partition; -1: none yet

  // Of the file as it was last seen.
  uint64_t size_bytes = 0;
  int64_t modified_micros = 0;
  Timestamp changed_at{};
  bool is_dirty = true;                    // changed since it was last read
  std::optional<Timestamp> missing_since;  // it matches the pattern no longer, or is gone
  std::shared_ptr<ReadFile> handle;        // kept so that a rotated file is read to its end
};

// Free and used position keys of one partition.
class SlotTable {
 public:
  int take();
  void take_over(int slot);
  void release(int slot) { used_[static_cast<size_t>(slot)] = false; }

 private:
  std::vector<bool> used_;
};

JsonObject to_position(const TrackedFile& file, const FileMark& mark);
// The part of a file that one partition's position tells.
struct StoredFile {
  TrackedFile file;  // id, path, home, identity
  FileMark mark;
};
StoredFile read_position(const Json& position);

}  // namespace headrace::sources
