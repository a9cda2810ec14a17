#include "views/affected_files.h"

#include <gtest/gtest.h>

#include "base/format.h"
#include "lake/single_value.h"

namespace headrace::views {
namespace {

struct Case {
  std::string type;  // of the key, as the engine spells it
  std::optional<std::string> file_least, file_greatest;
  int64_t file_nulls;
  std::optional<std::string> least, greatest;  // of the delta
  bool has_null;
  bool may_hold;
};

class MayHoldTest : public testing::TestWithParam<Case> {};

lake::DataFile file_of(const lake::Field& field, const Case& given) {
  lake::DataFile file;
  file.record_count = 10;
  lake::FileFigures figures;
  figures.null_value_counts[field.id] = given.file_nulls;
  if (given.file_least) {
    figures.lower_bounds[field.id] = *lake::lower_bound_from_text(field.type, *given.file_least);
    figures.upper_bounds[field.id] = *lake::upper_bound_from_text(field.type, *given.file_greatest);
  }
  file.figures = std::move(figures);
  return file;
}

TEST_P(MayHoldTest, ByBoundsAndNulls) {
  const Case& given = GetParam();
  const lake::Schema schema = lake::make_schema({{"key", given.type}});
  const lake::Field& field = schema.fields.at(0);
  const std::vector<KeyRange> delta = {{&field, given.least, given.greatest, given.has_null}};
  EXPECT_EQ(may_hold(file_of(field, given), delta), given.may_hold);
}

constexpr const char* kZoned = "TIMESTAMP WITH TIME ZONE";
constexpr std::nullopt_t kNone = std::nullopt;

INSTANTIATE_TEST_SUITE_P(
    Keys, MayHoldTest,
    testing::Values(Case{"BIGINT", "10", "20", 0, "21", "30", false, false},
                    Case{"BIGINT", "10", "20", 0, "20", "30", false, true},
                    Case{"BIGINT", "10", "20", 0, "-5", "9", false, false},
                    Case{"BIGINT", "10", "20", 0, "0", "100", false, true},
                    Case{kZoned, "2015-09-12 00:00:00+00", "2015-09-12 23:00:00+00", 0,
                         "2015-09-13 00:00:00+00", "2015-09-13 01:00:00+00", false, false},
                    Case{kZoned, "2015-09-12 00:00:00+00", "2015-09-12 23:00:00+00", 0,
                         "2015-09-12 23:00:00+00", "2015-09-13 01:00:00+00", false, true},
                    Case{"VARCHAR", "de", "fr", 0, "it", "us", false, false},
                    Case{"VARCHAR", "a text that is longer than bounds are", "b", 0,
                         "a text that is longer than", "a text that is longer than", false, true},
                    // Nulls are groups too.
                    Case{"VARCHAR", "de", "fr", 1, "it", "us", true, true},
                    Case{"VARCHAR", "de", "fr", 0, "it", "us", true, false},
                    Case{"VARCHAR", kNone, kNone, 10, "it", "us", false, false},
                    Case{"VARCHAR", kNone, kNone, 10, kNone, kNone, true, true},
                    // What is not known may be.
                    Case{"VARCHAR", kNone, kNone, 0, "it", "us", false, true},
                    Case{"DOUBLE", "1.5", "2.5", 0, "nan", "nan", false, true}));

TEST(FilesToRewrite, TakesTheSmallOnesOfACrowdedPartition) {
  const lake::Schema schema = lake::make_schema({{"key", "BIGINT"}});
  const lake::Field& field = schema.fields.at(0);
  std::vector<lake::DataFile> stored;
  for (size_t i = 0; i <= kMaxSmallFiles; ++i) {
    const std::string value = format("{}", i);
    lake::DataFile file = file_of(field, {"BIGINT", value, value, 0, kNone, kNone, false, false});
    file.partition = {"a"};
    stored.push_back(file);
    file.partition = {format("{}", i)};  // each alone in its own
    stored.push_back(file);
  }
  stored[0].record_count = kSmallFileRows;
  const std::vector<KeyRange> far = {{&field, "1000", "1000", false}};
  EXPECT_EQ(files_to_rewrite(stored, far).size(), 0U);
  stored[0].record_count = kSmallFileRows - 1;
  EXPECT_EQ(files_to_rewrite(stored, far).size(), kMaxSmallFiles + 1);
  const std::vector<KeyRange> near = {{&field, "3", "3", false}};
  EXPECT_EQ(files_to_rewrite(stored, near).size(), kMaxSmallFiles + 2);
}

}  // namespace
}  // namespace headrace::views
