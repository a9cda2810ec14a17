#pragma once

// Raw DEFLATE (RFC 1951) without the frame of gzip or zlib, as Avro's codec "deflate" stores
// blocks. Any thread.

#include <cstddef>
#include <string>
#include <string_view>

namespace headrace::codec {

std::string raw_deflate(std::string_view in);
// Error corrupt when `in` is not a whole stream, invalid when more than `max_bytes` would come out.
std::string raw_inflate(std::string_view in, size_t max_bytes);

}  // namespace headrace::codec
