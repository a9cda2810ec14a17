#include "codec/crc32c.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace headrace::codec {
namespace {

static_assert(std::endian::native == std::endian::little, "words are loaded in little endian");

constexpr uint32_t kPolynomial = 0x82F63B78;  // Castagnoli's, bits reversed

// tables[k][b]: the checksum register after byte b and k zero bytes.
using SlicingTables = std::array<std::array<uint32_t, 256>, 8>;

constexpr SlicingTables make_slicing_tables() {
  SlicingTables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t slice = 1; slice < tables.size(); ++slice) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t previous = tables[slice - 1][byte];
      tables[slice][byte] = (previous >> 8) ^ tables[0][previous & 0xFF];
    }
  }
  return tables;
}

constexpr SlicingTables kTables = make_slicing_tables();

uint64_t load64(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

uint32_t update_portable(uint32_t crc, const char* in, size_t size) {
  for (; size >= 8; in += 8, size -= 8) {
    const uint64_t word = load64(in) ^ crc;
    crc = 0;
    for (size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][(word >> (8 * i)) & 0xFF];
  }
  for (; size > 0; ++in, --size) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<uint8_t>(*in)) & 0xFF];
  }
  return crc;
}

#if defined(__x86_64__)

// The instruction has a latency of three cycles and a throughput of one, so three stretches are
// computed side by side and joined: the register of the first is moved over the bytes of the
// second by a linear operator, kept as four tables of one byte each.
using ShiftTables = std::array<std::array<uint32_t, 256>, 4>;

constexpr size_t kLongStretch = 4096;
constexpr size_t kShortStretch = 256;

ShiftTables make_shift_tables(size_t zero_bytes) {
  std::array<uint32_t, 32> columns{};  // what each bit of the register becomes
  for (size_t bit = 0; bit < 32; ++bit) {
    uint32_t crc = 1u << bit;
    for (size_t i = 0; i < zero_bytes; ++i) crc = (crc >> 8) ^ kTables[0][crc & 0xFF];
    columns[bit] = crc;
  }
  ShiftTables tables{};
  for (size_t slice = 0; slice < 4; ++slice) {
    for (size_t byte = 0; byte < 256; ++byte) {
      uint32_t sum = 0;
      for (size_t bit = 0; bit < 8; ++bit) {
        if (((byte >> bit) & 1) != 0) sum ^= columns[slice * 8 + bit];
      }
      tables[slice][byte] = sum;
    }
  }
  return tables;
}

uint32_t shift(const ShiftTables& tables, uint32_t crc) {
  return tables[0][crc & 0xFF] ^ tables[1][(crc >> 8) & 0xFF] ^ tables[2][(crc >> 16) & 0xFF] ^
         tables[3][crc >> 24];
}

// Takes as many triples of stretches off the front of [in, in + size) as there are.
template <size_t kStretch>
__attribute__((target("sse4.2"))) uint32_t update_triples(uint32_t crc, const char*& in,
                                                          size_t& size) {
  static const ShiftTables tables = make_shift_tables(kStretch);
  while (size >= 3 * kStretch) {
    uint64_t first = crc;
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < kStretch; i += 8) {
      first = _mm_crc32_u64(first, load64(in + i));
      second = _mm_crc32_u64(second, load64(in + kStretch + i));
      third = _mm_crc32_u64(third, load64(in + 2 * kStretch + i));
    }
    crc = shift(tables, static_cast<uint32_t>(first)) ^ static_cast<uint32_t>(second);
    crc = shift(tables, crc) ^ static_cast<uint32_t>(third);
    in += 3 * kStretch;
    size -= 3 * kStretch;
  }
  return crc;
}

__attribute__((target("sse4.2"))) uint32_t update_by_instruction(uint32_t crc, const char* in,
                                                                 size_t size) {
  crc = update_triples<kLongStretch>(crc, in, size);
  crc = update_triples<kShortStretch>(crc, in, size);
  uint64_t wide = crc;
  for (; size >= 8; in += 8, size -= 8) wide = _mm_crc32_u64(wide, load64(in));
  crc = static_cast<uint32_t>(wide);
  for (; size > 0; ++in, --size) crc = _mm_crc32_u8(crc, static_cast<uint8_t>(*in));
  return crc;
}

uint32_t update(uint32_t crc, const char* in, size_t size) {
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  return has_instruction ? update_by_instruction(crc, in, size) : update_portable(crc, in, size);
}

#else

uint32_t update(uint32_t crc, const char* in, size_t size) {
  return update_portable(crc, in, size);
}

#endif

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t of_bytes_before) {
  return ~update(~of_bytes_before, bytes.data(), bytes.size());
}

uint32_t crc32c_portable(std::string_view bytes, uint32_t of_bytes_before) {
  return ~update_portable(~of_bytes_before, bytes.data(), bytes.size());
}

}  // namespace headrace::codec
