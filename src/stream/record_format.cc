#include "stream/record_format.h"

#include <climits>
#include <cstdint>

#include "base/varint.h"

namespace headrace::stream {
namespace {

int zigzag_size(int64_t value) { return varint_size(zigzag(value)); }

size_t size_of_field(const std::optional<std::string_view>& field) {
  if (!field) return 1;  // length -1
  return static_cast<size_t>(zigzag_size(static_cast<int64_t>(field->size()))) + field->size();
}

void append_field(std::string& out, const std::optional<std::string_view>& field) {
  append_zigzag(out, field ? static_cast<int64_t>(field->size()) : -1);
  if (field) out.append(*field);
}

// The decoder's inner loop: most varints here take one or two bytes.
inline bool take_zigzag_from(const char*& in, const char* end, int64_t& value) {
  if (in < end && static_cast<uint8_t>(*in) < 0x80) {
    value = unzigzag(static_cast<uint8_t>(*in++));
    return true;
  }
  if (end - in >= 2 && static_cast<uint8_t>(in[1]) < 0x80) {
    value = unzigzag((static_cast<uint64_t>(static_cast<uint8_t>(in[0])) & 0x7F) |
                     static_cast<uint64_t>(static_cast<uint8_t>(in[1])) << 7);
    in += 2;
    return true;
  }
  std::string_view rest(in, static_cast<size_t>(end - in));
  if (!take_zigzag(rest, value)) return false;
  in = rest.data();
  return true;
}

inline bool take_field(const char*& in, const char* end, std::optional<std::string_view>& field) {
  int64_t length = 0;
  if (!take_zigzag_from(in, end, length) || length < -1 || length > end - in) return false;
  if (length == -1) {
    field.reset();
    return true;
  }
  field.emplace(in, static_cast<size_t>(length));
  in += length;
  return true;
}

inline bool take_length(const char*& in, const char* end, int64_t& length) {
  return take_zigzag_from(in, end, length) && length >= 0 && length <= end - in;
}

}  // namespace

void append_record(std::string& out, const RecordFields& record) {
  const size_t size = 1 +  // attributes
                      static_cast<size_t>(zigzag_size(record.timestamp_delta_ms)) +
                      static_cast<size_t>(zigzag_size(record.offset_delta)) +
                      size_of_field(record.key) + size_of_field(record.value) +
                      static_cast<size_t>(zigzag_size(record.header_count)) + record.headers.size();
  char front[32];
  char* end = put_varint(front, zigzag(static_cast<int64_t>(size)));
  *end++ = 0;  // attributes: none are defined
  end = put_varint(end, zigzag(record.timestamp_delta_ms));
  end = put_varint(end, zigzag(record.offset_delta));
  out.append(front, static_cast<size_t>(end - front));
  append_field(out, record.key);
  append_field(out, record.value);
  append_zigzag(out, record.header_count);
  out.append(record.headers);
}

void append_header(std::string& out, const RecordHeader& header) {
  append_field(out, header.key);
  append_field(out, header.value);
}

bool take_record(const char*& in, const char* end, RecordFields& record) {
  int64_t length = 0;
  if (!take_length(in, end, length)) return false;
  const char* const record_end = in + length;
  int64_t offset_delta = 0;
  int64_t header_count = 0;
  if (length == 0) return false;
  ++in;  // attributes
  if (!take_zigzag_from(in, record_end, record.timestamp_delta_ms) ||
      !take_zigzag_from(in, record_end, offset_delta) || !take_field(in, record_end, record.key) ||
      !take_field(in, record_end, record.value) ||
      !take_zigzag_from(in, record_end, header_count)) {
    return false;
  }
  // A header takes at least two bytes, so the count cannot be made to promise more than there is.
  if (offset_delta < 0 || offset_delta > INT32_MAX || header_count < 0 ||
      header_count > (record_end - in) / 2) {
    return false;
  }
  record.offset_delta = static_cast<int32_t>(offset_delta);
  record.header_count = static_cast<int32_t>(header_count);
  record.headers = {in, static_cast<size_t>(record_end - in)};
  in = record_end;
  return true;
}

bool take_header_field(const char*& in, const char* end, std::optional<std::string_view>& field) {
  return take_field(in, end, field);
}

bool skip_record(const char*& in, const char* end) {
  int64_t length = 0;
  if (!take_length(in, end, length)) return false;
  in += length;
  return true;
}

}  // namespace headrace::stream
