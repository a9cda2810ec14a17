#include "tables/positions.h"

#include <gtest/gtest.h>

#include "stream/testing/log_fixture.h"

namespace headrace::tables {
namespace {

TEST(Positions, ComeBackFromTheirText) {
  Positions positions;
  positions.set_topic("edits", {7, 0, 12});
  positions.set_input("table:silver.orders", 4711);
  const Positions again = Positions::from_text(positions.to_text());
  EXPECT_EQ(again, positions);
  EXPECT_EQ(again.topic("edits"), (std::vector<stream::Offset>{7, 0, 12}));
  EXPECT_EQ(*again.input("table:silver.orders"), Json(4711));
  EXPECT_EQ(again.input("edits"), nullptr);
  EXPECT_TRUE(again.topic("other").empty());
}

// The guard against a second writer compares texts.
TEST(Positions, EqualOnesHaveEqualText) {
  Positions one;
  one.set_topic("b", {1});
  one.set_topic("a", {2});
  Positions other;
  other.set_topic("a", {9});
  other.set_topic("b", {1});
  EXPECT_NE(one.to_text(), other.to_text());
  other.set_topic("a", {2});
  EXPECT_EQ(one.to_text(), other.to_text());
  EXPECT_EQ(one.to_text(), R"({"topic:a":[2],"topic:b":[1]})");
}

TEST(Positions, RefuseTextThatIsNone) {
  for (const char* text : {"", "[1]", "{", R"({"topic:a":["x"]})", R"({"topic:a":7})"}) {
    EXPECT_EQ(stream::kind_of_failure([&] { Positions::from_text(text); }), ErrorKind::kCorrupt)
        << text;
  }
}

}  // namespace
}  // namespace headrace::tables
