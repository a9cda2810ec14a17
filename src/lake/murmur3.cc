#include "lake/murmur3.h"

#include <bit>
#include <cstddef>

namespace headrace::lake {
namespace {

constexpr uint32_t kFirst = 0xCC9E2D51;
constexpr uint32_t kSecond = 0x1B873593;

uint32_t byte_at(std::string_view bytes, size_t index) {
  return static_cast<uint8_t>(bytes[index]);
}

uint32_t scramble(uint32_t block) { return std::rotl(block * kFirst, 15) * kSecond; }

}  // namespace

uint32_t murmur3_x86_32(std::string_view bytes) {
  uint32_t hash = 0;
  size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    const uint32_t block = byte_at(bytes, i) | byte_at(bytes, i + 1) << 8 |
                           byte_at(bytes, i + 2) << 16 | byte_at(bytes, i + 3) << 24;
    hash = std::rotl(hash ^ scramble(block), 13) * 5 + 0xE6546B64;
  }
  uint32_t tail = 0;
  for (size_t left = bytes.size(); left > i; --left) tail = tail << 8 | byte_at(bytes, left - 1);
  hash ^= scramble(tail);
  hash ^= static_cast<uint32_t>(bytes.size());
  hash = (hash ^ hash >> 16) * 0x85EBCA6B;
  hash = (hash ^ hash >> 13) * 0xC2B2AE35;
  return hash ^ hash >> 16;
}

}  // namespace headrace::lake
