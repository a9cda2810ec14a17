#include "jobs/parse/text_value.h"

#include <gtest/gtest.h>

namespace headrace::jobs::parse {
namespace {

constexpr int64_t kSecond = 1'000'000;

TEST(parse_timestamp, takes_iso_8601_and_nothing_else) {
  const std::pair<const char*, std::optional<int64_t>> cases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01 00:00:01", kSecond},
      {"1970-01-01", 0},
      {" 1970-01-01T00:00 ", 0},
      {"1970-01-01T00:00:00.5Z", kSecond / 2},
      {"1970-01-01T00:00:00.000001+00:00", 1},
      {"1970-01-01T02:00:00+02:00", 0},
      {"1969-12-31T22:30:00-0130", 0},
      {"1970-01-01T02:00:00+02", 0},
      {"2015-09-12T00:46:58.771Z", 1442018818771000},
      {"1970-01-01T00:00:00.1234560Z", 123456},
      {"1970-01-01T00:00:00.1234567Z", std::nullopt},
      {"1970-13-01T00:00:00Z", std::nullopt},
      {"1970-02-30", std::nullopt},
      {"1970-01-01T24:00:00Z", std::nullopt},
      {"1970-01-01T00:00:00Zx", std::nullopt},
      {"1970-01-01T", std::nullopt},
      {"not-a-time", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& [text, micros] : cases)
    EXPECT_EQ(parse_timestamp(text), micros) << "'" << text << "'";
}

TEST(parse_decimal, never_rounds) {
  struct Case {
    const char* text;
    int precision;
    int scale;
    std::optional<int64_t> unscaled;
  };
  const Case cases[] = {
      {"1.50", 4, 2, 150},
      {"-1.5", 4, 2, -150},
      {"0", 1, 0, 0},
      {"99.99", 4, 2, 9999},
      {"100", 4, 2, std::nullopt},
      {"1.234", 4, 2, std::nullopt},
      {"1.2300", 4, 2, 123},
      {"007", 1, 0, 7},
      {"1e3", 9, 2, std::nullopt},
      {".5", 3, 2, 50},
      {"", 3, 2, std::nullopt},
      {"-", 3, 2, std::nullopt},
  };
  for (const Case& c : cases) {
    const auto value = parse_decimal(c.text, c.precision, c.scale);
    ASSERT_EQ(value.has_value(), c.unscaled.has_value()) << "'" << c.text << "'";
    if (value) {
      EXPECT_EQ(static_cast<int64_t>(value->low), *c.unscaled) << c.text;
    }
  }
  const auto wide = parse_decimal("-12345678901234567890123456789012345678", 38, 0);
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->high, -669260594276348692);
  EXPECT_EQ(wide->low, 4302749291975740594u);
}

TEST(parse_integer, takes_whole_numbers_that_fit) {
  EXPECT_EQ(parse_integer("42"), 42);
  EXPECT_EQ(parse_integer(" -7 "), -7);
  EXPECT_EQ(parse_integer("+7"), 7);
  EXPECT_EQ(parse_integer("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(parse_integer("9223372036854775808"), std::nullopt);
  EXPECT_EQ(parse_integer("1.0"), std::nullopt);
  EXPECT_EQ(parse_integer("0x10"), std::nullopt);
  EXPECT_EQ(parse_integer(""), std::nullopt);
}

TEST(parse_uuid, takes_both_spellings) {
  const auto dashed = parse_uuid("00000000-0000-4000-8000-0000000000FF");
  const auto plain = parse_uuid("000000000000400080000000000000ff");
  ASSERT_TRUE(dashed && plain);
  EXPECT_EQ(dashed->low, plain->low);
  EXPECT_EQ(dashed->low & 0xFF, 0xFFu);
  EXPECT_EQ(parse_uuid("0000"), std::nullopt);
  EXPECT_EQ(parse_uuid("g0000000-0000-4000-8000-0000000000ff"), std::nullopt);
  EXPECT_EQ(parse_uuid("0000000000004000800000000000000000"), std::nullopt);
}

TEST(parse_boolean_date_time, take_their_words) {
  EXPECT_EQ(parse_boolean("TRUE"), true);
  EXPECT_EQ(parse_boolean("false"), false);
  EXPECT_EQ(parse_boolean("1"), std::nullopt);
  EXPECT_EQ(parse_date("1970-01-02"), 1);
  EXPECT_EQ(parse_date("1970-01-02T00:00:00"), std::nullopt);
  EXPECT_EQ(parse_time("01:00:00.25"), 3600 * kSecond + kSecond / 4);
  EXPECT_EQ(parse_time("25:00"), std::nullopt);
  EXPECT_EQ(parse_double("1.5e3"), 1500.0);
  EXPECT_EQ(parse_double("1.5x"), std::nullopt);
}

}  // namespace
}  // namespace headrace::jobs::parse
