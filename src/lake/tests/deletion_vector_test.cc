// Deletion vectors and Puffin files against bytes that were put together by hand.

#include "lake/deletion_vector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "codec/compression.h"
#include "codec/crc32.h"
#include "lake/puffin.h"
#include "lake/testing/error_kind.h"

namespace headrace::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string hex(std::string_view digits) {
  std::string bytes;
  for (size_t i = 0; i < digits.size();) {
    if (digits[i] == ' ') {
      ++i;
      continue;
    }
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
    i += 2;
  }
  return bytes;
}

std::string big_endian(uint32_t value) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>(value >> shift);
  return bytes;
}

// A blob of what stands between its magic number and its checksum.
std::string blob_of(const std::string& bitmaps) {
  const std::string content = hex("D1D33964") + bitmaps;
  return big_endian(static_cast<uint32_t>(content.size())) + content +
         big_endian(codec::crc32(content));
}

// One 32-bit bitmap: cookie 12346, one container of key 0 with the two positions 3 and 258.
const char* const kTwoPositions = "3A300000 01000000 0000 0100 10000000 0300 0201";

TEST(DeletionVectorTest, ReadsBytesOfTheSpecification) {
  const std::string blob = blob_of(hex("0100000000000000 00000000") + hex(kTwoPositions));
  // 4 of the length, 4 of the magic number, 8 of the count, 4 of the key, 20 of the bitmap, 4 of
  // the checksum, which Python's zlib.crc32 gives.
  ASSERT_THAT(blob, SizeIs(44));
  EXPECT_EQ(blob.substr(0, 4), hex("00000024"));
  EXPECT_EQ(blob.substr(40), hex("AC215EF5"));
  EXPECT_THAT(read_deletion_vector(blob).sorted(), ElementsAre(3, 258));
}

TEST(DeletionVectorTest, ReadsEveryKindOfContainer) {
  // Cookie 12347 with one container, which is of runs: 5 to 7 and 65535.
  const std::string runs = hex("3B300000 01 0000 0300 0200 0500 0200 FFFF 0000");
  EXPECT_THAT(read_deletion_vector(blob_of(hex("0100000000000000 00000000") + runs)).sorted(),
              ElementsAre(5, 6, 7, 65535));
  // A container of bits: all that are even.
  std::string bits = hex("3A300000 01000000 0100 FF7F 10000000");
  bits += std::string(8192, '\x55');
  const RowPositions even = read_deletion_vector(blob_of(hex("0100000000000000 00000000") + bits));
  EXPECT_EQ(even.count(), 32768);
  EXPECT_TRUE(even.contains(65536));
  EXPECT_FALSE(even.contains(65537));
  EXPECT_FALSE(even.contains(0));
}

TEST(DeletionVectorTest, WhatIsWrittenIsReadAgain) {
  RowPositions positions;
  EXPECT_EQ(read_deletion_vector(write_deletion_vector(positions)).count(), 0);
  for (int64_t i = 0; i < 100'000; ++i) positions.add(i);                 // runs
  for (int64_t i = 0; i < 100'000; ++i) positions.add(500'000 + 2 * i);   // bits
  for (int64_t i = 0; i < 1'000; ++i) positions.add(9'000'000 + 77 * i);  // arrays
  positions.add(UINT32_MAX);
  const std::string blob = write_deletion_vector(positions);
  EXPECT_EQ(read_deletion_vector(blob).sorted(), positions.sorted());
  EXPECT_LT(blob.size(), 40'000U);  // the runs take next to nothing
}

TEST(DeletionVectorTest, EveryDamageIsNoticed) {
  const std::string blob = write_deletion_vector(RowPositions({1, 2, 70'000}));
  for (size_t i = 0; i < blob.size(); ++i) {
    std::string damaged = blob;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_EQ(kind_thrown_by([&] { read_deletion_vector(damaged); }), ErrorKind::kCorrupt) << i;
    EXPECT_EQ(kind_thrown_by([&] { read_deletion_vector(blob.substr(0, i)); }), ErrorKind::kCorrupt)
        << i;
  }
  EXPECT_EQ(kind_thrown_by([&] { read_deletion_vector(blob + "x"); }), ErrorKind::kCorrupt);
}

TEST(DeletionVectorTest, WhatHasARightChecksumMayStillBeWrong) {
  const std::string one = hex("00000000") + hex(kTwoPositions);
  const std::pair<std::string, ErrorKind> cases[] = {
      {hex("0200000000000000") + one, ErrorKind::kCorrupt},        // one of two bitmaps
      {hex("0200000000000000") + one + one, ErrorKind::kCorrupt},  // the same key twice
      {hex("0100000000000000") + one + "x", ErrorKind::kCorrupt},
      {hex("0100000000000000 00000000 0B0B0000"), ErrorKind::kCorrupt},  // no bitmap's cookie
      {hex("0100000000000000 01000000") + hex(kTwoPositions), ErrorKind::kUnsupported}};
  for (const auto& [bitmaps, kind] : cases) {
    EXPECT_EQ(kind_thrown_by([&] { read_deletion_vector(blob_of(bitmaps)); }), kind);
  }
  // An empty bitmap of rows that nobody reads is no harm; Java writes such.
  const std::string empty = hex("01000000 3A300000 00000000");
  EXPECT_THAT(read_deletion_vector(blob_of(hex("0200000000000000") + one + empty)).sorted(),
              ElementsAre(3, 258));
}

std::string footer(const std::string& payload, const std::string& flags = "00000000") {
  std::string size;
  for (const unsigned shift : {0U, 8U, 16U, 24U})
    size += static_cast<char>(payload.size() >> shift);
  return "PFA1" + payload + size + hex(flags) + "PFA1";
}

const char* const kOneBlob =
    R"({"blobs": [{"type": "deletion-vector-v1", "fields": [2147483645], "snapshot-id": -1,
        "sequence-number": -1, "offset": 4, "length": 44,
        "properties": {"referenced-data-file": "file:///d.parquet", "cardinality": "2"}}]})";

TEST(PuffinTest, ReadsFootersOfTheSpecification) {
  for (const std::string& bytes :
       {footer(kOneBlob), footer(codec::compress(codec::Codec::kLz4, kOneBlob), "01000000")}) {
    EXPECT_EQ(puffin_footer_bytes(bytes.substr(bytes.size() - kPuffinEndBytes)), bytes.size());
    const std::vector<PuffinBlob> blobs = read_puffin_footer(bytes);
    ASSERT_THAT(blobs, SizeIs(1));
    EXPECT_EQ(blobs[0].type, kDeletionVectorBlob);
    EXPECT_THAT(blobs[0].fields, ElementsAre(2147483645));
    EXPECT_EQ(blobs[0].snapshot_id, -1);
    EXPECT_EQ(blobs[0].offset, 4);
    EXPECT_EQ(blobs[0].length, 44);
    EXPECT_EQ(blobs[0].codec, "");
    EXPECT_EQ(blobs[0].properties.at("referenced-data-file"), "file:///d.parquet");
  }
}

TEST(PuffinTest, WritesBlobsAfterEachOther) {
  PuffinWriter writer;
  EXPECT_EQ(writer.add({.type = "a"}, "first").offset, 4);
  const PuffinBlob second = writer.add({.type = "b", .properties = {{"p", "v"}}}, "second");
  EXPECT_EQ(second.offset, 9);
  EXPECT_EQ(second.length, 6);
  const std::string file = std::move(writer).finish();
  EXPECT_EQ(file.substr(0, 15), "PFA1firstsecond");
  const uint64_t size = puffin_footer_bytes(file.substr(file.size() - kPuffinEndBytes));
  ASSERT_EQ(15 + size, file.size());
  const auto blobs = read_puffin_footer(file.substr(15));
  ASSERT_THAT(blobs, SizeIs(2));
  EXPECT_EQ(blobs[1].type, "b");
  EXPECT_EQ(blobs[1].properties.at("p"), "v");
  EXPECT_EQ(file.substr(static_cast<size_t>(blobs[1].offset), 6), "second");
}

TEST(PuffinTest, WhatIsNoFooterIsRefused) {
  const std::string good = footer(kOneBlob);
  std::string no_magic = good;
  no_magic[0] = 'p';
  std::string other_length = good;
  other_length[good.size() - 12] = 7;
  for (const std::string& bytes :
       {std::string(), std::string("PFA1"), good.substr(1), "x" + good, no_magic, other_length,
        footer("no json"), footer("{}"), footer(R"({"blobs": [{"type": "x"}]})"),
        footer(R"({"blobs": [{"type": "x", "fields": ["a"], "snapshot-id": 1,
                   "sequence-number": 1, "offset": 4, "length": 1}]})"),
        footer(kOneBlob, "02000000"), footer("no lz4", "01000000")}) {
    EXPECT_EQ(kind_thrown_by([&] { read_puffin_footer(bytes); }), ErrorKind::kCorrupt) << bytes;
  }
}

}  // namespace
}  // namespace headrace::lake
