#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/format.h"
#include "base/testing/faulty_file_system.h"
#include "codec/compression.h"
#include "sources/testing/source_bench.h"

namespace headrace::sources {
namespace {

// Every single file operation fails once; the source tries again by itself.
TEST(FilesFaultLoop, NothingIsLostOrDoubledWhicheverReadFails) {
  for (const std::string key : {"", "key: n\n"}) {
    SourceBench bench(2);
    std::vector<std::string> expected;
    for (int f = 0; f < 4; ++f) {
      std::string text;
      for (int i = 0; i < 20; ++i) {
        expected.push_back(format("{{\"n\":{}}}", f * 20 + i));
        text += expected.back() + "\n";
      }
      if (f == 1) {
        bench.write("b.ndjson.gz", codec::compress(codec::Codec::kGzip, text));
      } else {
        bench.write(format("{}.ndjson", f), text);
      }
    }
    int failures = 0;
    for (int n = 1;; ++n) {
      bench.reset_topic(2);
      FaultyFileSystem files(bench.files(), n);
      const SourceStatus status = bench.run("path: '*.ndjson*'\nbatch_bytes: 50B\n" + key, &files);
      ASSERT_EQ(status.state, SourceState::kFinished) << status.last_error;
      ASSERT_THAT(bench.topic().all_values(), testing::UnorderedElementsAreArray(expected))
          << "operation " << n << " failed";
      if (!files.failed()) break;
      ++failures;
      EXPECT_GE(status.retries, 1);
    }
    EXPECT_GT(failures, 8);
  }
}

TEST(FilesFaultLoop, WatchGoesOnWhicheverReadFails) {
  for (int n = 1; n < 40; ++n) {
    SourceBench bench;
    FaultyFileSystem files(bench.files(), n);
    bench.write("a.txt", "1\n2\n");
    bench.write("b.txt", "3\n");
    RunningSource source(bench.make("path: '*.txt'\nmode: watch\nbatch_bytes: 1B", &files));
    ASSERT_TRUE(bench.topic().wait_for_records(3));
    bench.append("a.txt", "4\n");
    ASSERT_TRUE(bench.topic().wait_for_records(4));
    source.stop();
    EXPECT_THAT(bench.topic().all_values(), testing::UnorderedElementsAre("1", "2", "3", "4"));
  }
}

}  // namespace
}  // namespace headrace::sources
