#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/format.h"
#include "sources/testing/source_bench.h"

namespace headrace::sources {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

std::string lines(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += format("{{\"id\":{},\"user\":\"u{}\"}}\n", i, i % 7);
  return text;
}

std::vector<std::string> expected(int from, int to) {
  std::vector<std::string> list;
  for (int i = from; i < to; ++i)
    list.push_back(format("{{\"id\":{},\"user\":\"u{}\"}}", i, i % 7));
  return list;
}

TEST(FilesOnce, ReadsLinesAsTheyAre) {
  SourceBench bench;
  bench.write("a.ndjson", "{\"a\":1}\r\n\n  \nnot json\n{\"a\":2}");
  const SourceStatus status = bench.run("path: a.ndjson");
  EXPECT_EQ(status.state, SourceState::kFinished) << status.last_error;
  EXPECT_THAT(bench.topic().values(0), ElementsAre("{\"a\":1}", "not json", "{\"a\":2}"));
  EXPECT_EQ(status.records, 3);
  EXPECT_EQ(status.files_done, 1);
  EXPECT_EQ(status.files_total, 1);
}

TEST(FilesOnce, ReadsFilesInTheOrderOfTheirPaths) {
  SourceBench bench;
  bench.write("in/b/1.ndjson", "3\n");
  bench.write("in/a/2.ndjson", "2\n");
  bench.write("in/a/1.ndjson", "1\n");
  bench.write("in/a/1.other", "no\n");
  bench.write("in/.hidden/1.ndjson", "no\n");
  bench.run("path: in/**/*.ndjson");
  EXPECT_THAT(bench.topic().values(0), ElementsAre("1", "2", "3"));
}

TEST(FilesOnce, GoesOnWhereItStoodAfterAnyBatch) {
  for (const int partitions : {1, 3}) {
    for (const std::string key : {"", "key: user\n"}) {
      const std::string yaml = "path: '*.ndjson'\nbatch_bytes: 100B\n" + key;
      SourceBench bench(partitions);
      bench.write("a.ndjson", lines(0, 40));
      bench.write("b.ndjson", lines(40, 60));
      bench.write("c.ndjson", lines(60, 100));
      int kills = 0;
      for (int n = 1;; ++n) {
        bench.reset_topic(partitions);
        bench.topic().set_faults({.broken_from = n});
        {
          RunningSource source(bench.make(yaml));
          while (source.status().state != SourceState::kFinished && source.status().retries == 0) {
            std::this_thread::yield();
          }
        }
        const bool whole = bench.topic().record_count() == 100;
        bench.topic().set_faults({});
        EXPECT_EQ(bench.run(yaml).state, SourceState::kFinished);
        ASSERT_THAT(bench.topic().all_values(), UnorderedElementsAreArray(expected(0, 100)))
            << "partitions " << partitions << " " << key << " killed at append " << n;
        if (whole) break;
        ++kills;
      }
      EXPECT_GT(kills, 10);
    }
  }
}

TEST(FilesOnce, RetriesARefusedAppendInOrder) {
  for (int n = 1; n < 10; ++n) {
    SourceBench bench;
    bench.write("a.ndjson", lines(0, 40));
    bench.topic().set_faults({.refuse_at = n});
    const SourceStatus status = bench.run("path: '*.ndjson'\nbatch_bytes: 100B");
    EXPECT_EQ(status.state, SourceState::kFinished);
    EXPECT_EQ(status.retries, 1);
    EXPECT_EQ(bench.topic().values(0), expected(0, 40));
  }
}

TEST(FilesOnce, StartsAgainFromItsPositionsWhenAnAcceptedAppendFails) {
  for (int n = 1; n < 10; ++n) {
    SourceBench bench;
    bench.write("a.ndjson", lines(0, 40));
    bench.topic().set_faults({.fail_at = n});
    RunningSource source(bench.make("path: '*.ndjson'\nbatch_bytes: 100B"));
    while (source.status().retries == 0) std::this_thread::yield();
    bench.topic().set_faults({});
    EXPECT_TRUE(source.wait_for(SourceState::kFinished));
    EXPECT_EQ(bench.topic().values(0), expected(0, 40));
  }
}

TEST(FilesOnce, KeepsAFileWithoutKeyInOnePartition) {
  SourceBench bench(4);
  for (int i = 0; i < 8; ++i) bench.write(format("{}.ndjson", i), lines(i * 10, i * 10 + 10));
  bench.run("path: '*.ndjson'");
  int used = 0;
  for (int p = 0; p < 4; ++p) {
    EXPECT_EQ(bench.topic().values(p).size() % 10, 0U);
    used += bench.topic().values(p).empty() ? 0 : 1;
  }
  EXPECT_GT(used, 1);
  EXPECT_THAT(bench.topic().all_values(), UnorderedElementsAreArray(expected(0, 80)));
}

TEST(FilesOnce, SaysWhenNothingMatches) {
  SourceBench bench;
  const SourceStatus status = bench.run("path: 'nowhere/*.ndjson'");
  EXPECT_EQ(status.state, SourceState::kFailed);
  EXPECT_THAT(status.last_error, HasSubstr("nowhere/*.ndjson"));
}

}  // namespace
}  // namespace headrace::sources
