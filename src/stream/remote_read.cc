#include "stream/remote_read.h"

#include <algorithm>

#include "base/error.h"
#include "stream/big_endian.h"

namespace headrace::stream {
namespace {

constexpr uint64_t kWindowBytes = SegmentWindows::kWindowBytes;

}  // namespace

const SegmentWindows::Bytes& RemoteCursor::open(uint64_t index) {
  if (index_ != index) {
    window_ = windows_.window(object_, index);
    index_ = index;
    windows_.prefetch(object_, index + 1);
  }
  return window_;
}

std::string_view RemoteCursor::bytes_at(uint64_t position, uint64_t size,
                                        SegmentWindows::Bytes& owner) {
  const uint64_t in_window = position % kWindowBytes;
  const SegmentWindows::Bytes& first = open(position / kWindowBytes);
  if (in_window + size <= first->size()) {
    owner = first;
    return std::string_view(*first).substr(in_window, size);
  }
  auto joined = std::make_shared<std::string>();
  joined->reserve(size);
  while (joined->size() < size) {
    const uint64_t at = position + joined->size();
    const SegmentWindows::Bytes& window = open(at / kWindowBytes);
    joined->append(*window, at % kWindowBytes, size - joined->size());
  }
  owner = joined;
  return *joined;
}

RemoteCursor::Found RemoteCursor::batch_at(uint64_t position) {
  const auto fail_here = [&] {
    fail(ErrorKind::kCorrupt, "reading {} at byte {}: there is no batch; restore the object",
         object_.uri, position);
  };
  const uint64_t left = object_.size_bytes - std::min(position, object_.size_bytes);
  if (left < kBatchHeaderBytes) fail_here();
  Found found;
  SegmentWindows::Bytes owner;
  const std::string_view prefix = bytes_at(position, kBatchPrefixBytes, owner);
  const auto length = load_big_endian<int32_t>(prefix.data() + 8);
  if (length < 0 || kBatchPrefixBytes + static_cast<uint64_t>(length) > left) fail_here();
  found.bytes = bytes_at(position, kBatchPrefixBytes + static_cast<uint64_t>(length), owner);
  found.owner = owner;
  const std::optional<BatchHeader> header = parse_batch_header(found.bytes);
  if (!header || header->total_bytes() != found.bytes.size()) fail_here();
  found.header = *header;
  return found;
}

}  // namespace headrace::stream
