#include "maintenance/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace headrace::maintenance {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kMebibyte = 1024 * 1024;

lake::TablePtr table_with(int spec_id = 0) {
  auto table = std::make_shared<lake::Table>();
  table->identifier = {"silver", "t"};
  table->metadata.default_spec_id = spec_id;
  return table;
}

lake::DataFile file_of(int64_t bytes, const std::string& path, const std::string& partition = "p") {
  lake::DataFile file;
  file.path = path;
  file.file_size_bytes = bytes;
  file.record_count = bytes / 100 + 1;
  file.partition = {partition};
  return file;
}

std::vector<lake::DataFile> files_of(int count, int64_t bytes, const std::string& partition = "p") {
  std::vector<lake::DataFile> files;
  for (int i = 0; i < count; ++i) {
    files.push_back(file_of(bytes, partition + std::to_string(i), partition));
  }
  return files;
}

TEST(PlannerTest, FewSmallFilesAreNotWorthIt) {
  EXPECT_THAT(plan_merges(table_with(), files_of(7, kMebibyte), {}), IsEmpty());
  EXPECT_THAT(plan_merges(table_with(), files_of(8, kMebibyte), {}), SizeIs(1));
}

TEST(PlannerTest, LargeFilesAndThoseOfAnotherSpecAreLeftAlone) {
  EXPECT_THAT(plan_merges(table_with(), files_of(50, 100 * kMebibyte), {}), IsEmpty());
  EXPECT_THAT(plan_merges(table_with(1), files_of(50, kMebibyte), {}), IsEmpty());
}

TEST(PlannerTest, ALargeFileIsNotRewrittenForAFewSmallOnes) {
  auto files = files_of(8, kMebibyte);
  files.push_back(file_of(60 * kMebibyte, "large"));
  const auto tasks = plan_merges(table_with(), files, {});
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_THAT(tasks[0].files, SizeIs(8));
  EXPECT_EQ(tasks[0].bytes, 8 * kMebibyte);
}

TEST(PlannerTest, PartitionsAreNotMixedAndTheGreatestGainComesFirst) {
  auto files = files_of(10, 8 * kMebibyte, "a");
  for (const auto& file : files_of(10, kMebibyte, "b")) files.push_back(file);
  for (const auto& file : files_of(4, kMebibyte, "c")) files.push_back(file);
  const auto tasks = plan_merges(table_with(), files, {});
  ASSERT_THAT(tasks, SizeIs(2));
  EXPECT_EQ(tasks[0].files[0].partition[0], "b");
  EXPECT_EQ(tasks[1].files[0].partition[0], "a");
}

TEST(PlannerTest, NoMergeIsLargerThanTheTarget) {
  PlannerOptions options;
  for (const auto& task : plan_merges(table_with(), files_of(1000, 3 * kMebibyte), options)) {
    EXPECT_LE(task.bytes, options.target_file_bytes);
    EXPECT_GE(task.bytes, options.target_file_bytes / 4 * 3 - 3 * kMebibyte);
  }
}

TEST(PlannerTest, EagerlyAnyTwoSmallFilesAreMerged) {
  PlannerOptions options;
  options.eager = true;
  auto files = files_of(1, kMebibyte);
  EXPECT_THAT(plan_merges(table_with(), files, options), IsEmpty());
  files.push_back(file_of(60 * kMebibyte, "large"));
  EXPECT_THAT(plan_merges(table_with(), files, options), SizeIs(1));
}

lake::DataFile with_deletes(lake::DataFile file, int64_t rows, int count = 1) {
  for (int i = 0; i < count; ++i) {
    auto deletes = std::make_shared<lake::DataFile>();
    deletes->content = lake::FileContent::kPositionDeletes;
    deletes->path = file.path + "-deletes" + std::to_string(i);
    deletes->referenced_data_file = file.path;
    deletes->record_count = rows / count;
    file.deletes.push_back(deletes);
  }
  return file;
}

TEST(PlannerTest, ALargeFileIsWrittenAnewWhenManyOfItsRowsAreDeleted) {
  const lake::DataFile large = file_of(120 * kMebibyte, "large");
  EXPECT_THAT(plan_merges(table_with(), {with_deletes(large, large.record_count / 6)}, {}),
              IsEmpty());
  const auto tasks = plan_merges(table_with(), {with_deletes(large, large.record_count / 4)}, {});
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_THAT(tasks[0].files, SizeIs(1));
  PlannerOptions eager;
  eager.eager = true;
  EXPECT_THAT(plan_merges(table_with(), {with_deletes(large, 1)}, eager), SizeIs(1));
  auto by_value = std::make_shared<lake::DataFile>();
  by_value->content = lake::FileContent::kEqualityDeletes;
  lake::DataFile matched = large;
  matched.deletes = {by_value};
  EXPECT_THAT(plan_merges(table_with(), {matched}, {}), SizeIs(1));
}

TEST(PlannerTest, FilesAreAsLargeAsTheirLiveRows) {
  // Eight of which little is left are merged, whatever they once were.
  std::vector<lake::DataFile> files;
  for (const lake::DataFile& file : files_of(8, 100 * kMebibyte)) {
    files.push_back(with_deletes(file, file.record_count * 95 / 100));
  }
  const auto tasks = plan_merges(table_with(), files, {});
  ASSERT_THAT(tasks, SizeIs(1));
  EXPECT_THAT(tasks[0].files, SizeIs(8));
  // A small one with deleted rows waits for others.
  EXPECT_THAT(plan_merges(table_with(), {with_deletes(file_of(kMebibyte, "small"), 9000)}, {}),
              IsEmpty());
}

TEST(PlannerTest, DeleteFilesAreFoldedWhenThatMakesThemMuchFewer) {
  const lake::DataFile one = file_of(120 * kMebibyte, "one");
  const auto plan = [](const std::vector<lake::DataFile>& files,
                       std::vector<lake::DataFile> deletes = {}, bool eager = false) {
    PlannerOptions options;
    options.eager = eager;
    for (const lake::DataFile& file : files) {
      for (const auto& some : file.deletes) deletes.push_back(*some);
    }
    return plan_deletes(table_with(), files, deletes, options);
  };
  EXPECT_FALSE(plan({with_deletes(one, 70, 7)}));
  EXPECT_TRUE(plan({with_deletes(one, 70, 2)}, {}, true));
  const lake::DataFile other = file_of(120 * kMebibyte, "other");
  const auto both = plan({with_deletes(one, 70, 5), with_deletes(other, 70, 5)});
  ASSERT_TRUE(both);
  EXPECT_THAT(both->data_files, SizeIs(2));
  EXPECT_EQ(both->saved, 8);
  // Deletes of which no data file is there.
  std::vector<lake::DataFile> lost;
  for (int i = 0; i < 8; ++i) {
    lost.push_back(file_of(100, "lost" + std::to_string(i)));
    lost.back().content = lake::FileContent::kPositionDeletes;
  }
  EXPECT_TRUE(plan({one}, lost));
}

// However files come in, what is rewritten stays within a small multiple of what was written, and
// the number of files does not grow with the number of commits.
TEST(PlannerTest, RewritingIsBounded) {
  for (const uint64_t seed : {1, 2, 3}) {
    SeededRandom random(seed);
    std::vector<lake::DataFile> files;
    int64_t written = 0;
    int64_t rewritten = 0;
    size_t most = 0;
    for (int i = 0; i < 3000; ++i) {
      const int64_t bytes = kMebibyte / 4 + static_cast<int64_t>(random.below(kMebibyte));
      files.push_back(file_of(bytes, "new" + std::to_string(i)));
      written += bytes;
      for (const MergeTask& task : plan_merges(table_with(), files, {})) {
        for (const lake::DataFile& merged : task.files) {
          std::erase_if(files, [&](const auto& file) { return file.path == merged.path; });
        }
        rewritten += task.bytes;
        files.push_back(file_of(task.bytes, task.files[0].path + "+"));
      }
      most = std::max(most, files.size());
    }
    // log2(128 MiB / 0.25 MiB) = 9 times at worst.
    EXPECT_LE(rewritten, 9 * written) << "seed " << seed;
    EXPECT_LE(static_cast<int64_t>(most), written / (96 * kMebibyte) + 60) << "seed " << seed;
  }
}

}  // namespace
}  // namespace headrace::maintenance
