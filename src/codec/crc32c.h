#pragma once

// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of Kafka record batches. Uses the
// processor's instruction where there is one. Any thread.

#include <cstdint>
#include <string_view>

namespace headrace::codec {

// The checksum of `bytes`, or, given that of the bytes before them, of both together.
uint32_t crc32c(std::string_view bytes, uint32_t of_bytes_before = 0);

// The same without the instruction, for machines that lack it; the two are tested against each
// other.
uint32_t crc32c_portable(std::string_view bytes, uint32_t of_bytes_before = 0);

}  // namespace headrace::codec
