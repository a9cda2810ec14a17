#pragma once

// Making the index of a segment anew by walking through its batch headers. Private to this module.

#include <string>

#include "base/file_system.h"
#include "stream/segment.h"
#include "stream/segment_index.h"

namespace headrace::stream {

struct RebuiltIndex {
  SegmentIndex index;
  int64_t max_timestamp_ms = INT64_MIN;
};

// Of the bytes of `segment` that its size_bytes covers; `write`: also as the finished segment's
// files. Error corrupt when a batch does not parse.
RebuiltIndex rebuild_index(FileSystem& files, const std::string& directory, const Segment& segment,
                           int64_t index_interval_bytes, bool write);

}  // namespace headrace::stream
