#pragma once

// Blocks of immutable objects on the local disk, so that what was read once is not fetched again.
//
// A block is a file of its own, named by a hash of the object and the block's number, with its
// checksum behind the bytes; it is written beside and renamed. A block that is not as it was
// written is no block: it is removed and fetched again. So several processes can share a folder,
// and any of them can be killed at any time. The folder may also be removed at any time.
//
// Within `max_bytes`, the blocks that were used longest ago go first. Each process keeps count of
// what it writes, and looks at the whole folder when that is too much; so several processes stay
// within the bound together, but for what they write in between.
//
// Thread use: any thread. Errors: none: a disk that fails makes a cache that holds nothing.

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "telemetry/metrics.h"

namespace headrace::objects {

class DiskCache {
 public:
  DiskCache(FileSystem& files, std::string folder, uint64_t max_bytes, telemetry::Metrics& metrics);

  std::optional<std::string> find(const std::string& object, uint64_t block);
  void keep(const std::string& object, uint64_t block, std::string_view bytes);

 private:
  std::string path_of(const std::string& object, uint64_t block) const;
  void count(uint64_t bytes);
  void make_room();

  FileSystem& files_;
  const std::string folder_;
  const uint64_t max_bytes_;
  telemetry::Counter& hits_;
  telemetry::Counter& misses_;
  telemetry::Counter& evicted_bytes_;
  telemetry::Gauge& held_bytes_;
  std::mutex mutex_;              // of what follows
  std::optional<uint64_t> held_;  // bytes, as far as this process knows
};

}  // namespace headrace::objects
