#pragma once

// CRC-32 (ISO 3309, the polynomial of gzip and zip), the checksum of Iceberg's deletion vectors.
// Any thread.

#include <cstdint>
#include <string_view>

namespace headrace::codec {

uint32_t crc32(std::string_view bytes);

}  // namespace headrace::codec
