#include "codec/buffer_pool.h"

#include <algorithm>

namespace headrace::codec {
namespace {

constexpr size_t kLeastPooledBytes = 64 * 1024;  // the allocator is good enough at smaller ones
constexpr size_t kMaxIdleBytes = 32 * 1024 * 1024;
constexpr size_t kRoundingBytes = 64 * 1024;  // so that batches of about one size share blocks

}  // namespace

BufferPool& BufferPool::instance() {
  // Never destroyed: buffers may be given back while the process ends.
  static BufferPool* const pool = new BufferPool();
  return *pool;
}

BufferPool::Block BufferPool::take_idle(size_t size) {
  std::lock_guard lock(mutex_);
  // The latest first: its memory is the likeliest to be in the processor's cache.
  for (size_t i = idle_.size(); i-- > 0;) {
    // A block much too large is left for somebody who needs it.
    if (idle_[i].capacity < size || idle_[i].capacity / 4 > size) continue;
    Block block = std::move(idle_[i]);
    idle_.erase(idle_.begin() + static_cast<ptrdiff_t>(i));
    idle_bytes_ -= block.capacity;
    return block;
  }
  return {};
}

std::shared_ptr<char[]> BufferPool::take(size_t size) {
  if (size < kLeastPooledBytes) {
    return std::shared_ptr<char[]>(
        std::make_unique_for_overwrite<char[]>(std::max<size_t>(size, 1)));
  }
  Block block = take_idle(size);
  if (block.data == nullptr) {
    block.capacity = (size / kRoundingBytes + 1) * kRoundingBytes;
    block.data = std::make_unique_for_overwrite<char[]>(block.capacity);
  }
  const size_t capacity = block.capacity;
  return {block.data.release(),
          [this, capacity](char* data) { give_back({std::unique_ptr<char[]>(data), capacity}); }};
}

void BufferPool::give_back(Block block) {
  std::lock_guard lock(mutex_);
  if (idle_bytes_ + block.capacity > kMaxIdleBytes) return;
  idle_bytes_ += block.capacity;
  idle_.push_back(std::move(block));
}

size_t BufferPool::idle_bytes() const {
  std::lock_guard lock(mutex_);
  return idle_bytes_;
}

}  // namespace headrace::codec
