#pragma once

// Variable-length integers as Kafka record batches, Avro and Protocol Buffers write them: seven
// bits a byte, least significant first, the high bit set on all but the last; signed values
// zigzagged.

#include <cstdint>
#include <string>
#include <string_view>

namespace headrace {

inline uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

inline int varint_size(uint64_t value) {
  int size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

// Writes at most ten bytes and returns the end.
inline char* put_varint(char* out, uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

inline void append_varint(std::string& out, uint64_t value) {
  char buffer[10];
  out.append(buffer, static_cast<size_t>(put_varint(buffer, value) - buffer));
}
inline void append_zigzag(std::string& out, int64_t value) { append_varint(out, zigzag(value)); }

// Takes a varint off the front of `in`. False, with `in` in an unspecified state, when it is cut
// short or longer than ten bytes.
inline bool take_varint(std::string_view& in, uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (in.empty()) return false;
    const auto byte = static_cast<uint8_t>(in.front());
    in.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7F) << (shift < 64 ? shift : 63);
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}
inline bool take_zigzag(std::string_view& in, int64_t& value) {
  uint64_t raw = 0;
  if (!take_varint(in, raw)) return false;
  value = unzigzag(raw);
  return true;
}

}  // namespace headrace
