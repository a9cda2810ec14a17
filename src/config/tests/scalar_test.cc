#include "config/scalar.h"

#include <gtest/gtest.h>

namespace headrace::config {
namespace {

using std::chrono::milliseconds;

TEST(Scalar, Integers) {
  struct Case {
    const char* text;
    std::optional<int64_t> value;
  };
  for (const Case& c :
       {Case{"0", 0}, Case{"-3", -3}, Case{"+4", 4}, Case{"50_000", 50000}, Case{"0x1F", 31},
        Case{"9223372036854775807", INT64_MAX}, Case{"9223372036854775808", std::nullopt},
        Case{"", std::nullopt}, Case{"_1", std::nullopt}, Case{"1_", std::nullopt},
        Case{"1__0", std::nullopt}, Case{"1.0", std::nullopt}, Case{"+-1", std::nullopt},
        Case{"0x", std::nullopt}, Case{"0x-1", std::nullopt}, Case{"1 ", std::nullopt}}) {
    EXPECT_EQ(parse_integer(c.text), c.value) << c.text;
  }
}

TEST(Scalar, Numbers) {
  EXPECT_EQ(parse_number("2.5"), 2.5);
  EXPECT_EQ(parse_number("-1e-3"), -0.001);
  EXPECT_EQ(parse_number("+7"), 7.0);
  for (const char* text : {"", "nan", "inf", "1e999", "1.2.3", "0x10", "5m"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

TEST(Scalar, DurationsBothWays) {
  struct Case {
    const char* text;
    int64_t milliseconds;
    const char* shown;
  };
  for (const Case& c :
       {Case{"50ms", 50, "50ms"}, Case{"60s", 60'000, "1m"}, Case{"1.5s", 1500, "1500ms"},
        Case{"5 m", 300'000, "5m"}, Case{"36h", 129'600'000, "36h"}, Case{"7d", 604'800'000, "7d"},
        Case{"0", 0, "0ms"}}) {
    EXPECT_EQ(parse_duration(c.text), milliseconds(c.milliseconds)) << c.text;
    EXPECT_EQ(to_text(milliseconds(c.milliseconds)), c.shown);
    EXPECT_EQ(parse_duration(c.shown), milliseconds(c.milliseconds));
  }
  for (const char* text : {"", "5", "s", "5 minutes", "1e3s", "99999999999999999d", "5ms5"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Scalar, SizesBothWays) {
  struct Case {
    const char* text;
    int64_t bytes;
    const char* shown;
  };
  for (const Case& c : {Case{"4096", 4096, "4KiB"}, Case{"4097", 4097, "4097"},
                        Case{"128MiB", 134'217'728, "128MiB"}, Case{"1GB", 1'000'000'000, "1GB"},
                        Case{"0.5GiB", 536'870'912, "512MiB"}, Case{"10 kB", 10'000, "10kB"},
                        Case{"7B", 7, "7"}, Case{"-1", -1, "-1"}, Case{"0", 0, "0"}}) {
    EXPECT_EQ(parse_bytes(c.text), Bytes{c.bytes}) << c.text;
    EXPECT_EQ(to_text(Bytes{c.bytes}), c.shown);
    EXPECT_EQ(parse_bytes(c.shown), Bytes{c.bytes});
  }
  for (const char* text : {"", "MiB", "1 M", "1Mb", "9999999999TiB", "1e3MB"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace headrace::config
