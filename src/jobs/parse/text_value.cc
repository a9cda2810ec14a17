#include "jobs/parse/text_value.h"

#include <charconv>
#include <chrono>

namespace headrace::jobs::parse {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes exactly `digits` digits off the front.
bool take_digits(std::string_view& text, int digits, int& value) {
  if (text.size() < static_cast<size_t>(digits)) return false;
  value = 0;
  for (int i = 0; i < digits; ++i) {
    const char c = text[static_cast<size_t>(i)];
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(static_cast<size_t>(digits));
  return true;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text, int64_t& days) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) ||
      !take(text, '-') || !take_digits(text, 2, day)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return false;
  days = std::chrono::sys_days(date).time_since_epoch().count();
  return true;
}

// ".5" → 500000; up to six digits.
bool take_fraction(std::string_view& text, int64_t& micros) {
  micros = 0;
  if (!take(text, '.')) return true;
  int64_t unit = kMicrosPerSecond;
  size_t digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (++digits > 6 && text.front() != '0') return false;
    unit /= 10;
    micros += (text.front() - '0') * unit;
    text.remove_prefix(1);
  }
  return digits > 0;
}

bool take_time(std::string_view& text, int64_t& micros) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  int64_t fraction = 0;
  if (!take_digits(text, 2, hour) || !take(text, ':') || !take_digits(text, 2, minute))
    return false;
  if (take(text, ':') && (!take_digits(text, 2, second) || !take_fraction(text, fraction)))
    return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  micros = ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + fraction;
  return true;
}

// The offset from UTC at the end of a time.
bool take_zone(std::string_view& text, int64_t& offset_micros) {
  offset_micros = 0;
  if (text.empty() || take(text, 'Z') || take(text, 'z')) return true;
  const bool west = text.front() == '-';
  if (!west && text.front() != '+') return false;
  text.remove_prefix(1);
  int hours = 0;
  int minutes = 0;
  if (!take_digits(text, 2, hours)) return false;
  if (!text.empty()) {
    take(text, ':');
    if (!take_digits(text, 2, minutes)) return false;
  }
  if (hours > 15 || minutes > 59) return false;
  offset_micros = (hours * 60 + minutes) * 60 * kMicrosPerSecond * (west ? -1 : 1);
  return true;
}

template <class Number>
std::optional<Number> from_characters(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || text.empty())
    return std::nullopt;
  return value;
}

bool is_word(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower_case[i]) return false;
  }
  return true;
}

}  // namespace

std::optional<bool> parse_boolean(std::string_view text) {
  text = trimmed(text);
  if (is_word(text, "true")) return true;
  if (is_word(text, "false")) return false;
  return std::nullopt;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  return from_characters<int64_t>(text);
}

std::optional<double> parse_double(std::string_view text) { return from_characters<double>(text); }

std::optional<engine::Int128> parse_decimal(std::string_view text, int precision, int scale) {
  text = trimmed(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  // 128-bit arithmetic by 10 and add: 38 digits fit.
  uint64_t high = 0;
  uint64_t low = 0;
  const auto push_digit = [&](int digit) {
    const uint64_t low_part = (low & 0xFFFFFFFFull) * 10 + static_cast<uint64_t>(digit);
    const uint64_t middle = (low >> 32) * 10 + (low_part >> 32);
    high = high * 10 + (middle >> 32);
    low = (middle << 32) | (low_part & 0xFFFFFFFFull);
  };
  int whole_digits = 0;
  int fraction_digits = 0;
  bool any = false;
  bool in_fraction = false;
  for (const char c : text) {
    if (c == '.' && !in_fraction) {
      in_fraction = true;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    any = true;
    if (in_fraction && fraction_digits == scale) {
      if (c != '0') return std::nullopt;
      continue;
    }
    if (in_fraction) {
      ++fraction_digits;
    } else if (whole_digits > 0 || c != '0') {
      ++whole_digits;
    }
    if (whole_digits > precision - scale) return std::nullopt;
    push_digit(c - '0');
  }
  if (!any) return std::nullopt;
  for (; fraction_digits < scale; ++fraction_digits) push_digit(0);
  if (negative) {
    low = ~low + 1;
    high = ~high + (low == 0 ? 1 : 0);
  }
  return engine::Int128{low, static_cast<int64_t>(high)};
}

std::optional<int32_t> parse_date(std::string_view text) {
  text = trimmed(text);
  int64_t days = 0;
  if (!take_date(text, days) || !text.empty()) return std::nullopt;
  return static_cast<int32_t>(days);
}

std::optional<int64_t> parse_time(std::string_view text) {
  text = trimmed(text);
  int64_t micros = 0;
  if (!take_time(text, micros) || !text.empty()) return std::nullopt;
  return micros;
}

std::optional<int64_t> parse_timestamp(std::string_view text) {
  text = trimmed(text);
  int64_t days = 0;
  int64_t micros = 0;
  int64_t offset = 0;
  if (!take_date(text, days)) return std::nullopt;
  if (text.empty()) return days * kMicrosPerDay;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  if (!take_time(text, micros)) return std::nullopt;
  text = trimmed(text);
  if (!take_zone(text, offset) || !text.empty()) return std::nullopt;
  return days * kMicrosPerDay + micros - offset;
}

std::optional<engine::Int128> parse_uuid(std::string_view text) {
  text = trimmed(text);
  uint64_t halves[2] = {0, 0};
  int digits = 0;
  for (const char c : text) {
    if (c == '-' && (digits == 8 || digits == 12 || digits == 16 || digits == 20)) continue;
    int value = 0;
    if (c >= '0' && c <= '9') {
      value = c - '0';
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      value = (c | 0x20) - 'a' + 10;
    } else {
      return std::nullopt;
    }
    if (digits == 32) return std::nullopt;
    uint64_t& half = halves[digits / 16];
    half = (half << 4) | static_cast<uint64_t>(value);
    ++digits;
  }
  if (digits != 32) return std::nullopt;
  // The engine orders UUIDs as signed numbers, so it keeps them with the highest bit flipped.
  return engine::Int128{halves[1], static_cast<int64_t>(halves[0] ^ (1ull << 63))};
}

}  // namespace headrace::jobs::parse
