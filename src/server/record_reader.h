#pragma once

// Checks that a record is one JSON value and finds its key and its time. Not thread-safe; meant to
// be kept and used for many records.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace headrace::server {

// Bytes that must be readable, with any content, after a record's text.
inline constexpr size_t kJsonPadding = 64;

struct RecordPaths {
  std::optional<std::string> key;        // JSON pointers (RFC 6901)
  std::optional<std::string> timestamp;  // ISO 8601 text, or a number: see sources/record_time.h
};

struct RecordMetadata {
  std::optional<std::string_view> key;  // holds until the next read()
  std::optional<int64_t> timestamp_ms;
};

class RecordReader {
 public:
  explicit RecordReader(RecordPaths paths);
  ~RecordReader();
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  // Throws Error invalid when the record is not exactly one JSON value in UTF-8, or a path that was
  // asked for leads nowhere or to null, or the time is none.
  RecordMetadata read(std::string_view record);

 private:
  struct State;
  const RecordPaths paths_;
  std::unique_ptr<State> state_;
};

}  // namespace headrace::server
