#include "base/shared_value.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace headrace {
namespace {

using Counts = std::map<int, std::string>;

TEST(SharedValue, CopiesShareWhatTheyHold) {
  const SharedValue<Counts> value = Counts{{1, "one"}};
  const std::vector<SharedValue<Counts>> copies(2, value);
  EXPECT_EQ(&*copies[0], &*value);
  EXPECT_EQ(&*copies[1], &*value);
  EXPECT_EQ(copies[1]->at(1), "one");
}

TEST(SharedValue, AnAssignedValueLeavesCopiesAsTheyAre) {
  SharedValue<Counts> value = Counts{{1, "one"}};
  const SharedValue<Counts> copy = value;
  value = Counts{{2, "two"}};
  EXPECT_EQ(*copy, (Counts{{1, "one"}}));
  EXPECT_EQ(*value, (Counts{{2, "two"}}));
}

TEST(SharedValue, ADefaultHoldsNothing) {
  EXPECT_TRUE(SharedValue<Counts>()->empty());
  EXPECT_EQ(SharedValue<Counts>(), SharedValue<Counts>(Counts{}));
}

}  // namespace
}  // namespace headrace
