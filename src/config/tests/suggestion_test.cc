#include "config/suggestion.h"

#include <gtest/gtest.h>

namespace headrace::config {
namespace {

TEST(Suggestion, DistanceCountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("table", "table"), 0);
  EXPECT_EQ(edit_distance("tabel", "table"), 1);
  EXPECT_EQ(edit_distance("Table", "table"), 0);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
}

TEST(Suggestion, OnlyWhatIsNearIsMeant) {
  const std::vector<std::string> names{"batch", "mode", "nodes", "on"};
  EXPECT_EQ(nearest("bacth", names), "batch");
  EXPECT_EQ(nearest("batches", names), "batch");
  EXPECT_EQ(nearest("node", names), "nodes");
  EXPECT_EQ(nearest("in", names), "");
  EXPECT_EQ(nearest("retention", names), "");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), names), "");
}

TEST(Suggestion, OtherwiseTheNamesAreListed) {
  EXPECT_EQ(suggest("bacth", {"batch"}), "did you mean 'batch'?");
  EXPECT_EQ(suggest("x", {"batch", "mode"}), "there are: batch, mode");
  EXPECT_EQ(suggest("x", {"batch"}), "there is: batch");
  EXPECT_EQ(suggest("x", {}), "");
  EXPECT_EQ(suggest("x", {"batch", "mode"}, 1), "");
}

}  // namespace
}  // namespace headrace::config
