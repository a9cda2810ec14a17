#include "codec/crc32.h"

#include <string>

#include <gtest/gtest.h>

namespace headrace::codec {
namespace {

// The check value of the CRC catalogue, and what Python's zlib.crc32 gives.
TEST(Crc32, GivesTheKnownVectors) {
  EXPECT_EQ(crc32(""), 0U);
  EXPECT_EQ(crc32("123456789"), 0xCBF43926U);
  EXPECT_EQ(crc32(std::string(32, '\0')), 0x190A55ADU);
  EXPECT_EQ(crc32(std::string(32, '\xFF')), 0xFF6CAB0BU);
}

}  // namespace
}  // namespace headrace::codec
