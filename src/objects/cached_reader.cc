#include "objects/cached_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace headrace::objects {
namespace {

constexpr size_t kKnownSizes = 100'000;
constexpr uint64_t kMaxFetchedBlocks = 16;
// Where a Parquet file says what is in it: fetched together with the size.
constexpr uint64_t kEndBytes = 64 * 1024;
// Beside the blocks of an object: its size, and its last bytes.
constexpr uint64_t kSizeBlock = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kEndBlock = kSizeBlock - 1;

}  // namespace

void CachedReader::keep(const std::string& uri, uint64_t block, std::string_view bytes) {
  if (cache_ != nullptr) cache_->keep(uri, block, bytes);
}

void CachedReader::remember(const std::string& uri, uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (!sizes_.emplace(uri, size).second) return;
  order_.push_back(uri);
  if (order_.size() <= kKnownSizes) return;
  sizes_.erase(order_.front());
  order_.pop_front();
}

uint64_t CachedReader::open(const std::string& uri) {
  if (cache_ != nullptr) {
    const auto known = cache_->find(uri, kSizeBlock);
    uint64_t size = 0;
    if (known &&
        std::from_chars(known->data(), known->data() + known->size(), size).ec == std::errc()) {
      remember(uri, size);
      return size;
    }
  }
  const ObjectPart end = store_.get_end(uri, kEndBytes);
  const uint64_t size = end.object.size_bytes;
  keep(uri, kSizeBlock, format("{}", size));
  keep(uri, end.bytes.size() == size && size <= kBlockBytes ? 0 : kEndBlock, end.bytes);
  remember(uri, size);
  return size;
}

uint64_t CachedReader::size_bytes(const std::string& uri) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(uri);
    if (found != sizes_.end()) return found->second;
  }
  return open(uri);
}

std::string CachedReader::read(const std::string& uri) {
  std::string bytes(size_bytes(uri), '\0');
  read_at(uri, 0, bytes.data(), bytes.size());
  return bytes;
}

void CachedReader::read_at(const std::string& uri, uint64_t offset, char* into, uint64_t size) {
  const uint64_t all = size_bytes(uri);
  if (offset > all || size > all - offset) {
    fail(ErrorKind::kCorrupt, "reading {}: it has {} bytes, bytes {} to {} were wanted", uri, all,
         offset, offset + size);
  }
  if (size == 0) return;
  if (cache_ == nullptr) {
    const ObjectPart part = store_.get_range(uri, offset, size);
    if (part.bytes.size() != size) {
      fail(ErrorKind::kCorrupt, "reading {}: it has become shorter", uri);
    }
    std::memcpy(into, part.bytes.data(), size);
    return;
  }
  if (all - offset <= kEndBytes && all > kEndBytes) {
    const auto end = cache_->find(uri, kEndBlock);
    if (end && end->size() == kEndBytes) {
      std::memcpy(into, end->data() + (kEndBytes - (all - offset)), size);
      return;
    }
  }
  const uint64_t last = (offset + size - 1) / kBlockBytes;
  for (uint64_t block = offset / kBlockBytes; block <= last;) {
    // Blocks that are missing side by side are fetched at once.
    uint64_t missing = block;
    std::optional<std::string> found;
    while (missing <= last && missing - block < kMaxFetchedBlocks &&
           !(found = cache_->find(uri, missing))) {
      ++missing;
    }
    if (missing > block) fetch(uri, all, block, missing - 1, offset, into, size);
    if (found) {
      const uint64_t begin = missing * kBlockBytes;
      const uint64_t from = std::max(begin, offset);
      const uint64_t to = std::min({begin + kBlockBytes, offset + size, all});
      if (found->size() == std::min(kBlockBytes, all - begin)) {
        std::memcpy(into + (from - offset), found->data() + (from - begin), to - from);
      } else {
        fetch(uri, all, missing, missing, offset, into, size);
      }
      ++missing;
    }
    block = missing;
  }
}

// Fetches blocks `first` to `last`, keeps them, and copies what is wanted of them.
void CachedReader::fetch(const std::string& uri, uint64_t size, uint64_t first, uint64_t last,
                         uint64_t offset, char* into, uint64_t wanted) {
  const uint64_t begin = first * kBlockBytes;
  const uint64_t end = std::min((last + 1) * kBlockBytes, size);
  const ObjectPart part = store_.get_range(uri, begin, end - begin);
  if (part.bytes.size() != end - begin || part.object.size_bytes != size) {
    fail(ErrorKind::kCorrupt, "reading {}: it is not what it was any more: {} bytes, not {}", uri,
         part.object.size_bytes, size);
  }
  for (uint64_t block = first; block <= last; ++block) {
    keep(uri, block,
         std::string_view(part.bytes).substr((block - first) * kBlockBytes, kBlockBytes));
  }
  const uint64_t from = std::max(begin, offset);
  const uint64_t to = std::min(end, offset + wanted);
  std::memcpy(into + (from - offset), part.bytes.data() + (from - begin), to - from);
}

}  // namespace headrace::objects
