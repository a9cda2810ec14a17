#pragma once

// Finds a few fields in a JSON record without parsing the rest: its key, its time. A record that is
// not JSON, or lacks the field, simply has no such field: judging records is the job's business.
// Not thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace headrace::sources {

// Bytes that must be readable (with any content) after the text of a record given to find().
inline constexpr size_t kRecordPadding = 64;

// A JSON pointer (RFC 6901, "/user/id"); a name without a slash in front means that member.
std::string to_json_pointer(const std::string& field);

class RecordFields {
 public:
  RecordFields();
  ~RecordFields();
  RecordFields(const RecordFields&) = delete;
  RecordFields& operator=(const RecordFields&) = delete;

  // The field as text: a string's content, anything else as it is written. nullopt when absent or
  // null. The view holds until the next call.
  std::optional<std::string_view> find_text(std::string_view record, const std::string& pointer);
  // The field as a time: ISO 8601 text or a number, see record_time.h.
  std::optional<int64_t> find_time_ms(std::string_view record, const std::string& pointer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace headrace::sources
