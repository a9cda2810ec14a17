#pragma once

// Reads the time out of a field of a record.

#include <cstdint>
#include <optional>
#include <string_view>

namespace headrace::sources {

// ISO 8601 with date and time ("2015-09-12T00:46:58.771Z", "2015-09-12 00:46:58+02:00") or a date
// alone; without an offset it is UTC. Milliseconds since 1970; nullopt when it is no such text.
std::optional<int64_t> parse_time_ms(std::string_view text);

// A number of seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size:
// each unit holds for times from 1973 on up to the year 5138.
int64_t scale_time_to_ms(int64_t number);

}  // namespace headrace::sources
