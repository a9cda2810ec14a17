#include "stream/recovery.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "stream/index_rebuild.h"
#include "stream/segment_scan.h"
#include "telemetry/log.h"

namespace headrace::stream {
namespace {

using telemetry::log_warning;

std::vector<Segment> list_segments(FileSystem& files, const std::string& directory) {
  std::vector<Segment> segments;
  for (const FileInfo& file : files.list(directory)) {
    const std::optional<Offset> base_offset = parse_segment_name(file.name, kLogSuffix);
    if (!base_offset) continue;
    Segment segment;
    segment.base_offset = *base_offset;
    segment.end_offset = *base_offset;
    segment.size_bytes = file.size_bytes;
    segment.last_append_ms = file.modified_micros / 1000;
    if (!segments.empty()) segments.back().end_offset = *base_offset;
    segments.push_back(segment);
  }
  return segments;
}

// Beside a live writer a segment may have grown and been finished after its size was listed, while
// the one that follows was listed already.
void take_final_sizes(FileSystem& files, const std::string& directory,
                      std::vector<Segment>& segments) {
  for (size_t i = 0; i + 1 < segments.size(); ++i) {
    segments[i].size_bytes =
        files.info(segment_path(directory, segments[i].base_offset, kLogSuffix)).size_bytes;
  }
}

// A crash while rolling or while dropping a segment leaves files without their log.
void remove_strays(FileSystem& files, const std::string& directory,
                   const std::vector<Segment>& segments) {
  for (const FileInfo& file : files.list(directory)) {
    if (file.is_directory || file.name.ends_with(kLogSuffix)) continue;
    const bool belongs = std::any_of(segments.begin(), segments.end(), [&](const Segment& segment) {
      for (const std::string_view suffix : {kIndexSuffix, kTimeIndexSuffix, kStateSuffix}) {
        if (parse_segment_name(file.name, suffix) == segment.base_offset) return true;
      }
      return false;
    });
    if (!belongs && directory + "/" + file.name != manifest_copy_path(directory)) {
      files.remove(directory + "/" + file.name);
    }
  }
}

// A crash while a partition without records was told to go on at a later offset leaves two.
void leave_out_empty(FileSystem& files, const std::string& directory, bool may_remove,
                     std::vector<Segment>& segments) {
  for (size_t i = 0; i + 1 < segments.size();) {
    if (segments[i].size_bytes > 0) {
      ++i;
      continue;
    }
    if (may_remove) files.remove(segment_path(directory, segments[i].base_offset, kLogSuffix));
    segments.erase(segments.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

std::optional<StateCheckpoint> load_checkpoint(FileSystem& files, const std::string& directory,
                                               const Segment& segment) {
  const std::string path = segment_path(directory, segment.base_offset, kStateSuffix);
  if (!files.exists(path)) {
    if (segment.base_offset != 0) return std::nullopt;
    return StateCheckpoint{};  // the beginning of everything needs no file
  }
  try {
    StateCheckpoint checkpoint = parse_checkpoint(files.read(path));
    if (checkpoint.segment_base_offset != segment.base_offset ||
        checkpoint.segment_bytes > segment.size_bytes) {
      fail(ErrorKind::kInvalid, "it does not fit the segment");
    }
    return checkpoint;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) throw;
    log_warning("stream", "the state of a segment is of no use; scanning more of the log",
                {{"path", path}, {"reason", error.message()}});
    return segment.base_offset == 0 ? std::optional(StateCheckpoint{}) : std::nullopt;
  }
}

// Where scanning begins: the newest checkpoint that can be used.
struct ScanStart {
  size_t segment = 0;
  StateCheckpoint checkpoint;
};

ScanStart find_scan_start(FileSystem& files, const std::string& directory,
                          const std::vector<Segment>& segments) {
  for (size_t i = segments.size(); i-- > 0;) {
    if (auto checkpoint = load_checkpoint(files, directory, segments[i])) {
      return {i, std::move(*checkpoint)};
    }
  }
  log_warning("stream", "no segment has a usable state; what producers sent before is forgotten",
              {{"directory", directory}});
  ScanStart start;
  start.checkpoint.segment_base_offset = segments.front().base_offset;
  start.checkpoint.state.next_offset = segments.front().base_offset;
  return start;
}

void apply_batch(PartitionState& state, const BatchHeader& header, std::string_view batch,
                 const std::string& path, uint64_t position) {
  try {
    state.apply(header, decode_batch(batch, nullptr).position());
  } catch (const Error& error) {
    throw error.with_context(format("reading {} at byte {}", path, position));
  }
}

// Scans the active segment from byte `from` on, and takes state and index along.
void scan_active(FileSystem& files, const std::string& directory, const RecoveryOptions& options,
                 uint64_t from, RecoveredPartition& known) {
  Segment& active = known.segments.back();
  const std::string path = segment_path(directory, active.base_offset, kLogSuffix);
  const std::unique_ptr<MappedFile> mapping = files.map(path);
  IndexSpacing spacing(options.index_interval_bytes);
  const auto& entries = known.index.entries();
  spacing.resume(entries.empty() ? 0 : entries.back().position, active.max_timestamp_ms);
  const ScanEnd end =
      scan_segment(mapping->bytes(), from, known.state.next_offset, path,
                   [&](const BatchHeader& header, uint64_t position, std::string_view batch) {
                     apply_batch(known.state, header, batch, path, position);
                     if (const auto entry = spacing.next(header, position)) known.index.add(*entry);
                   });
  active.end_offset = end.next_offset;
  active.max_timestamp_ms = spacing.max_timestamp_ms();
  active.size_bytes = end.valid_bytes;
}

// Scans a segment that is followed by others; it must be whole.
void scan_finished(FileSystem& files, const std::string& directory, const Segment& segment,
                   uint64_t from, PartitionState& state) {
  const std::string path = segment_path(directory, segment.base_offset, kLogSuffix);
  const std::unique_ptr<MappedFile> mapping = files.map(path);
  const ScanEnd end =
      scan_segment(mapping->bytes(), from, state.next_offset, path,
                   [&](const BatchHeader& header, uint64_t position, std::string_view batch) {
                     apply_batch(state, header, batch, path, position);
                   });
  if (end.valid_bytes != segment.size_bytes || end.next_offset != segment.end_offset) {
    fail(ErrorKind::kCorrupt,
         "reading {}: it is damaged at byte {}, though segments follow it that begin at offset {}; "
         "restore the file from a copy",
         path, end.valid_bytes, segment.end_offset);
  }
}

// Makes what was found durable: whoever reads it may build on it.
void settle_active(FileSystem& files, const std::string& directory, const Segment& active,
                   uint64_t file_bytes, uint64_t scanned_from) {
  const std::string path = segment_path(directory, active.base_offset, kLogSuffix);
  if (file_bytes > active.size_bytes) {
    log_warning("stream", "cut a torn tail",
                {{"path", path},
                 {"bytes_kept", active.size_bytes},
                 {"bytes_cut", file_bytes - active.size_bytes},
                 {"end_offset", active.end_offset}});
    const std::unique_ptr<AppendFile> file = files.open_append(path);
    file->truncate(active.size_bytes);
    file->sync_data();
  } else if (active.size_bytes > scanned_from) {
    files.sync_file(path);
  }
}

void load_latest_timestamps(FileSystem& files, const std::string& directory,
                            const RecoveryOptions& options, std::vector<Segment>& segments) {
  for (size_t i = 0; i + 1 < segments.size(); ++i) {
    Segment& segment = segments[i];
    const std::string path = segment_path(directory, segment.base_offset, kTimeIndexSuffix);
    std::optional<int64_t> latest;
    if (files.exists(path)) latest = parse_time_end(files.read(path), segment.end_offset);
    segment.max_timestamp_ms = latest
                                   ? *latest
                                   : rebuild_index(files, directory, segment,
                                                   options.index_interval_bytes, !options.read_only)
                                         .max_timestamp_ms;
  }
}

RecoveredPartition recover_once(FileSystem& files, const std::string& directory,
                                const RecoveryOptions& options) {
  RecoveredPartition known;
  known.segments = list_segments(files, directory);
  if (options.read_only) take_final_sizes(files, directory, known.segments);
  leave_out_empty(files, directory, !options.read_only, known.segments);
  if (!options.read_only) remove_strays(files, directory, known.segments);
  if (known.segments.empty()) return known;

  load_latest_timestamps(files, directory, options, known.segments);
  ScanStart start = find_scan_start(files, directory, known.segments);
  known.state = std::move(start.checkpoint.state);
  uint64_t from = start.checkpoint.segment_bytes;
  for (size_t i = start.segment; i + 1 < known.segments.size(); ++i) {
    scan_finished(files, directory, known.segments[i], from, known.state);
    from = 0;
  }
  Segment& active = known.segments.back();
  const uint64_t file_bytes = active.size_bytes;
  if (from > 0) {
    active.size_bytes = from;  // as far as the checkpoint reaches
    active.end_offset = known.state.next_offset;
    active.max_timestamp_ms = start.checkpoint.max_timestamp_ms;
    known.index = load_index(files, directory, active, options.index_interval_bytes);
    known.checkpoint_bytes = from;
  }
  if (file_bytes > from) scan_active(files, directory, options, from, known);
  if (!options.read_only) settle_active(files, directory, active, file_bytes, from);
  return known;
}

}  // namespace

PartitionState state_after(FileSystem& files, const std::string& directory, const Segment& segment,
                           const PartitionState& otherwise) {
  StateCheckpoint start;
  if (auto checkpoint = load_checkpoint(files, directory, segment)) {
    start = std::move(*checkpoint);
  } else {
    start.state = otherwise;
  }
  const std::string path = segment_path(directory, segment.base_offset, kLogSuffix);
  const std::unique_ptr<MappedFile> mapping = files.map(path);
  const ScanEnd end =
      scan_segment(mapping->bytes(), 0, segment.base_offset, path,
                   [&](const BatchHeader& header, uint64_t position, std::string_view batch) {
                     if (position < start.segment_bytes) return;
                     apply_batch(start.state, header, batch, path, position);
                   });
  if (end.valid_bytes != segment.size_bytes || end.next_offset != segment.end_offset) {
    fail(ErrorKind::kCorrupt, "reading {}: it is damaged at byte {}; restore the file from a copy",
         path, end.valid_bytes);
  }
  start.state.next_offset = segment.end_offset;
  return std::move(start.state);
}

RecoveredPartition recover_partition(FileSystem& files, const std::string& directory,
                                     const RecoveryOptions& options) {
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    try {
      return recover_once(files, directory, options);
    } catch (const Error& error) {
      // The live writer's retention may remove a segment between our listing and reading it.
      const bool may_be_retention = options.read_only && error.kind() == ErrorKind::kNotFound;
      if (!may_be_retention || attempt == kAttempts) throw;
    }
  }
}

bool extend_partition(FileSystem& files, const std::string& directory,
                      const RecoveryOptions& options, RecoveredPartition& known) {
  const std::vector<Segment> present = list_segments(files, directory);
  if (present.size() != known.segments.size()) return false;
  if (present.empty()) return true;
  if (present.front().base_offset != known.segments.front().base_offset ||
      present.back().base_offset != known.segments.back().base_offset) {
    return false;
  }
  Segment& active = known.segments.back();
  active.last_append_ms = present.back().last_append_ms;
  if (present.back().size_bytes > active.size_bytes) {
    scan_active(files, directory, options, active.size_bytes, known);
  }
  return true;
}

SegmentIndex load_index(FileSystem& files, const std::string& directory, const Segment& segment,
                        int64_t index_interval_bytes) {
  if (segment.size_bytes <= static_cast<uint64_t>(index_interval_bytes)) return {};  // no entries
  const std::string offset_path = segment_path(directory, segment.base_offset, kIndexSuffix);
  const std::string time_path = segment_path(directory, segment.base_offset, kTimeIndexSuffix);
  if (files.exists(offset_path) && files.exists(time_path)) {
    auto index = parse_index(files.read(offset_path), files.read(time_path), segment.base_offset,
                             segment.end_offset, segment.size_bytes);
    if (index) return std::move(*index);
  }
  return rebuild_index(files, directory, segment, index_interval_bytes, false).index;
}

}  // namespace headrace::stream
