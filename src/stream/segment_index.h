#pragma once

// The sparse index of a segment, by offset and by time: one entry for about every
// index_interval_bytes of log. An index is a hint: what it says is checked where it is used, and it
// is rebuilt from the segment when it is missing, torn or wrong.
//
// Not thread-safe. Private to this module; bytes: docs/formats/topic_log.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/batch_header.h"

namespace headrace::stream {

struct IndexEntry {
  Offset offset = 0;                    // the base offset of a batch
  uint64_t position = 0;                // its first byte in the segment
  int64_t max_timestamp_before_ms = 0;  // of all batches of the segment before it
};

constexpr size_t kIndexEntryBytes = 16;

class SegmentIndex {
 public:
  void add(const IndexEntry& entry) { entries_.push_back(entry); }
  const std::vector<IndexEntry>& entries() const { return entries_; }
  // The byte of a batch that is at or before the one holding `offset`.
  uint64_t position_at_or_before(Offset offset) const;
  // The byte of a batch before which all timestamps are less than `timestamp_ms`.
  uint64_t position_before_time(int64_t timestamp_ms) const;

 private:
  std::vector<IndexEntry> entries_;  // ascending in every field (the last: not descending)
};

// Decides where entries go, batch after batch.
class IndexSpacing {
 public:
  explicit IndexSpacing(int64_t interval_bytes) : interval_bytes_(interval_bytes) {}
  // For a segment that is indexed up to `last_entry` and has that maximum.
  void resume(uint64_t last_entry_position, int64_t max_timestamp_ms);
  // The entry that the batch at `position` gets, if it gets one.
  std::optional<IndexEntry> next(const BatchHeader& batch, uint64_t position);
  int64_t max_timestamp_ms() const { return max_timestamp_ms_; }

 private:
  int64_t interval_bytes_;
  uint64_t last_entry_position_ = 0;
  int64_t max_timestamp_ms_ = INT64_MIN;
};

std::string encode_offset_entry(const IndexEntry& entry);
std::string encode_time_entry(const IndexEntry& entry);
// The last entry of the time index of a finished segment: its end and its latest timestamp.
std::string encode_time_end(Offset end_offset, int64_t max_timestamp_ms);

// Joins the two files, and leaves out entries past `end_offset` and `segment_bytes`. nullopt when
// they do not fit each other.
std::optional<SegmentIndex> parse_index(std::string_view offset_file, std::string_view time_file,
                                        Offset base_offset, Offset end_offset,
                                        uint64_t segment_bytes);
// The latest timestamp of a finished segment that ends at `end_offset`, from its time index.
std::optional<int64_t> parse_time_end(std::string_view time_file, Offset end_offset);

}  // namespace headrace::stream
