#pragma once

// One record inside a batch, on its way from and to bytes. Private to this module.

#include <string>
#include <string_view>
#include <vector>

#include "stream/record_batch.h"

namespace headrace::stream {

constexpr std::string_view kPositionHeader = "headrace.position";

// What a record says of itself; the batch gives the base of the deltas.
struct RecordFields {
  int64_t timestamp_delta_ms = 0;
  int32_t offset_delta = 0;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::string_view headers;
  int32_t header_count = 0;
};

void append_record(std::string& out, const RecordFields& record);
void append_header(std::string& out, const RecordHeader& header);

// Takes the record at the front of [in, end), which moves `in` past it. False, with the rest
// unspecified, for bytes that are not a record.
bool take_record(const char*& in, const char* end, RecordFields& record);
// Takes a length-prefixed field of a header.
bool take_header_field(const char*& in, const char* end, std::optional<std::string_view>& field);
// Moves `in` past the record at the front without looking inside.
bool skip_record(const char*& in, const char* end);

}  // namespace headrace::stream
