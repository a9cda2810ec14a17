#pragma once

// Text of numbers, times and the like into the engine's representation (engine/vector.h). Strict:
// the whole text must be the value, blanks around it aside. nullopt: it is not.

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/vector.h"

namespace headrace::jobs::parse {

std::optional<bool> parse_boolean(std::string_view text);  // true, false, in any case
std::optional<int64_t> parse_integer(std::string_view text);
std::optional<double> parse_double(std::string_view text);  // also inf and nan
// The unscaled value; nullopt when there are more digits than precision and scale allow (never
// rounded).
std::optional<engine::Int128> parse_decimal(std::string_view text, int precision, int scale);
std::optional<int32_t> parse_date(std::string_view text);  // 2015-09-12 → days
std::optional<int64_t> parse_time(std::string_view text);  // 01:02:03.5 → microseconds
// ISO 8601 with 'T' or a blank, seconds and fraction optional; an offset (Z, +02, +02:00, +0200) is
// applied, without one the time is UTC. Microseconds since 1970. More than six digits of fraction
// are refused.
std::optional<int64_t> parse_timestamp(std::string_view text);
std::optional<engine::Int128> parse_uuid(std::string_view text);

}  // namespace headrace::jobs::parse
