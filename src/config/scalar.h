#pragma once

// What a scalar's text means: booleans, numbers, durations and sizes, and their text again.
// Thread use: any.

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace headrace::config {

// A number of bytes, as 128MiB, 1GB or 4096.
struct Bytes {
  int64_t count = 0;
  auto operator<=>(const Bytes&) const = default;
};
constexpr Bytes kibibytes(int64_t count) { return Bytes{count * 1024}; }
constexpr Bytes mebibytes(int64_t count) { return Bytes{count * 1024 * 1024}; }
constexpr Bytes gibibytes(int64_t count) { return Bytes{count * 1024 * 1024 * 1024}; }

// Each gives nullopt for text of another form, and for what does not fit.
bool is_null_text(std::string_view text);                     // "", ~, null
std::optional<bool> parse_boolean(std::string_view text);     // true, false (YAML 1.2)
std::optional<int64_t> parse_integer(std::string_view text);  // 10, -3, +4, 0x1F, 50_000
std::optional<double> parse_number(std::string_view text);    // 1, 2.5, 1e-3; finite
std::optional<std::chrono::milliseconds> parse_duration(
    std::string_view text);  // 50ms 1.5s 5m 2h 7d
// Powers of 1024 for KiB, MiB, GiB, TiB; of 1000 for kB, KB, MB, GB, TB; B or a plain number.
std::optional<Bytes> parse_bytes(std::string_view text);

// The shortest text that parses back to the same value: 90s, 1500ms, 7d; 128MiB, 1GB, 4097.
std::string to_text(std::chrono::milliseconds duration);
std::string to_text(Bytes bytes);

}  // namespace headrace::config
