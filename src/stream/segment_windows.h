#pragma once

// Bytes of remote segments, in windows of four MiB: one of them is fetched once for all who read it
// at a time, a few stay in memory, and the next one is on its way while one is read. Objects in S3
// come by way of the cache on the local disk.
//
// Life cycle: its threads begin with the first prefetch and end with it; what is being fetched then
// is waited for. Thread use: any thread. Memory: kMaxWindows windows, and those that readers hold.
// Private to this module.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "objects/cached_reader.h"
#include "objects/object_store.h"

namespace headrace::stream {

class SegmentWindows {
 public:
  static constexpr uint64_t kWindowBytes = 4 * 1024 * 1024;
  static constexpr size_t kMaxWindows = 16;

  // `cache` may be nullptr: nothing is kept on disk.
  SegmentWindows(objects::ObjectStore& store, objects::DiskCache* cache);
  ~SegmentWindows();
  SegmentWindows(const SegmentWindows&) = delete;
  SegmentWindows& operator=(const SegmentWindows&) = delete;

  struct Object {
    std::string uri;
    uint64_t size_bytes = 0;  // those that count; the object may have more
  };
  using Bytes = std::shared_ptr<const std::string>;
  // The bytes of `object` from index * kWindowBytes on. Errors: those of the store.
  Bytes window(const Object& object, uint64_t index);
  // Fetches it soon, unless there is much to fetch already.
  void prefetch(const Object& object, uint64_t index);

 private:
  struct Entry {
    std::string uri;
    uint64_t index = 0;
    std::shared_future<Bytes> bytes;
  };
  struct Wanted {
    Object object;
    uint64_t index = 0;
  };

  std::list<Entry>::iterator find(const std::string& uri, uint64_t index);
  Bytes fetch(const Object& object, uint64_t index);
  void make_room();
  void run(const std::stop_token& stop);

  objects::CachedReader folders_;  // files need no second copy on the disk
  objects::CachedReader buckets_;
  std::mutex mutex_;          // of what follows
  std::list<Entry> entries_;  // used latest first
  std::deque<Wanted> wanted_;
  std::condition_variable_any arrived_;
  std::vector<std::jthread> threads_;  // last: they use all the others
};

}  // namespace headrace::stream
