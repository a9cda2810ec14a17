#pragma once

// Reads immutable objects block by block, by way of a cache on the local disk. For objects that are
// never written again under the same name, as those of tables are. Thread use: any thread.
// Errors: those of the store.

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "objects/disk_cache.h"
#include "objects/object_store.h"

namespace headrace::objects {

inline constexpr uint64_t kBlockBytes = 1024 * 1024;

class CachedReader {
 public:
  // `cache` may be nullptr: nothing is kept.
  CachedReader(ObjectStore& store, DiskCache* cache) : store_(store), cache_(cache) {}

  uint64_t size_bytes(const std::string& uri);
  // Exactly `size` bytes; corrupt when the object ends before.
  void read_at(const std::string& uri, uint64_t offset, char* into, uint64_t size);
  std::string read(const std::string& uri);  // the whole

 private:
  uint64_t open(const std::string& uri);
  void remember(const std::string& uri, uint64_t size);
  void fetch(const std::string& uri, uint64_t size, uint64_t first, uint64_t last, uint64_t offset,
             char* into, uint64_t wanted);
  void keep(const std::string& uri, uint64_t block, std::string_view bytes);

  ObjectStore& store_;
  DiskCache* const cache_;
  std::mutex mutex_;  // of what follows
  std::map<std::string, uint64_t> sizes_;
  std::list<std::string> order_;
};

}  // namespace headrace::objects
