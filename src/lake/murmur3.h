#pragma once

// MurmurHash3, x86 32-bit variant with seed 0 (A. Appleby, public domain): the hash of Iceberg's
// bucket transform.

#include <cstdint>
#include <string_view>

namespace headrace::lake {

uint32_t murmur3_x86_32(std::string_view bytes);

}  // namespace headrace::lake
