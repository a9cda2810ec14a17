#include "server/record_splitter.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "http/message.h"

namespace headrace::server {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

// Length of the JSON value that `text` begins with, up to the comma or bracket that ends it
// outside of strings and nested values. For text that is not JSON it finds some end or none.
size_t element_length(std::string_view text) {
  int64_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (depth == 0 && (c == ',' || c == ']')) {
      return i;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  fail(ErrorKind::kInvalid, "the JSON array does not end: a ']' or '\"' is missing");
}

std::string_view without_trailing_space(std::string_view text) {
  const size_t last = text.find_last_not_of(kSpace);
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

std::optional<BodyFormat> format_of_content_type(std::string_view content_type) {
  const std::string_view type =
      without_trailing_space(content_type.substr(0, content_type.find(';')));
  const auto is = [&](std::string_view name) { return equal_ignoring_case(type, name); };
  if (is("application/x-ndjson") || is("application/ndjson") || is("application/jsonl")) {
    return BodyFormat::kLines;
  }
  if (is("application/json")) return BodyFormat::kArray;
  if (is("application/octet-stream")) return BodyFormat::kLengthPrefixed;
  return std::nullopt;
}

bool RecordSplitter::next(BodyRecord& record) {
  switch (format_) {
    case BodyFormat::kLines:
      return next_line(record);
    case BodyFormat::kArray:
      return next_element(record);
    case BodyFormat::kLengthPrefixed:
      return next_prefixed(record);
  }
  return false;
}

bool RecordSplitter::next_line(BodyRecord& record) {
  while (!rest_.empty()) {
    ++number_;
    const size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(kSpace) == std::string_view::npos) continue;
    record = {line, number_};
    return true;
  }
  return false;
}

void RecordSplitter::skip_space() {
  rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
}

// False when the body is not an array with elements.
bool RecordSplitter::begin_array() {
  skip_space();
  if (rest_.empty()) return false;
  array_ = ArrayState::kInside;
  rest_.remove_prefix(1);
  skip_space();
  if (!rest_.starts_with(']')) return true;
  end_array();
  return false;
}

void RecordSplitter::end_array() {
  array_ = ArrayState::kAfter;
  rest_.remove_prefix(1);
  skip_space();
  if (!rest_.empty()) fail(ErrorKind::kInvalid, "there is text after the end of the JSON array");
}

bool RecordSplitter::next_element(BodyRecord& record) {
  if (array_ == ArrayState::kBefore) {
    skip_space();
    if (!rest_.starts_with('[')) {  // a single value
      array_ = ArrayState::kAfter;
      record = {without_trailing_space(rest_), ++number_};
      rest_ = {};
      return !record.bytes.empty();
    }
    if (!begin_array()) return false;
  }
  if (array_ == ArrayState::kAfter) return false;
  skip_space();
  ++number_;
  const size_t length = element_length(rest_);
  record = {without_trailing_space(rest_.substr(0, length)), number_};
  if (record.bytes.empty()) {
    fail(ErrorKind::kInvalid, "a value is missing before the '{}' in the JSON array",
         rest_[length]);
  }
  rest_.remove_prefix(length);
  if (rest_.front() == ']') {
    end_array();
  } else {
    rest_.remove_prefix(1);
  }
  return true;
}

bool RecordSplitter::next_prefixed(BodyRecord& record) {
  if (rest_.empty()) return false;
  ++number_;
  if (rest_.size() < 4) {
    fail(ErrorKind::kInvalid, "the body ends inside the four bytes of a record's length");
  }
  uint32_t length = 0;
  for (size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<uint8_t>(rest_[i]);
  rest_.remove_prefix(4);
  if (length > rest_.size()) {
    fail(ErrorKind::kInvalid, "a record's length is {} bytes, but only {} are left in the body",
         length, rest_.size());
  }
  record = {rest_.substr(0, length), number_};
  rest_.remove_prefix(length);
  return true;
}

}  // namespace headrace::server
