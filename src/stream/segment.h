#pragma once

// One file of a partition's log, and the names of the files beside it. Private to this module.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stream/record_batch.h"

namespace headrace::stream {

constexpr std::string_view kLogSuffix = ".log";
constexpr std::string_view kIndexSuffix = ".index";
constexpr std::string_view kTimeIndexSuffix = ".timeindex";
constexpr std::string_view kStateSuffix = ".state";

// What of a segment readers may see.
struct Segment {
  Offset base_offset = 0;
  Offset end_offset = 0;  // one past its last record
  uint64_t size_bytes = 0;
  int64_t max_timestamp_ms = INT64_MIN;
  int64_t last_append_ms = 0;  // when it was last written to; retention counts from there
};

// <directory>/00000000000000000042.log
std::string segment_path(const std::string& directory, Offset base_offset, std::string_view suffix);
// <directory>/remote.manifest: the copy of the manifest of a partition in object storage.
std::string manifest_copy_path(const std::string& directory);
// The base offset in a file name with that suffix; nullopt for other files.
std::optional<Offset> parse_segment_name(std::string_view name, std::string_view suffix);

}  // namespace headrace::stream
