#include "codec/raw_deflate.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace headrace::codec {
namespace {

ErrorKind kind_of_inflating(std::string_view in, size_t max_bytes) {
  try {
    raw_inflate(in, max_bytes);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;
}

TEST(RawDeflateTest, GivesBackWhatItTook) {
  for (const std::string& text : {std::string(), std::string("a"), std::string(300'000, 'x')}) {
    EXPECT_EQ(raw_inflate(raw_deflate(text), text.size()), text);
  }
}

TEST(RawDeflateTest, ReadsWhatZlibWroteElsewhere) {
  // Python: zlib.compressobj(wbits=-15) over b"hello hello hello"
  const std::string bytes("\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x90\x00", 10);
  EXPECT_EQ(raw_inflate(bytes, 100), "hello hello hello");
}

TEST(RawDeflateTest, RefusesDamageAndBombs) {
  const std::string good = raw_deflate(std::string(300'000, 'x'));
  EXPECT_EQ(kind_of_inflating(good, 299'999), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of_inflating(good.substr(0, good.size() / 2), 300'000), ErrorKind::kCorrupt);
  EXPECT_EQ(kind_of_inflating("", 10), ErrorKind::kCorrupt);
  EXPECT_EQ(kind_of_inflating("\xFF\xFF\xFF", 10), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace headrace::codec
