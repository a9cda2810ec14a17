#pragma once

// Text formatting. C++20's std::format is missing from g++ 12; this is the one place that knows the
// library standing in for it.

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace headrace {

using fmt::format;
using fmt::format_string;
using fmt::join;

}  // namespace headrace
