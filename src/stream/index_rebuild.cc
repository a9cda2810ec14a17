#include "stream/index_rebuild.h"

#include <memory>

#include "base/error.h"
#include "stream/segment_scan.h"
#include "telemetry/log.h"

namespace headrace::stream {
namespace {

void write_index(FileSystem& files, const std::string& directory, const Segment& segment,
                 const RebuiltIndex& rebuilt) {
  std::string offsets;
  std::string times;
  for (const IndexEntry& entry : rebuilt.index.entries()) {
    offsets += encode_offset_entry(entry);
    times += encode_time_entry(entry);
  }
  times += encode_time_end(segment.end_offset, rebuilt.max_timestamp_ms);
  files.write_atomically(segment_path(directory, segment.base_offset, kIndexSuffix), offsets);
  files.write_atomically(segment_path(directory, segment.base_offset, kTimeIndexSuffix), times);
}

}  // namespace

RebuiltIndex rebuild_index(FileSystem& files, const std::string& directory, const Segment& segment,
                           int64_t index_interval_bytes, bool write) {
  const std::string path = segment_path(directory, segment.base_offset, kLogSuffix);
  RebuiltIndex rebuilt;
  IndexSpacing spacing(index_interval_bytes);
  const std::unique_ptr<MappedFile> mapping = files.map(path);
  walk_segment(mapping->bytes(), 0, segment.size_bytes, path,
               [&](const BatchHeader& header, uint64_t position, std::string_view) {
                 if (const auto entry = spacing.next(header, position)) rebuilt.index.add(*entry);
               });
  rebuilt.max_timestamp_ms = spacing.max_timestamp_ms();
  telemetry::log_info("stream", "rebuilt the index of a segment",
                      {{"path", path}, {"entries", rebuilt.index.entries().size()}});
  if (write) write_index(files, directory, segment, rebuilt);
  return rebuilt;
}

}  // namespace headrace::stream
