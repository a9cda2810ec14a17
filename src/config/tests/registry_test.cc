#include <gtest/gtest.h>

#include "config/tests/registry/component.h"

namespace headrace::registry_example {
namespace {

TEST(Registry, HoldsADescriptionOfEachFileByName) {
  ASSERT_EQ(components().size(), 2U);
  EXPECT_EQ(components()[0].name, "filter");
  EXPECT_EQ(components()[1].name, "union");
  EXPECT_NE(components()[0].fields.find("where"), nullptr);
}

}  // namespace
}  // namespace headrace::registry_example
