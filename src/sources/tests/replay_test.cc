#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/format.h"
#include "sources/files/replay_pace.h"
#include "sources/record_time.h"
#include "sources/testing/source_bench.h"

namespace headrace::sources {
namespace {

TEST(ReplayPace, ScalesTheTimeBetweenRecords) {
  ManualClock clock(Timestamp{});
  ReplayPace pace(clock, 100);
  EXPECT_EQ(pace.wait_for(5'000), microseconds(0));
  EXPECT_EQ(pace.wait_for(6'000), microseconds(10'000));
  EXPECT_EQ(pace.wait_for(4'000), microseconds(0));
  clock.advance(microseconds(4'000));
  EXPECT_EQ(pace.wait_for(6'000), microseconds(6'000));
}

TEST(Replay, SendsRecordsWhenTheyAreDueAndGoesOnWithoutWaitingForThePast) {
  SourceBench bench;
  bench.write("a.ndjson", "{\"t\":1000}\n{\"t\":1005}\n{\"t\":1100}\n{\"t\":2000}\n");
  ManualClock clock(Timestamp{microseconds(1)});
  const std::string yaml = "path: a.ndjson\nreplay: {time: t, speed: 10}\n";
  {
    RunningSource source(bench.make(yaml, nullptr, &clock));
    ASSERT_TRUE(bench.topic().wait_for_records(1));
    EXPECT_EQ(bench.topic().record_count(), 1U);
    clock.advance(std::chrono::seconds(1));  // 0.5 s are due, of 10 not yet
    ASSERT_TRUE(bench.topic().wait_for_records(2));
    EXPECT_EQ(bench.topic().record_count(), 2U);
  }
  RunningSource source(bench.make(yaml, nullptr, &clock));
  ASSERT_TRUE(bench.topic().wait_for_records(3));  // at once
  clock.advance(std::chrono::seconds(90));
  ASSERT_TRUE(source.wait_for(SourceState::kFinished));
  EXPECT_EQ(bench.topic().record_count(), 4U);
}

TEST(RecordTime, ReadsIso8601) {
  const std::vector<std::pair<std::string, std::optional<int64_t>>> cases{
      {"1970-01-01", 0},
      {"1970-01-01T00:00:01Z", 1000},
      {"1970-01-01 00:00:01.5", 1500},
      {"1970-01-01T02:00:00+02:00", 0},
      {"1970-01-01T00:00:00-0130", 5'400'000},
      {"2015-09-12T00:46:58.771Z", 1442018818771},
      {"2015-09-12T00:46:58.771999Z", 1442018818771},
      {"2015-02-30", std::nullopt},
      {"2015-09-12T25:00:00Z", std::nullopt},
      {"2015-09-12T00:46:58.771X", std::nullopt},
      {"yesterday", std::nullopt},
      {"", std::nullopt}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(parse_time_ms(text), expected) << text;
}

TEST(RecordTime, TellsUnitsOfNumbersBySize) {
  for (const int64_t number :
       {1442018818LL, 1442018818000LL, 1442018818000000LL, 1442018818000000000LL}) {
    EXPECT_EQ(scale_time_to_ms(number), 1442018818000) << number;
  }
}

}  // namespace
}  // namespace headrace::sources
