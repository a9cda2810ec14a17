#include "stream/segment_windows.h"

#include <algorithm>

#include "base/error.h"
#include "objects/uri.h"

namespace headrace::stream {
namespace {

constexpr size_t kPrefetchThreads = 2;
constexpr size_t kMaxWanted = 8;

}  // namespace

SegmentWindows::SegmentWindows(objects::ObjectStore& store, objects::DiskCache* cache)
    : folders_(store, nullptr), buckets_(store, cache) {}

SegmentWindows::~SegmentWindows() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

std::list<SegmentWindows::Entry>::iterator SegmentWindows::find(const std::string& uri,
                                                                uint64_t index) {
  return std::find_if(entries_.begin(), entries_.end(),
                      [&](const Entry& entry) { return entry.index == index && entry.uri == uri; });
}

SegmentWindows::Bytes SegmentWindows::window(const Object& object, uint64_t index) {
  std::promise<Bytes> promise;
  std::shared_future<Bytes> bytes;
  {
    const std::lock_guard lock(mutex_);
    const auto found = find(object.uri, index);
    if (found != entries_.end()) {
      bytes = found->bytes;
      entries_.splice(entries_.begin(), entries_, found);
    } else {
      entries_.push_front({object.uri, index, promise.get_future().share()});
      make_room();
    }
  }
  if (bytes.valid()) return bytes.get();
  try {
    Bytes fetched = fetch(object, index);
    promise.set_value(fetched);
    return fetched;
  } catch (const Error&) {
    {
      const std::lock_guard lock(mutex_);  // the next who asks tries again
      const auto found = find(object.uri, index);
      if (found != entries_.end()) entries_.erase(found);
    }
    promise.set_exception(std::current_exception());
    throw;
  }
}

// Those that are on their way stay: somebody waits for them, and they are few.
void SegmentWindows::make_room() {
  for (auto entry = entries_.end(); entries_.size() > kMaxWindows && entry != entries_.begin();) {
    --entry;
    if (entry->bytes.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
      entry = entries_.erase(entry);
    }
  }
}

SegmentWindows::Bytes SegmentWindows::fetch(const Object& object, uint64_t index) {
  const uint64_t begin = index * kWindowBytes;
  if (begin >= object.size_bytes) {
    fail(ErrorKind::kCorrupt, "reading {}: it ends at byte {}, and byte {} was wanted", object.uri,
         object.size_bytes, begin);
  }
  auto bytes = std::make_shared<std::string>(std::min(kWindowBytes, object.size_bytes - begin), 0);
  objects::CachedReader& reader = objects::is_s3(object.uri) ? buckets_ : folders_;
  reader.read_at(object.uri, begin, bytes->data(), bytes->size());
  return bytes;
}

void SegmentWindows::prefetch(const Object& object, uint64_t index) {
  if (index * kWindowBytes >= object.size_bytes) return;
  {
    const std::lock_guard lock(mutex_);
    if (wanted_.size() >= kMaxWanted || find(object.uri, index) != entries_.end()) return;
    wanted_.push_back({object, index});
    while (threads_.size() < kPrefetchThreads) {
      threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
    }
  }
  arrived_.notify_one();
}

void SegmentWindows::run(const std::stop_token& stop) {
  for (;;) {
    Wanted next;
    {
      std::unique_lock lock(mutex_);
      if (!arrived_.wait(lock, stop, [this] { return !wanted_.empty(); })) return;
      next = std::move(wanted_.front());
      wanted_.pop_front();
    }
    try {
      window(next.object, next.index);
    } catch (const Error&) {
      continue;  // whoever reads it will see why
    }
  }
}

}  // namespace headrace::stream
