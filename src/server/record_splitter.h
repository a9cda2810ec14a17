#pragma once

// Cuts a request's body into records without copying: lines of NDJSON, elements of a JSON array, or
// byte strings with their length in front. It finds where records begin and end; whether a record
// is JSON is for record_fields.h to say.
//
// Not thread-safe. Views point into the body.

#include <cstdint>
#include <optional>
#include <string_view>

namespace headrace::server {

enum class BodyFormat {
  kLines,  // application/x-ndjson: LF or CRLF, the last may lack it; blank lines are skipped
  kArray,  // application/json: an array, or a single value, which is one record
  kLengthPrefixed,  // application/octet-stream: u32 big-endian length and that many bytes, repeated
};

// nullopt for a type that is none of these. Parameters ("; charset=utf-8") do not matter.
std::optional<BodyFormat> format_of_content_type(std::string_view content_type);

struct BodyRecord {
  std::string_view bytes;
  int64_t number = 0;  // its line, or its place in the body, from 1
};

class RecordSplitter {
 public:
  RecordSplitter(BodyFormat format, std::string_view body) : format_(format), rest_(body) {}

  // False at the end. Throws Error invalid where the body breaks its format; position() is then the
  // number of the record at fault.
  bool next(BodyRecord& record);
  int64_t position() const { return number_; }

 private:
  bool next_line(BodyRecord& record);
  bool next_element(BodyRecord& record);
  bool begin_array();
  void end_array();
  bool next_prefixed(BodyRecord& record);
  void skip_space();

  enum class ArrayState { kBefore, kInside, kAfter };

  const BodyFormat format_;
  std::string_view rest_;
  int64_t number_ = 0;
  ArrayState array_ = ArrayState::kBefore;
};

}  // namespace headrace::server
