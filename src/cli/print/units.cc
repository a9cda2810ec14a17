#include "cli/print/units.h"

#include <array>

#include "base/format.h"

namespace headrace::cli {

std::string grouped(int64_t number) {
  std::string digits = format("{}", number);
  const size_t sign = number < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > sign + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string counted(int64_t number, std::string_view noun) {
  return format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

std::string bytes_text(int64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? format("{} B", bytes) : format("{:.1f} {}", value, kUnits[unit]);
}

std::string duration_text(double milliseconds) {
  if (milliseconds < 1000) return format("{:.1f} ms", milliseconds);
  if (milliseconds < 60'000) return format("{:.2f} s", milliseconds / 1000);
  const auto seconds = static_cast<int64_t>(milliseconds / 1000);
  if (seconds < 3600) return format("{} m {:02} s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return format("{} h {:02} m", seconds / 3600, seconds / 60 % 60);
  return format("{} d {:02} h", seconds / 86'400, seconds / 3600 % 24);
}

std::string rate_text(double for_each_second) {
  if (for_each_second < 1000) return format("{:.0f}", for_each_second);
  if (for_each_second < 1'000'000) return format("{:.1f} k", for_each_second / 1000);
  return format("{:.2f} M", for_each_second / 1'000'000);
}

}  // namespace headrace::cli
