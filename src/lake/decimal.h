#pragma once

// Unscaled values of decimals of up to 38 digits. Error invalid for text that is none, corrupt for
// more than 16 bytes.

#include <string>
#include <string_view>

namespace headrace::lake {

__extension__ using Int128 = __int128;

// "-12.5" at scale 2 → −1250; digits beyond the scale must not be there.
Int128 decimal_from_text(std::string_view text, int scale);
std::string decimal_to_text(Int128 unscaled, int scale);
// Big-endian two's complement in as few bytes as hold it.
std::string decimal_to_bytes(Int128 unscaled);
Int128 decimal_from_bytes(std::string_view bytes);
// The same in exactly `size` bytes, as Avro's fixed wants it.
std::string decimal_to_fixed(Int128 unscaled, size_t size);
// Bytes that hold every decimal of this precision.
size_t decimal_fixed_size(int precision);

}  // namespace headrace::lake
