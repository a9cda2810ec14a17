#include "lake/decimal.h"

#include <algorithm>

#include "base/error.h"

namespace headrace::lake {
namespace {

__extension__ using Unsigned128 = unsigned __int128;

constexpr int kMaxDigits = 38;

}  // namespace

Int128 decimal_from_text(std::string_view text, int scale) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  Int128 value = 0;
  int digits = 0;
  int fraction = 0;
  bool after_point = false;
  const auto push = [&](int digit) {
    if (value != 0 || digit != 0) ++digits;
    if (digits > kMaxDigits) fail(ErrorKind::kInvalid, "reading \"{}\": too many digits", text);
    value = value * 10 + digit;
  };
  for (const char c : rest) {
    if (c == '.' && !after_point) {
      after_point = true;
      continue;
    }
    if (c < '0' || c > '9' || (after_point && ++fraction > scale)) {
      fail(ErrorKind::kInvalid, "reading \"{}\": it is not a decimal of scale {}", text, scale);
    }
    push(c - '0');
  }
  if (rest.empty()) fail(ErrorKind::kInvalid, "reading a decimal: the text is empty");
  for (; fraction < scale; ++fraction) push(0);
  return negative ? -value : value;
}

std::string decimal_to_text(Int128 unscaled, int scale) {
  const bool negative = unscaled < 0;
  auto rest = negative ? -static_cast<Unsigned128>(unscaled) : static_cast<Unsigned128>(unscaled);
  std::string digits;
  for (; rest != 0 || static_cast<int>(digits.size()) <= scale; rest /= 10) {
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  }
  if (scale > 0) digits.insert(static_cast<size_t>(scale), 1, '.');
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string decimal_to_fixed(Int128 unscaled, size_t size) {
  std::string bytes(size, unscaled < 0 ? '\xFF' : '\0');
  auto rest = static_cast<Unsigned128>(unscaled);
  for (size_t i = 0; i < size && i < sizeof(rest); ++i, rest >>= 8) {
    bytes[size - 1 - i] = static_cast<char>(static_cast<uint8_t>(rest & 0xFF));
  }
  return bytes;
}

std::string decimal_to_bytes(Int128 unscaled) {
  std::string bytes = decimal_to_fixed(unscaled, sizeof(Int128));
  // A leading byte goes when the next one still tells the sign.
  size_t first = 0;
  while (first + 1 < bytes.size()) {
    const bool next_is_negative = (static_cast<uint8_t>(bytes[first + 1]) & 0x80) != 0;
    if (bytes[first] != (next_is_negative ? '\xFF' : '\0')) break;
    ++first;
  }
  return bytes.substr(first);
}

Int128 decimal_from_bytes(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > sizeof(Int128)) {
    fail(ErrorKind::kCorrupt, "reading a decimal: it has {} bytes, not 1 to 16", bytes.size());
  }
  Unsigned128 value = (static_cast<uint8_t>(bytes[0]) & 0x80) != 0 ? ~Unsigned128{0} : 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return static_cast<Int128>(value);
}

size_t decimal_fixed_size(int precision) {
  Int128 greatest = 0;
  for (int i = 0; i < precision; ++i) greatest = greatest * 10 + 9;
  return decimal_to_bytes(greatest).size();
}

}  // namespace headrace::lake
