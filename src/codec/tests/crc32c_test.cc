#include "codec/crc32c.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace headrace::codec {
namespace {

struct KnownVector {
  std::string bytes;
  uint32_t crc;
};

// RFC 3720 appendix B.4 and the check value of the CRC catalogue.
std::vector<KnownVector> known_vectors() {
  std::string ascending;
  for (char byte = 0; byte < 32; ++byte) ascending.push_back(byte);
  return {{"", 0},
          {"123456789", 0xE3069283},
          {std::string(32, '\0'), 0x8A9136AA},
          {std::string(32, '\xFF'), 0x62A8AB43},
          {ascending, 0x46DD794E},
          {std::string(ascending.rbegin(), ascending.rend()), 0x113FDB5C}};
}

TEST(Crc32c, GivesTheKnownVectors) {
  for (const KnownVector& vector : known_vectors()) {
    EXPECT_EQ(crc32c(vector.bytes), vector.crc) << vector.bytes.size() << " bytes";
    EXPECT_EQ(crc32c_portable(vector.bytes), vector.crc) << vector.bytes.size() << " bytes";
  }
}

TEST(Crc32c, BothWaysAgreeAtEveryLengthAndAlignment) {
  std::mt19937_64 random(7);
  std::string bytes(40'000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  for (size_t length = 0; length <= bytes.size(); length += 1 + length / 7) {
    for (size_t start = 0; start < 9 && start + length <= bytes.size(); ++start) {
      const std::string_view piece = std::string_view(bytes).substr(start, length);
      ASSERT_EQ(crc32c(piece), crc32c_portable(piece)) << start << " + " << length;
    }
  }
}

TEST(Crc32c, ContinuesFromTheBytesBefore) {
  const std::string bytes(10'000, 'x');
  const std::string_view view = bytes;
  for (const size_t cut : {0, 1, 7, 4096, 9999, 10'000}) {
    EXPECT_EQ(crc32c(view.substr(cut), crc32c(view.substr(0, cut))), crc32c(view)) << cut;
  }
}

}  // namespace
}  // namespace headrace::codec
