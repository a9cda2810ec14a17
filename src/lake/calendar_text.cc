#include "lake/calendar_text.h"

#include <charconv>
#include <chrono>

#include "base/error.h"

namespace headrace::lake {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
constexpr std::string_view kBeforeChrist = " (BC)";

[[noreturn]] void malformed(std::string_view text) {
  fail(ErrorKind::kInvalid, "reading \"{}\": it is not a date or time as DuckDB prints it", text);
}

// Takes digits and the separator after them.
int take_number(std::string_view& rest, char separator, std::string_view whole) {
  int number = 0;
  const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  const auto length = static_cast<size_t>(end - rest.data());
  if (code != std::errc{} || number < 0) malformed(whole);
  rest.remove_prefix(length);
  if (separator != '\0') {
    if (rest.empty() || rest.front() != separator) malformed(whole);
    rest.remove_prefix(1);
  }
  return number;
}

int64_t floor_divide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

}  // namespace

int32_t days_from_text(std::string_view text) {
  using namespace std::chrono;
  std::string_view rest = text;
  const bool before_christ = rest.ends_with(kBeforeChrist);
  if (before_christ) rest.remove_suffix(kBeforeChrist.size());
  int year_number = take_number(rest, '-', text);
  const int month_number = take_number(rest, '-', text);
  const int day_number = take_number(rest, '\0', text);
  if (before_christ) year_number = 1 - year_number;
  // Beyond std::chrono's years there is no calendar here; such values get no bound.
  if (!rest.empty() || year_number > 32'767 || year_number < -32'767) malformed(text);
  const year_month_day date{year{year_number}, month{static_cast<unsigned>(month_number)},
                            day{static_cast<unsigned>(day_number)}};
  if (!date.ok()) malformed(text);
  return static_cast<int32_t>(sys_days(date).time_since_epoch().count());
}

std::string days_to_text(int32_t days) {
  using namespace std::chrono;
  // std::chrono's years end where its 16 bits do.
  if (days > 11'248'737 || days < -12'687'428) {
    fail(ErrorKind::kUnsupported, "printing a date: day {} is outside the years ±32767", days);
  }
  const year_month_day date{sys_days{std::chrono::days{days}}};
  const int year_number = static_cast<int>(date.year());
  const bool before_christ = year_number < 1;
  return format("{:04}-{:02}-{:02}{}", before_christ ? 1 - year_number : year_number,
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                before_christ ? kBeforeChrist : "");
}

int64_t time_from_text(std::string_view text) {
  std::string_view rest = text;
  const int64_t hours = take_number(rest, ':', text);
  const int64_t minutes = take_number(rest, ':', text);
  const int64_t seconds = take_number(rest, '\0', text);
  int64_t micros = 0;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    int64_t unit = kMicrosPerSecond;
    while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9' && unit > 1) {
      unit /= 10;
      micros += (rest.front() - '0') * unit;
      rest.remove_prefix(1);
    }
  }
  if (!rest.empty() || hours > 24 || minutes > 59 || seconds > 59) malformed(text);
  return ((hours * 60 + minutes) * 60 + seconds) * kMicrosPerSecond + micros;
}

std::string time_to_text(int64_t micros) {
  const int64_t seconds = micros / kMicrosPerSecond;
  std::string text = format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (const int64_t fraction = micros % kMicrosPerSecond; fraction != 0) {
    text += format(".{:06}", fraction);
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

int64_t timestamp_from_text(std::string_view text) {
  std::string_view rest = text;
  const bool before_christ = rest.ends_with(kBeforeChrist);
  if (before_christ) rest.remove_suffix(kBeforeChrist.size());
  if (rest.ends_with("+00")) rest.remove_suffix(3);
  const size_t space = rest.find(' ');
  if (space == std::string_view::npos) malformed(text);
  const std::string date =
      std::string(rest.substr(0, space)) + (before_christ ? std::string(kBeforeChrist) : "");
  return days_from_text(date) * kMicrosPerDay + time_from_text(rest.substr(space + 1));
}

std::string timestamp_to_text(int64_t micros, bool with_offset) {
  const int64_t days = floor_divide(micros, kMicrosPerDay);
  std::string date = days_to_text(static_cast<int32_t>(days));
  const bool before_christ = date.ends_with(kBeforeChrist);
  if (before_christ) date.resize(date.size() - kBeforeChrist.size());
  return date + " " + time_to_text(micros - days * kMicrosPerDay) + (with_offset ? "+00" : "") +
         (before_christ ? std::string(kBeforeChrist) : "");
}

}  // namespace headrace::lake
