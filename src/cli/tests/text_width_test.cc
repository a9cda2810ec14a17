#include "cli/print/text_width.h"

#include <gtest/gtest.h>

#include "cli/print/units.h"

namespace headrace::cli {
namespace {

TEST(TextWidth, CountsColumns) {
  EXPECT_EQ(width_of("abc"), 3);
  EXPECT_EQ(width_of("日本"), 4);
  EXPECT_EQ(width_of("e\u0301"), 1);
  EXPECT_EQ(width_of("🚀"), 2);
  EXPECT_EQ(width_of("\xff\xfe"), 2);  // not UTF-8: one for each byte
}

TEST(TextWidth, CutsAtAColumn) {
  EXPECT_EQ(cut_to_width("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to_width("abcdef", 5), "abcd…");
  EXPECT_EQ(cut_to_width("日本語", 5), "日本…");
  EXPECT_EQ(cut_to_width("日本語", 4), "日…");
  EXPECT_EQ(cut_to_width("abc", 1), "…");
}

TEST(TextWidth, MakesControlCharactersVisible) {
  EXPECT_EQ(visible_text("a\nb\tc\r\x1b[0m\x7f"), "a\\nb\\tc\\r\\x1b[0m\\x7f");
  EXPECT_EQ(visible_text("\xc3\x28"), "\uFFFD(");
  EXPECT_EQ(visible_text("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(visible_text("\xc2\x9b"), "\\x9b");                   // control sequence introducer
}

TEST(Units, ReadAsPeopleWriteThem) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(grouped(-123), "-123");
  EXPECT_EQ(counted(1, "row"), "1 row");
  EXPECT_EQ(counted(1000, "row"), "1,000 rows");
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(duration_text(1.25), "1.2 ms");
  EXPECT_EQ(duration_text(125'000), "2 m 05 s");
  EXPECT_EQ(duration_text(11'520'000), "3 h 12 m");
  EXPECT_EQ(rate_text(12'345), "12.3 k");
}

}  // namespace
}  // namespace headrace::cli
