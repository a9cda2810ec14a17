#pragma once

// Finding batches in a remote segment by ranged reads. Private to this module.

#include <cstdint>
#include <memory>
#include <string_view>

#include "stream/batch_header.h"
#include "stream/segment_windows.h"

namespace headrace::stream {

// Not thread-safe; cheap to make. A cursor reads ahead: the window after the one it is in.
class RemoteCursor {
 public:
  RemoteCursor(SegmentWindows& windows, SegmentWindows::Object object)
      : windows_(windows), object_(std::move(object)) {}

  struct Found {
    BatchHeader header;
    std::string_view bytes;
    std::shared_ptr<const void> owner;  // of the bytes
  };
  // The batch that begins at byte `position`; corrupt, naming object and byte, when none does.
  // Checksums are left to who decodes it. Errors: those of the store, too.
  Found batch_at(uint64_t position);
  bool is_end(uint64_t position) const { return position >= object_.size_bytes; }

 private:
  const SegmentWindows::Bytes& open(uint64_t index);
  // `size` bytes from `position`: inside a window, or put together in `joined`.
  std::string_view bytes_at(uint64_t position, uint64_t size, SegmentWindows::Bytes& owner);

  SegmentWindows& windows_;
  const SegmentWindows::Object object_;
  uint64_t index_ = UINT64_MAX;
  SegmentWindows::Bytes window_;
};

}  // namespace headrace::stream
