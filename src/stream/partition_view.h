#pragma once

// What readers see of a partition: its durable segments and the state that goes with them. The
// writer publishes into it after each sync; readers locate batches in it and then read the mapped
// segments without a lock. Thread-safe. Private to this module.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "stream/recovery.h"

namespace headrace::stream {

class PartitionView {
 public:
  PartitionView(FileSystem& files, std::string directory, int64_t index_interval_bytes);

  // Replaces everything with what recovery found.
  void reset(const RecoveredPartition& recovered);

  // What one group of appends added to the active segment.
  struct Growth {
    Segment active;                   // as it is now; the first append of a partition makes it
    std::vector<IndexEntry> entries;  // new ones
    std::map<std::string, std::string> positions;
  };
  void grow(const Growth& growth);
  // A new active segment, empty, after the present one.
  void begin_segment(const Segment& segment);
  // Takes the oldest segment out; never the active one.
  void drop_oldest();

  std::vector<Segment> segments() const;
  Offset start_offset() const;
  Offset end_offset() const { return end_offset_.load(std::memory_order_acquire); }
  uint64_t size_bytes() const;
  std::optional<std::string> source_position(const std::string& source) const;
  std::map<std::string, std::string> source_positions() const;

  // A segment with its bytes, and where to begin in it.
  struct Place {
    Segment segment;
    std::shared_ptr<const MappedFile> mapping;  // at least segment.size_bytes
    uint64_t position = 0;                      // of a batch at or before what was sought
  };
  // For a start_offset() <= offset < end_offset(); not_found when the segment was dropped since.
  Place place_of(Offset offset) const;
  // The first segment with a timestamp at or after the given one; nullopt when there is none.
  std::optional<Place> place_of_time(int64_t timestamp_ms) const;

 private:
  // A segment that was read lately.
  struct OpenSegment {
    Offset base_offset = -1;
    std::shared_ptr<const MappedFile> mapping;
    std::shared_ptr<const SegmentIndex> index;  // of finished segments only
  };

  template <class Find>
  Place open_place(std::unique_lock<std::mutex>& lock, const Segment& segment,
                   const Find& find_position) const;
  OpenSegment open_segment(std::unique_lock<std::mutex>& lock, const Segment& segment,
                           bool is_active) const;
  void remember(const OpenSegment& segment) const;

  FileSystem& files_;
  const std::string directory_;
  const int64_t index_interval_bytes_;
  std::atomic<Offset> end_offset_{0};

  mutable std::mutex mutex_;  // guards all below
  std::vector<Segment> segments_;
  SegmentIndex active_index_;
  std::map<std::string, std::string> positions_;
  mutable std::vector<OpenSegment> recently_read_;  // latest first
};

}  // namespace headrace::stream
