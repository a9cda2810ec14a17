// Any bytes as a deletion vector, as the bitmap in one, and as the footer of a Puffin file: refused
// with an Error or read, never a crash, an endless loop or memory without end. What is read as
// positions is written and read again.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "codec/crc32.h"
#include "lake/deletion_vector.h"
#include "lake/puffin.h"

namespace {

using namespace headrace::lake;

void append_big_endian(std::string& into, uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) into += static_cast<char>(value >> shift);
}

// A blob around these bytes whose length and checksum are right, so that what is inside is reached.
std::string sealed(std::string_view bitmaps) {
  const std::string content = "\xD1\xD3\x39\x64" + std::string(bitmaps);
  std::string blob;
  append_big_endian(blob, static_cast<uint32_t>(content.size()));
  blob += content;
  append_big_endian(blob, headrace::codec::crc32(content));
  return blob;
}

void read_vector(std::string_view blob) {
  try {
    const RowPositions positions = read_deletion_vector(blob);
    const RowPositions again = read_deletion_vector(write_deletion_vector(positions));
    // Not as lists: a few bytes may say billions of positions.
    const bool is_same =
        again.count() == positions.count() && again.without(positions).count() == 0;
    if (!is_same) std::abort();
  } catch (const headrace::Error&) {
  }
}

void read_footer(std::string_view bytes) {
  try {
    read_puffin_footer(bytes);
  } catch (const headrace::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_vector(bytes);
  read_vector(sealed(bytes));
  // The one bitmap of a vector of rows below 2^32.
  read_vector(sealed(std::string("\1\0\0\0\0\0\0\0\0\0\0\0", 12) + std::string(bytes)));
  read_footer(bytes);
  return 0;
}
