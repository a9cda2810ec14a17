#include "config/scalar.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/format.h"

namespace headrace::config {

namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

// Largest first: the first that divides a value evenly is the one to write it with.
constexpr std::array<Unit, 5> kDurations{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr int64_t kKi = 1024;
constexpr std::array<Unit, 10> kSizes{{{"TiB", kKi * kKi * kKi * kKi},
                                       {"TB", 1'000'000'000'000},
                                       {"GiB", kKi * kKi * kKi},
                                       {"GB", 1'000'000'000},
                                       {"MiB", kKi * kKi},
                                       {"MB", 1'000'000},
                                       {"KiB", kKi},
                                       {"kB", 1'000},
                                       {"KB", 1'000},
                                       {"B", 1}}};

template <class Units>
const Unit* find_unit(const Units& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

// A decimal number, a unit; whole numbers are multiplied exactly.
template <class Units>
std::optional<int64_t> parse_quantity(std::string_view text, const Units& units) {
  const size_t end = text.find_last_of("0123456789");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view number = text.substr(0, end + 1);
  std::string_view name = text.substr(end + 1);
  while (name.starts_with(' ')) name.remove_prefix(1);
  const Unit* unit = find_unit(units, name);
  if (unit == nullptr || number.find_first_of("xXeE") != std::string_view::npos)
    return std::nullopt;
  if (const auto whole = parse_integer(number)) {
    int64_t product = 0;
    if (__builtin_mul_overflow(*whole, unit->factor, &product)) return std::nullopt;
    return product;
  }
  const auto fraction = parse_number(number);
  if (!fraction) return std::nullopt;
  const double product = std::round(*fraction * static_cast<double>(unit->factor));
  if (std::abs(product) >= 9e18) return std::nullopt;
  return static_cast<int64_t>(product);
}

template <class Units>
const Unit& best_unit(const Units& units, int64_t value) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) return unit;
  }
  return units.back();
}

}  // namespace

bool is_null_text(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool between_digits = i > 0 && i + 1 < text.size() && text[i - 1] != '_';
    if (text[i] != '_' || !between_digits) digits += text[i];
  }
  std::string_view rest = digits;
  if (rest.starts_with('+') && rest.size() > 1 && rest[1] != '-') rest.remove_prefix(1);
  const bool hexadecimal = rest.starts_with("0x");
  if (hexadecimal) rest.remove_prefix(2);
  if (hexadecimal && rest.starts_with('-')) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] =
      std::from_chars(rest.data(), rest.data() + rest.size(), value, hexadecimal ? 16 : 10);
  if (error != std::errc() || end != rest.data() + rest.size() || rest.empty()) return std::nullopt;
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  if (text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds(0);
  const auto value = parse_quantity(text, kDurations);
  if (!value) return std::nullopt;
  return std::chrono::milliseconds(*value);
}

std::optional<Bytes> parse_bytes(std::string_view text) {
  if (const auto plain = parse_integer(text)) return Bytes{*plain};
  const auto value = parse_quantity(text, kSizes);
  if (!value) return std::nullopt;
  return Bytes{*value};
}

std::string to_text(std::chrono::milliseconds duration) {
  const Unit& unit = best_unit(kDurations, duration.count());
  return format("{}{}", duration.count() / unit.factor, unit.name);
}

std::string to_text(Bytes bytes) {
  const Unit& unit = best_unit(kSizes, bytes.count);
  return format("{}{}", bytes.count / unit.factor, unit.factor == 1 ? "" : unit.name);
}

}  // namespace headrace::config
