#include "codec/crc32.h"

#include <zlib.h>

namespace headrace::codec {

uint32_t crc32(std::string_view bytes) {
  return static_cast<uint32_t>(
      ::crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace headrace::codec
