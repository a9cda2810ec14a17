#pragma once

// Memory for decompressed data, used again and again: fresh memory costs a page fault for every
// 4 KiB, which is more than the decompression itself. Thread-safe. Private to this module.

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace headrace::codec {

class BufferPool {
 public:
  // The pool of the process.
  static BufferPool& instance();

  // At least `size` bytes of any content. They return to the pool with the last reference.
  std::shared_ptr<char[]> take(size_t size);
  size_t idle_bytes() const;

 private:
  struct Block {
    std::unique_ptr<char[]> data;
    size_t capacity = 0;
  };

  Block take_idle(size_t size);
  void give_back(Block block);

  mutable std::mutex mutex_;
  std::vector<Block> idle_;
  size_t idle_bytes_ = 0;
};

}  // namespace headrace::codec
