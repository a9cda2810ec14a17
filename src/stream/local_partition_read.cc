// Reading from a partition, wherever its segments are.

#include <algorithm>

#include "base/error.h"
#include "stream/local_partition.h"
#include "stream/segment_scan.h"

namespace headrace::stream {
namespace {

// How often a segment may be gone when it is opened, before it is an error.
constexpr int kMaxVanished = 10;

}  // namespace

void LocalPartition::check_range(Offset from) const {
  check_ready();
  const Offset start = start_offset();
  if (from < start) {
    fail(ErrorKind::kNotFound,
         "reading {} from offset {}: the oldest record kept has offset {}; begin there", name_,
         from, start);
  }
  const Offset end = end_offset();
  if (from > end) {
    fail(ErrorKind::kInvalid, "reading {} from offset {}: it ends at offset {}", name_, from, end);
  }
}

// Everything is judged by one look at the local segments, taken before that at the remote ones:
// what went from here meanwhile is there.
std::optional<RemoteSegment> LocalPartition::remote_segment(const PartitionTier* tier,
                                                            Offset& from) const {
  if (tier == nullptr) return std::nullopt;
  const std::vector<Segment> local = view_.segments();
  if (!local.empty() && from >= local.front().base_offset) return std::nullopt;
  auto remote = tier->remote().segment_at(from);
  if (remote && remote->segment.base_offset <= from) return remote;
  check_range(from);  // no record has this offset; or it has been dropped since it was asked for
  if (remote && (local.empty() || remote->segment.base_offset < local.front().base_offset)) {
    from = remote->segment.base_offset;
    return remote;
  }
  if (!local.empty()) from = local.front().base_offset;
  return std::nullopt;
}

std::vector<Batch> LocalPartition::read(Offset from, Offset until, size_t max_bytes) const {
  std::vector<Batch> batches;
  check_range(from);
  const auto tier = current_tier();
  size_t budget_bytes = max_bytes;
  int vanished = 0;
  if (from >= until) return batches;
  // Past `until` only where offsets are missing, and then for one batch.
  while (from < end_offset() && (from < until || batches.empty()) &&
         (batches.empty() || budget_bytes > 0)) {
    Offset next = from;
    try {
      if (const auto remote = remote_segment(tier.get(), from)) {
        next = tier->remote().told_if_missing(*remote, [&] {
          return read_remote(*tier, *remote, from, until, budget_bytes, batches);
        });
      } else {
        next = read_segment(view_.place_of(from), from, until, budget_bytes, batches);
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound) throw;
      if (!batches.empty()) break;
      check_range(from);  // retention dropped the segment meanwhile
      // Or its local copy went, or a reader beside the writer learns of it only now.
      if (tier == nullptr || ++vanished > kMaxVanished) throw;
      if (writer_ == nullptr) {
        tier->remote().load_copy();
        const auto remote = tier->remote().segment_at(from);
        if (!remote || remote->segment.base_offset > from) throw;
        next = tier->remote().told_if_missing(*remote, [&] {
          return read_remote(*tier, *remote, from, until, budget_bytes, batches);
        });
      } else {
        continue;
      }
    }
    if (next == from) break;
    from = next;
  }
  return batches;
}

Offset LocalPartition::read_remote(PartitionTier& tier, const RemoteSegment& remote, Offset from,
                                   Offset until, size_t& budget_bytes, std::vector<Batch>& into) {
  RemoteCursor cursor = tier.remote().cursor(remote);
  from = std::max(from, remote.segment.base_offset);
  uint64_t at = tier.remote().position_of(remote, from);
  while (!cursor.is_end(at) && (from < until || into.empty())) {
    const RemoteCursor::Found found = cursor.batch_at(at);
    const size_t size = found.header.total_bytes();
    if (found.header.last_offset() >= from) {
      if (!into.empty() && size > budget_bytes) {
        budget_bytes = 0;
        return from;
      }
      try {
        into.push_back(decode_batch(found.bytes, found.owner));
      } catch (const Error& error) {
        throw error.with_context(format("reading {} at byte {}", tier.remote().uri_of(remote), at));
      }
      budget_bytes -= std::min(size, budget_bytes);
      from = found.header.next_offset();
    }
    at += size;
  }
  if (cursor.is_end(at)) tier.remote().prefetch_after(remote);
  return from;
}

Offset LocalPartition::read_segment(const PartitionView::Place& place, Offset from, Offset until,
                                    size_t& budget_bytes, std::vector<Batch>& into) const {
  const std::string_view bytes = place.mapping->bytes().substr(0, place.segment.size_bytes);
  uint64_t at = place.position;
  while (at < bytes.size() && (from < until || into.empty())) {
    const std::string_view rest = bytes.substr(at);
    const std::optional<BatchHeader> header = parse_batch_header(rest);
    const auto where = [&] {
      return format("reading {} at byte {}",
                    segment_path(directory_, place.segment.base_offset, kLogSuffix), at);
    };
    if (!header) fail(ErrorKind::kCorrupt, "{}: there is no batch; restore the file", where());
    const size_t size = header->total_bytes();
    if (header->last_offset() >= from) {
      if (!into.empty() && size > budget_bytes) {
        budget_bytes = 0;
        return from;
      }
      try {
        into.push_back(decode_batch(rest.substr(0, size), place.mapping));
      } catch (const Error& error) {
        throw error.with_context(where());
      }
      budget_bytes -= std::min(size, budget_bytes);
      from = header->next_offset();
    }
    at += size;
  }
  return from;
}

Offset LocalPartition::first_after_time(const PartitionView::Place& place,
                                        int64_t timestamp_ms) const {
  std::optional<Offset> found;
  walk_segment(place.mapping->bytes(), place.position, place.segment.size_bytes,
               segment_path(directory_, place.segment.base_offset, kLogSuffix),
               [&](const BatchHeader& header, uint64_t, std::string_view) {
                 if (!found && header.max_timestamp_ms >= timestamp_ms) found = header.base_offset;
               });
  return found.value_or(place.segment.end_offset);
}

Offset LocalPartition::first_after_time(PartitionTier& tier, const RemoteSegment& remote,
                                        int64_t timestamp_ms) {
  return tier.remote().told_if_missing(remote, [&] {
    RemoteCursor cursor = tier.remote().cursor(remote);
    for (uint64_t at = tier.remote().position_of_time(remote, timestamp_ms); !cursor.is_end(at);) {
      const BatchHeader header = cursor.batch_at(at).header;
      if (header.max_timestamp_ms >= timestamp_ms) return header.base_offset;
      at += header.total_bytes();
    }
    return remote.segment.end_offset;
  });
}

Offset LocalPartition::offset_for_time(int64_t timestamp_ms) const {
  check_ready();
  const auto tier = current_tier();
  for (;;) {
    const Offset local_start = view_.start_offset();
    const Offset found = offset_for_time(tier.get(), local_start, timestamp_ms);
    // Else the oldest segment went while it was looked for in the others.
    if (view_.start_offset() == local_start) return found;
  }
}

Offset LocalPartition::offset_for_time(PartitionTier* tier, Offset local_start,
                                       int64_t timestamp_ms) const {
  const auto manifest = tier == nullptr ? nullptr : tier->remote().manifest();
  if (manifest != nullptr) {
    const bool has_local = !view_.segments().empty();
    for (const RemoteSegment& remote : manifest->segments) {
      if (remote.segment.max_timestamp_ms < timestamp_ms) continue;
      if (has_local && remote.segment.base_offset >= local_start) break;  // it is here, too
      return first_after_time(*tier, remote, timestamp_ms);
    }
  }
  const std::optional<PartitionView::Place> place = view_.place_of_time(timestamp_ms);
  return place ? first_after_time(*place, timestamp_ms) : end_offset();
}

}  // namespace headrace::stream
