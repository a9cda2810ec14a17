#pragma once

// Dates, times and timestamps as DuckDB prints them (2024-01-31, 12:34:56.789,
// 2024-01-31 12:34:56.5, the same with +00, years before 1 as "0044-03-15 (BC)"), to and from their
// integers. Pure functions; Error invalid for other text.

#include <cstdint>
#include <string>
#include <string_view>

namespace headrace::lake {

int32_t days_from_text(std::string_view text);
std::string days_to_text(int32_t days);
int64_t time_from_text(std::string_view text);
std::string time_to_text(int64_t micros);
// With or without the offset of UTC at the end.
int64_t timestamp_from_text(std::string_view text);
std::string timestamp_to_text(int64_t micros, bool with_offset);

}  // namespace headrace::lake
