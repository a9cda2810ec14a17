#pragma once

// Numbers as people read them.

#include <cstdint>
#include <string>
#include <string_view>

namespace headrace::cli {

std::string grouped(int64_t number);                         // 1,234,567
std::string counted(int64_t number, std::string_view noun);  // 1 row, 2 rows
std::string bytes_text(int64_t bytes);                       // 512 B, 1.5 MiB
std::string duration_text(double milliseconds);              // 1.2 ms, 3.45 s, 2 m 05 s, 3 h 12 m
std::string rate_text(double for_each_second);               // 950, 12.3 k, 4.56 M

}  // namespace headrace::cli
