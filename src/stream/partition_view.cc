#include "stream/partition_view.h"

#include <algorithm>

#include "base/error.h"

namespace headrace::stream {
namespace {

// Mapped pages count as the process's memory: only a few segments stay mapped between reads.
constexpr size_t kMaxRecentlyRead = 2;

}  // namespace

PartitionView::PartitionView(FileSystem& files, std::string directory, int64_t index_interval_bytes)
    : files_(files),
      directory_(std::move(directory)),
      index_interval_bytes_(index_interval_bytes) {}

void PartitionView::reset(const RecoveredPartition& recovered) {
  std::lock_guard lock(mutex_);
  segments_ = recovered.segments;
  active_index_ = recovered.index;
  positions_ = recovered.state.positions;
  recently_read_.clear();
  end_offset_.store(segments_.empty() ? 0 : segments_.back().end_offset, std::memory_order_release);
}

void PartitionView::grow(const Growth& growth) {
  std::lock_guard lock(mutex_);
  if (segments_.empty()) segments_.push_back(growth.active);
  segments_.back() = growth.active;
  for (const IndexEntry& entry : growth.entries) active_index_.add(entry);
  for (const auto& [source, position] : growth.positions) positions_[source] = position;
  end_offset_.store(growth.active.end_offset, std::memory_order_release);
}

void PartitionView::begin_segment(const Segment& segment) {
  std::lock_guard lock(mutex_);
  segments_.push_back(segment);
  active_index_ = SegmentIndex();
  end_offset_.store(segment.end_offset, std::memory_order_release);
}

void PartitionView::drop_oldest() {
  std::lock_guard lock(mutex_);
  if (segments_.size() < 2) fail(ErrorKind::kInternal, "dropping the active segment");
  const Offset base_offset = segments_.front().base_offset;
  segments_.erase(segments_.begin());
  std::erase_if(recently_read_,
                [&](const OpenSegment& open) { return open.base_offset == base_offset; });
}

std::vector<Segment> PartitionView::segments() const {
  std::lock_guard lock(mutex_);
  return segments_;
}

Offset PartitionView::start_offset() const {
  std::lock_guard lock(mutex_);
  return segments_.empty() ? 0 : segments_.front().base_offset;
}

uint64_t PartitionView::size_bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.size_bytes;
  return sum;
}

std::optional<std::string> PartitionView::source_position(const std::string& source) const {
  std::lock_guard lock(mutex_);
  const auto found = positions_.find(source);
  return found == positions_.end() ? std::nullopt : std::optional(found->second);
}

std::map<std::string, std::string> PartitionView::source_positions() const {
  std::lock_guard lock(mutex_);
  return positions_;
}

void PartitionView::remember(const OpenSegment& segment) const {
  std::erase_if(recently_read_,
                [&](const OpenSegment& open) { return open.base_offset == segment.base_offset; });
  recently_read_.insert(recently_read_.begin(), segment);
  if (recently_read_.size() > kMaxRecentlyRead) recently_read_.pop_back();
}

PartitionView::OpenSegment PartitionView::open_segment(std::unique_lock<std::mutex>& lock,
                                                       const Segment& segment,
                                                       bool is_active) const {
  OpenSegment open;
  for (const OpenSegment& recent : recently_read_) {
    if (recent.base_offset == segment.base_offset) open = recent;
  }
  // The active segment grows past its mapping, and only then is mapped again. A mapping never
  // reaches past the end of its file, so reading it cannot raise SIGBUS.
  const bool is_mapped =
      open.mapping != nullptr && open.mapping->bytes().size() >= segment.size_bytes;
  if (is_mapped && (is_active || open.index != nullptr)) return open;

  lock.unlock();  // files are opened without the lock, so the writer need not wait
  open.base_offset = segment.base_offset;
  if (!is_mapped) {
    open.mapping = files_.map(segment_path(directory_, segment.base_offset, kLogSuffix));
  }
  if (!is_active && open.index == nullptr) {
    open.index = std::make_shared<const SegmentIndex>(
        load_index(files_, directory_, segment, index_interval_bytes_));
  }
  if (open.mapping->bytes().size() < segment.size_bytes) {
    fail(ErrorKind::kCorrupt, "reading {}: it has {} bytes, expected were at least {}",
         segment_path(directory_, segment.base_offset, kLogSuffix), open.mapping->bytes().size(),
         segment.size_bytes);
  }
  lock.lock();
  const bool is_kept = std::any_of(segments_.begin(), segments_.end(), [&](const Segment& kept) {
    return kept.base_offset == segment.base_offset;
  });
  if (is_kept) remember(open);
  return open;
}

template <class Find>
PartitionView::Place PartitionView::open_place(std::unique_lock<std::mutex>& lock,
                                               const Segment& segment,
                                               const Find& find_position) const {
  const bool is_active = segment.base_offset == segments_.back().base_offset;
  // Looked up before the lock is let go: the index of the active segment may be another's after.
  Place place{segment, nullptr, is_active ? find_position(active_index_) : 0};
  const OpenSegment open = open_segment(lock, segment, is_active);
  place.mapping = open.mapping;
  if (!is_active) place.position = find_position(*open.index);
  return place;
}

PartitionView::Place PartitionView::place_of(Offset offset) const {
  std::unique_lock lock(mutex_);
  auto after = std::upper_bound(
      segments_.begin(), segments_.end(), offset,
      [](Offset sought, const Segment& segment) { return sought < segment.base_offset; });
  if (after == segments_.begin()) {
    fail(ErrorKind::kNotFound, "reading {}: there is no segment with offset {}", directory_,
         offset);
  }
  const Segment segment = *std::prev(after);
  return open_place(lock, segment,
                    [&](const SegmentIndex& index) { return index.position_at_or_before(offset); });
}

std::optional<PartitionView::Place> PartitionView::place_of_time(int64_t timestamp_ms) const {
  std::unique_lock lock(mutex_);
  const auto found = std::find_if(segments_.begin(), segments_.end(), [&](const Segment& segment) {
    return segment.size_bytes > 0 && segment.max_timestamp_ms >= timestamp_ms;
  });
  if (found == segments_.end()) return std::nullopt;
  const Segment segment = *found;
  return open_place(lock, segment, [&](const SegmentIndex& index) {
    return index.position_before_time(timestamp_ms);
  });
}

}  // namespace headrace::stream
