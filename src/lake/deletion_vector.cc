#include "lake/deletion_vector.h"

#include <optional>

#include "base/error.h"
#include "codec/crc32.h"

namespace headrace::lake {
namespace {

constexpr std::string_view kVectorMagic = "\xD1\xD3\x39\x64";
constexpr size_t kLengthBytes = 4;
constexpr size_t kChecksumBytes = 4;
constexpr size_t kCountBytes = 8;
constexpr size_t kKeyBytes = 4;

[[noreturn]] void corrupt_vector(std::string_view why) {
  fail(ErrorKind::kCorrupt, "reading a deletion vector: {}", why);
}

uint32_t big_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < sizeof(value); ++i) value = value << 8U | static_cast<uint8_t>(bytes[i]);
  return value;
}

void append_big_endian(std::string& into, uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) into += static_cast<char>(value >> shift);
}

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    value |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  }
  return value;
}

void append_little_endian(std::string& into, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) into += static_cast<char>(value >> (8 * i));
}

std::string_view take(std::string_view& rest, size_t size) {
  if (rest.size() < size) corrupt_vector("it ends too early");
  const std::string_view taken = rest.substr(0, size);
  rest.remove_prefix(size);
  return taken;
}

RowPositions read_bitmaps(std::string_view rest) {
  RowPositions positions;
  std::optional<uint64_t> last_key;
  for (uint64_t left = little_endian(take(rest, kCountBytes)); left > 0; --left) {
    const uint64_t key = little_endian(take(rest, kKeyBytes));
    if (last_key && key <= *last_key) corrupt_vector("its bitmaps are not in their order");
    last_key = key;
    size_t used = 0;
    RowPositions some = RowPositions::from_portable(rest, used);
    rest.remove_prefix(used);
    if (key == 0) {
      positions = std::move(some);
    } else if (some.count() > 0) {
      fail(ErrorKind::kUnsupported,
           "reading a deletion vector: it deletes rows from 2^32 on, more than headrace reads of a "
           "file");
    }
  }
  if (!rest.empty()) corrupt_vector("something stands behind its bitmaps");
  return positions;
}

}  // namespace

std::string write_deletion_vector(const RowPositions& positions) {
  std::string content(kVectorMagic);
  append_little_endian(content, 1, kCountBytes);
  append_little_endian(content, 0, kKeyBytes);
  content += positions.to_portable();
  std::string blob;
  append_big_endian(blob, static_cast<uint32_t>(content.size()));
  blob += content;
  append_big_endian(blob, codec::crc32(content));
  return blob;
}

RowPositions read_deletion_vector(std::string_view blob) {
  if (blob.size() < kLengthBytes + kVectorMagic.size() + kCountBytes + kChecksumBytes) {
    corrupt_vector("it ends too early");
  }
  if (big_endian(blob) != blob.size() - kLengthBytes - kChecksumBytes) {
    corrupt_vector("its length is not the one that it says");
  }
  const std::string_view content =
      blob.substr(kLengthBytes, blob.size() - kLengthBytes - kChecksumBytes);
  if (!content.starts_with(kVectorMagic)) corrupt_vector("it does not begin as one");
  if (big_endian(blob.substr(blob.size() - kChecksumBytes)) != codec::crc32(content)) {
    corrupt_vector("its checksum is wrong: the file is damaged");
  }
  return read_bitmaps(content.substr(kVectorMagic.size()));
}

}  // namespace headrace::lake
