#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/format.h"
#include "codec/compression.h"
#include "sources/testing/source_bench.h"

namespace headrace::sources {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

const std::string kWatch = "path: 'logs/*'\nformat: text\nmode: watch\n";

TEST(FilesWatch, TakesUpNewAndGrowingFiles) {
  SourceBench bench;
  bench.write("logs/a", "1\n");
  RunningSource source(bench.make(kWatch));
  ASSERT_TRUE(bench.topic().wait_for_records(1));
  bench.append("logs/a", "2\n3");
  ASSERT_TRUE(bench.topic().wait_for_records(2));
  bench.write("logs/b", "4\n");
  ASSERT_TRUE(bench.topic().wait_for_records(3));
  bench.append("logs/a", "3\n");
  ASSERT_TRUE(bench.topic().wait_for_records(4));
  source.stop();
  EXPECT_EQ(source.status().state, SourceState::kStopped);
  EXPECT_THAT(bench.topic().values(0), ElementsAre("1", "2", "4", "33"));
}

TEST(FilesWatch, GoesOnAfterARestart) {
  for (const int partitions : {1, 3}) {
    SourceBench bench(partitions);
    for (int round = 0; round < 5; ++round) {
      for (int f = 0; f < 4; ++f) bench.append(format("logs/{}", f), format("{}-{}\n", f, round));
      RunningSource source(bench.make(kWatch));
      ASSERT_TRUE(bench.topic().wait_for_records(static_cast<size_t>(round + 1) * 4));
    }
    std::vector<std::string> values = bench.topic().all_values();
    std::sort(values.begin(), values.end());
    EXPECT_EQ(values.size(), 20U);
    EXPECT_EQ(std::unique(values.begin(), values.end()), values.end());
  }
}

TEST(FilesWatch, FollowsAFileThatIsRotatedWithinThePattern) {
  SourceBench bench;
  bench.write("logs/app.log", "1\n");
  RunningSource source(bench.make(kWatch));
  ASSERT_TRUE(bench.topic().wait_for_records(1));
  bench.append("logs/app.log", "2\n");
  bench.rename("logs/app.log", "logs/app.log.1");
  bench.write("logs/app.log", "3\n");
  ASSERT_TRUE(bench.topic().wait_for_records(3));
  source.stop();
  EXPECT_THAT(bench.topic().values(0), UnorderedElementsAre("1", "2", "3"));
}

TEST(FilesWatch, KnowsARotatedFileAfterARestart) {
  SourceBench bench;
  bench.write("logs/app.log", "1\n");
  {
    RunningSource source(bench.make(kWatch));
    ASSERT_TRUE(bench.topic().wait_for_records(1));
  }
  bench.append("logs/app.log", "2\n");
  bench.rename("logs/app.log", "logs/app.log.1");
  bench.write("logs/app.log", "3\n");
  RunningSource source(bench.make(kWatch));
  ASSERT_TRUE(bench.topic().wait_for_records(3));
  source.stop();
  EXPECT_THAT(bench.topic().values(0), UnorderedElementsAre("1", "2", "3"));
}

TEST(FilesWatch, ReadsAFileToItsEndThatIsRotatedAway) {
  SourceBench bench;
  bench.write("logs/app.log", "1\n");
  RunningSource source(bench.make(kWatch));
  ASSERT_TRUE(bench.topic().wait_for_records(1));
  bench.append("logs/app.log", "2\n");
  bench.rename("logs/app.log", "elsewhere");
  ASSERT_TRUE(bench.topic().wait_for_records(2));
  EXPECT_THAT(bench.topic().values(0), ElementsAre("1", "2"));
}

TEST(FilesWatch, StartsOverWithATruncatedFile) {
  SourceBench bench;
  bench.write("logs/a", "first\nsecond\n");
  RunningSource source(bench.make(kWatch));
  ASSERT_TRUE(bench.topic().wait_for_records(2));
  bench.truncate("logs/a", "new\n");
  ASSERT_TRUE(bench.topic().wait_for_records(3));
  source.stop();
  RunningSource again(bench.make(kWatch));
  bench.append("logs/a", "newer\n");
  ASSERT_TRUE(bench.topic().wait_for_records(4));
  EXPECT_THAT(bench.topic().values(0), ElementsAre("first", "second", "new", "newer"));
}

TEST(FilesWatch, ReadsACompressedFileOnceItIsQuiet) {
  SourceBench bench;
  const std::string packed = codec::compress(codec::Codec::kGzip, "1\n2\n");
  bench.write("logs/a.gz", packed.substr(0, 10));
  RunningSource source(bench.make(kWatch + "watch: {settle: 1h, poll: 1m}"));
  bench.append("logs/a.gz", packed.substr(10));
  ASSERT_TRUE(bench.topic().wait_for_records(2));
  source.stop();
  RunningSource again(bench.make(kWatch + "watch: {settle: 1h, poll: 1m}"));
  bench.write("logs/b", "3\n");
  ASSERT_TRUE(bench.topic().wait_for_records(3));
  EXPECT_THAT(bench.topic().values(0), ElementsAre("1", "2", "3"));
}

TEST(FilesWatch, TakesALastLineWithoutNewlineWhenTold) {
  SourceBench bench;
  bench.write("logs/a", "1\n2");
  RunningSource source(bench.make(kWatch + "watch: {last_line_after: 10s}"));
  ASSERT_TRUE(bench.topic().wait_for_records(2));
  EXPECT_THAT(bench.topic().values(0), ElementsAre("1", "2"));
}

TEST(FilesWatch, SpreadsAGrowingFileByKey) {
  SourceBench bench(3);
  const std::string yaml = "path: 'logs/*'\nmode: watch\nkey: k\nbatch_bytes: 60B\n";
  std::vector<std::string> expected;
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 10; ++i) {
      const std::string line = format("{{\"k\":\"{}\",\"n\":{}}}", i % (round + 1), round * 10 + i);
      bench.append("logs/a", line + "\n");
      expected.push_back(line);
    }
    RunningSource source(bench.make(yaml));
    ASSERT_TRUE(bench.topic().wait_for_records(expected.size()));
  }
  EXPECT_THAT(bench.topic().all_values(), testing::UnorderedElementsAreArray(expected));
}

TEST(FilesWatch, RefusesToGoOnInAnotherMode) {
  SourceBench bench;
  bench.write("logs/a", "1\n");
  EXPECT_EQ(bench.run("path: 'logs/*'").state, SourceState::kFinished);
  RunningSource source(bench.make(kWatch));
  ASSERT_TRUE(source.wait_for(SourceState::kFailed));
  EXPECT_THAT(source.status().last_error, testing::HasSubstr("new name"));
}

}  // namespace
}  // namespace headrace::sources
