#include "sources/record_time.h"

#include <charconv>
#include <chrono>

namespace headrace::sources {
namespace {

// Takes exactly `digits` digits off the front of `text`.
bool take_number(std::string_view& text, size_t digits, int& value) {
  if (text.size() < digits) return false;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + digits, value);
  if (failure != std::errc() || end != text.data() + digits || value < 0) return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

bool take_fraction(std::string_view& text, int& milliseconds) {
  milliseconds = 0;
  int digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (digits < 3) milliseconds = milliseconds * 10 + (text.front() - '0');
    ++digits;
    text.remove_prefix(1);
  }
  for (int missing = digits; missing < 3; ++missing) milliseconds *= 10;
  return digits > 0;
}

bool take_offset(std::string_view& text, int& minutes) {
  minutes = 0;
  if (text.empty() || take(text, 'Z') || take(text, 'z')) return text.empty();
  const bool negative = text.front() == '-';
  if (!take(text, '-') && !take(text, '+')) return false;
  int hours = 0;
  int rest = 0;
  if (!take_number(text, 2, hours)) return false;
  take(text, ':');
  if (!text.empty() && !take_number(text, 2, rest)) return false;
  minutes = (hours * 60 + rest) * (negative ? -1 : 1);
  return text.empty() && hours < 24 && rest < 60;
}

}  // namespace

std::optional<int64_t> parse_time_ms(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, fraction_ms = 0, offset = 0;
  if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) ||
      !take(text, '-') || !take_number(text, 2, day)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  if (!text.empty()) {
    if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
    if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute)) {
      return std::nullopt;
    }
    if (take(text, ':')) {
      if (!take_number(text, 2, second)) return std::nullopt;
      if (take(text, '.') && !take_fraction(text, fraction_ms)) return std::nullopt;
    }
    if (!take_offset(text, offset)) return std::nullopt;
  }
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute - offset) * 60'000 + second * 1000 + fraction_ms;
}

int64_t scale_time_to_ms(int64_t number) {
  const uint64_t size =
      number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
  if (size < 100'000'000'000ULL) return number * 1000;
  if (size < 100'000'000'000'000ULL) return number;
  if (size < 100'000'000'000'000'000ULL) return number / 1000;
  return number / 1'000'000;
}

}  // namespace headrace::sources
