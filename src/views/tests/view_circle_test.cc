#include "views/view_circle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::views {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ViewTables view(const std::string& name, const std::vector<std::string>& inputs) {
  ViewTables result{name, {"gold", name}, {}};
  for (const std::string& input : inputs) result.inputs.push_back({"gold", input});
  return result;
}

TEST(ViewCircleTest, ChainsAndDiamondsAreNone) {
  EXPECT_THAT(find_circle({}), IsEmpty());
  EXPECT_THAT(find_circle({view("a", {"b", "c"}), view("b", {"d"}), view("c", {"d", "x"}),
                           view("d", {"y"})}),
              IsEmpty());
}

TEST(ViewCircleTest, NamesThoseOnTheCircleAlone) {
  EXPECT_THAT(
      find_circle({view("top", {"a"}), view("a", {"x", "b"}), view("b", {"c"}), view("c", {"a"})}),
      ElementsAre("a", "b", "c", "a"));
  EXPECT_THAT(find_circle({view("fine", {"x"}), view("self", {"self"})}),
              ElementsAre("self", "self"));
  EXPECT_EQ(describe_circle({"a", "b", "a"}), "a reads b reads a");
}

}  // namespace
}  // namespace headrace::views
