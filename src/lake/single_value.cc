#include "lake/single_value.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "lake/calendar_text.h"
#include "lake/decimal.h"

namespace headrace::lake {
namespace {

static_assert(std::endian::native == std::endian::little,
              "values are copied as they lie in memory");

template <class T>
std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

template <class T>
T value_of(std::string_view bytes, const Type& type) {
  // The format allows a long column to hold bounds written when it was an int, and so for float.
  if (bytes.size() != sizeof(T)) {
    fail(ErrorKind::kCorrupt, "reading a value of type {}: it has {} bytes, not {}",
         to_duckdb(type), bytes.size(), sizeof(T));
  }
  T value;
  bytes.copy(reinterpret_cast<char*>(&value), sizeof(T));
  return value;
}

int64_t long_of(std::string_view bytes, const Type& type) {
  return bytes.size() == 4 ? value_of<int32_t>(bytes, type) : value_of<int64_t>(bytes, type);
}
double double_of(std::string_view bytes, const Type& type) {
  return bytes.size() == 4 ? static_cast<double>(value_of<float>(bytes, type))
                           : value_of<double>(bytes, type);
}

template <class T>
T number_from_text(const Type& type, std::string_view text) {
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) {
    fail(ErrorKind::kInvalid, "reading \"{}\": it is not a value of type {}", text,
         to_duckdb(type));
  }
  return value;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string uuid_from_text(std::string_view text) {
  std::string bytes;
  int high = -1;
  for (const char c : text) {
    if (c == '-') continue;
    const int digit = hex_digit(c);
    if (digit < 0) break;
    if (high < 0) {
      high = digit;
    } else {
      bytes += static_cast<char>(high << 4 | digit);
      high = -1;
    }
  }
  if (bytes.size() != 16 || text.size() != 36) {
    fail(ErrorKind::kInvalid, "reading \"{}\": it is not a UUID", text);
  }
  return bytes;
}

std::string uuid_to_text(std::string_view bytes) {
  if (bytes.size() != 16) {
    fail(ErrorKind::kCorrupt, "reading a UUID: it has {} bytes, not 16", bytes.size());
  }
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += format("{:02x}", static_cast<uint8_t>(bytes[i]));
  }
  return text;
}

// DuckDB prints a blob with \xNN for what is not printable ASCII, and for the backslash.
std::string blob_from_text(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    const int high = i + 3 < text.size() && text[i + 1] == 'x' ? hex_digit(text[i + 2]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 3]) : -1;
    if (low < 0) fail(ErrorKind::kInvalid, "reading \"{}\": it is not a blob's text", text);
    bytes += static_cast<char>(high << 4 | low);
    i += 3;
  }
  return bytes;
}

std::string blob_to_text(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c >= 32 && c < 127 && c != '\\' && c != '\'' && c != '"') {
      text += c;
    } else {
      text += format("\\x{:02X}", static_cast<uint8_t>(c));
    }
  }
  return text;
}

std::string hex_from_text(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(hex_digit(text[i]) << 4 | hex_digit(text[i + 1]));
  }
  return bytes;
}

size_t code_point_length(char first) {
  const auto byte = static_cast<uint8_t>(first);
  if (byte < 0x80) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

std::string_view first_code_points(std::string_view text, size_t count) {
  size_t end = 0;
  for (size_t i = 0; i < count && end < text.size(); ++i) end += code_point_length(text[end]);
  return text.substr(0, end);
}

uint32_t decode_code_point(std::string_view bytes) {
  const size_t length = bytes.size();
  if (length == 1) return static_cast<uint8_t>(bytes[0]);
  uint32_t point = static_cast<uint8_t>(bytes[0]) & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) point = point << 6 | (static_cast<uint8_t>(bytes[i]) & 0x3Fu);
  return point;
}

std::string encode_code_point(uint32_t point) {
  std::string bytes;
  if (point < 0x80) return {static_cast<char>(point)};
  const int following = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  const uint32_t marks[] = {0, 0xC0, 0xE0, 0xF0};
  bytes += static_cast<char>(marks[following] | point >> (6 * following));
  for (int i = following - 1; i >= 0; --i) {
    bytes += static_cast<char>(0x80 | ((point >> (6 * i)) & 0x3F));
  }
  return bytes;
}

// The least string of at most the same length that is greater than all that begin with `text`.
std::optional<std::string> rounded_up(std::string text) {
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && (static_cast<uint8_t>(text[last]) & 0xC0) == 0x80) --last;
    uint32_t next = decode_code_point(std::string_view(text).substr(last)) + 1;
    if (next == 0xD800) next = 0xE000;  // surrogates are no characters
    text.resize(last);
    if (next <= 0x10FFFF) return text + encode_code_point(next);
  }
  return std::nullopt;
}

std::optional<std::string> bytes_rounded_up(std::string bytes) {
  while (!bytes.empty()) {
    if (static_cast<uint8_t>(bytes.back()) != 0xFF) {
      bytes.back() = static_cast<char>(static_cast<uint8_t>(bytes.back()) + 1);
      return bytes;
    }
    bytes.pop_back();
  }
  return std::nullopt;
}

bool is_text_of_infinity(const Type& type, std::string_view text) {
  return (type.kind == TypeKind::kDate || type.kind == TypeKind::kTimestamp ||
          type.kind == TypeKind::kTimestamptz) &&
         text.ends_with("infinity");
}

// The engine does not tell −0 from 0; the format's bounds must hold both.
bool is_zero(const Type& type, std::string_view text) {
  return (type.kind == TypeKind::kFloat || type.kind == TypeKind::kDouble) &&
         (text == "0.0" || text == "-0.0");
}

// DuckDB's Parquet statistics print 1 and 0 for booleans.
bool boolean_from_text(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  fail(ErrorKind::kInvalid, "reading \"{}\": it is neither true nor false", text);
}

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

}  // namespace

int64_t integer_from_text(const Type& type, std::string_view text) {
  switch (type.kind) {
    case TypeKind::kDate:
      return days_from_text(text);
    case TypeKind::kTime:
      return time_from_text(text);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      return timestamp_from_text(text);
    case TypeKind::kInt:
      return number_from_text<int32_t>(type, text);
    default:
      return number_from_text<int64_t>(type, text);
  }
}

std::string integer_to_text(const Type& type, int64_t value) {
  switch (type.kind) {
    case TypeKind::kDate:
      return days_to_text(static_cast<int32_t>(value));
    case TypeKind::kTime:
      return time_to_text(value);
    case TypeKind::kTimestamp:
      return timestamp_to_text(value, false);
    case TypeKind::kTimestamptz:
      return timestamp_to_text(value, true);
    default:
      return format("{}", value);
  }
}

std::string single_value_from_text(const Type& type, std::string_view text) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return {static_cast<char>(boolean_from_text(text) ? 1 : 0)};
    case TypeKind::kInt:
    case TypeKind::kDate:
      return bytes_of(static_cast<int32_t>(integer_from_text(type, text)));
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      return bytes_of(integer_from_text(type, text));
    case TypeKind::kFloat:
      return bytes_of(number_from_text<float>(type, text));
    case TypeKind::kDouble:
      return bytes_of(number_from_text<double>(type, text));
    case TypeKind::kDecimal:
      return decimal_to_bytes(decimal_from_text(text, type.scale));
    case TypeKind::kString:
      return std::string(text);
    case TypeKind::kUuid:
      return uuid_from_text(text);
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return blob_from_text(text);
    default:
      fail(ErrorKind::kUnsupported, "writing a single value: {} is nested", to_duckdb(type));
  }
}

std::string single_value_to_text(const Type& type, std::string_view bytes) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return value_of<uint8_t>(bytes, type) != 0 ? "true" : "false";
    case TypeKind::kInt:
    case TypeKind::kDate:
      return integer_to_text(type, value_of<int32_t>(bytes, type));
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      return integer_to_text(type, long_of(bytes, type));
    case TypeKind::kFloat:
      return format("{}", value_of<float>(bytes, type));
    case TypeKind::kDouble:
      return format("{}", double_of(bytes, type));
    case TypeKind::kDecimal:
      return decimal_to_text(decimal_from_bytes(bytes), type.scale);
    case TypeKind::kString:
      return std::string(bytes);
    case TypeKind::kUuid:
      return uuid_to_text(bytes);
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return blob_to_text(bytes);
    default:
      fail(ErrorKind::kUnsupported, "reading a single value: {} is nested", to_duckdb(type));
  }
}

std::optional<std::string> lower_bound_from_text(const Type& type, std::string_view text) {
  if (is_text_of_infinity(type, text)) return std::nullopt;
  if (type.kind == TypeKind::kString) return std::string(first_code_points(text, kBoundLength));
  // Parquet statistics print blobs in hex.
  if (type.kind == TypeKind::kBinary) return hex_from_text(text).substr(0, kBoundLength);
  if (is_zero(type, text)) return single_value_from_text(type, "-0.0");
  return single_value_from_text(type, text);
}

std::optional<std::string> upper_bound_from_text(const Type& type, std::string_view text) {
  if (is_text_of_infinity(type, text)) return std::nullopt;
  if (type.kind == TypeKind::kString) {
    const std::string_view cut = first_code_points(text, kBoundLength);
    if (cut.size() == text.size()) return std::string(text);
    return rounded_up(std::string(cut));
  }
  if (type.kind == TypeKind::kBinary) {
    std::string bytes = hex_from_text(text);
    if (bytes.size() <= kBoundLength) return bytes;
    return bytes_rounded_up(bytes.substr(0, kBoundLength));
  }
  if (is_zero(type, text)) return single_value_from_text(type, "0.0");
  return single_value_from_text(type, text);
}

int compare_single_values(const Type& type, std::string_view a, std::string_view b) {
  switch (type.kind) {
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      return order(long_of(a, type), long_of(b, type));
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return order(double_of(a, type), double_of(b, type));
    case TypeKind::kDecimal:
      return order(decimal_from_bytes(a), decimal_from_bytes(b));
    default:
      return a.compare(b);
  }
}

}  // namespace headrace::lake
