#pragma once

// The hash behind partition_for_key. Private to this module and its tests.

#include <cstdint>
#include <string_view>

namespace headrace::stream {

uint32_t murmur2(std::string_view key);

}  // namespace headrace::stream
