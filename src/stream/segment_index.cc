#include "stream/segment_index.h"

#include <algorithm>

#include "stream/big_endian.h"

namespace headrace::stream {
namespace {

std::string encode_pair(int64_t first, int64_t second) {
  std::string bytes(kIndexEntryBytes, '\0');
  store_big_endian<int64_t>(bytes.data(), first);
  store_big_endian<int64_t>(bytes.data() + 8, second);
  return bytes;
}

bool is_ascending(const IndexEntry& before, const IndexEntry& after) {
  return before.offset < after.offset && before.position < after.position &&
         before.max_timestamp_before_ms <= after.max_timestamp_before_ms;
}

}  // namespace

uint64_t SegmentIndex::position_at_or_before(Offset offset) const {
  const auto after = std::upper_bound(
      entries_.begin(), entries_.end(), offset,
      [](Offset sought, const IndexEntry& entry) { return sought < entry.offset; });
  return after == entries_.begin() ? 0 : std::prev(after)->position;
}

uint64_t SegmentIndex::position_before_time(int64_t timestamp_ms) const {
  const auto after = std::partition_point(
      entries_.begin(), entries_.end(),
      [&](const IndexEntry& entry) { return entry.max_timestamp_before_ms < timestamp_ms; });
  return after == entries_.begin() ? 0 : std::prev(after)->position;
}

void IndexSpacing::resume(uint64_t last_entry_position, int64_t max_timestamp_ms) {
  last_entry_position_ = last_entry_position;
  max_timestamp_ms_ = max_timestamp_ms;
}

std::optional<IndexEntry> IndexSpacing::next(const BatchHeader& batch, uint64_t position) {
  std::optional<IndexEntry> entry;
  if (position - last_entry_position_ >= static_cast<uint64_t>(interval_bytes_)) {
    entry = IndexEntry{batch.base_offset, position, max_timestamp_ms_};
    last_entry_position_ = position;
  }
  max_timestamp_ms_ = std::max(max_timestamp_ms_, batch.max_timestamp_ms);
  return entry;
}

std::string encode_offset_entry(const IndexEntry& entry) {
  return encode_pair(entry.offset, static_cast<int64_t>(entry.position));
}

std::string encode_time_entry(const IndexEntry& entry) {
  return encode_pair(entry.max_timestamp_before_ms, entry.offset);
}

std::string encode_time_end(Offset end_offset, int64_t max_timestamp_ms) {
  return encode_pair(max_timestamp_ms, end_offset);
}

std::optional<SegmentIndex> parse_index(std::string_view offset_file, std::string_view time_file,
                                        Offset base_offset, Offset end_offset,
                                        uint64_t segment_bytes) {
  if (offset_file.size() % kIndexEntryBytes != 0 || time_file.size() % kIndexEntryBytes != 0 ||
      time_file.size() < offset_file.size()) {
    return std::nullopt;
  }
  SegmentIndex index;
  for (size_t at = 0; at < offset_file.size(); at += kIndexEntryBytes) {
    IndexEntry entry;
    entry.offset = load_big_endian<int64_t>(offset_file.data() + at);
    entry.position = load_big_endian<uint64_t>(offset_file.data() + at + 8);
    entry.max_timestamp_before_ms = load_big_endian<int64_t>(time_file.data() + at);
    if (load_big_endian<int64_t>(time_file.data() + at + 8) != entry.offset ||
        entry.offset <= base_offset ||
        (!index.entries().empty() && !is_ascending(index.entries().back(), entry))) {
      return std::nullopt;
    }
    if (entry.offset >= end_offset || entry.position >= segment_bytes) break;
    index.add(entry);
  }
  return index;
}

std::optional<int64_t> parse_time_end(std::string_view time_file, Offset end_offset) {
  if (time_file.size() < kIndexEntryBytes || time_file.size() % kIndexEntryBytes != 0) {
    return std::nullopt;
  }
  const char* const last = time_file.data() + time_file.size() - kIndexEntryBytes;
  if (load_big_endian<int64_t>(last + 8) != end_offset) return std::nullopt;
  return load_big_endian<int64_t>(last);
}

}  // namespace headrace::stream
