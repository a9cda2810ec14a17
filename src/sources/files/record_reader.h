#pragma once

// Records of one file, from a position on.

#include <cstdint>
#include <string_view>
#include <vector>

namespace headrace::sources {

struct FileRecord {
  std::string_view value;  // followed by at least kRecordPadding readable bytes
  uint64_t end = 0;        // position after the record: what to go on from
};

class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // Replaces `into` by the next records, valid until the next call. False at the end of what the
  // file holds now; then there are none. Throws invalid for an oversize record or broken framing
  // and corrupt for broken compression, naming the byte position.
  virtual bool read(std::vector<FileRecord>& into) = 0;
};

}  // namespace headrace::sources
