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

std::vector<int64_t> sent_at(const MemoryTopic& topic) {
  std::vector<int64_t> times;
  for (const stream::Batch& batch : topic.batches(0)) {
    batch.for_each([&](const stream::RecordView& record) { times.push_back(record.timestamp_ms); });
  }
  return times;
}

const std::string kReplay = "path: a.ndjson\nreplay: {time: t, speed: 10}\n";
const std::string kRecords = "{\"t\":1000}\n{\"t\":1005}\n{\"t\":1100}\n{\"t\":2000}\n";

// The bench's clock moves only by what the source sleeps.
TEST(Replay, SendsRecordsWhenTheyAreDue) {
  SourceBench bench;
  bench.write("a.ndjson", kRecords);
  const int64_t start = millis_since_epoch(bench.clock().now());
  EXPECT_EQ(bench.run(kReplay).state, SourceState::kFinished);
  EXPECT_THAT(sent_at(bench.topic()),
              testing::ElementsAre(start, start + 500, start + 10'000, start + 100'000));
}

TEST(Replay, GoesOnAfterARestartWithoutWaitingForThePast) {
  SourceBench bench;
  bench.write("a.ndjson", kRecords);
  bench.topic().set_faults({.broken_from = 3});
  {
    RunningSource source(bench.make(kReplay));
    while (source.status().retries == 0) std::this_thread::yield();
  }
  bench.topic().set_faults({});
  const int64_t start = millis_since_epoch(bench.clock().now());
  EXPECT_EQ(bench.run(kReplay).state, SourceState::kFinished);
  const std::vector<int64_t> times = sent_at(bench.topic());
  ASSERT_EQ(times.size(), 4U);
  EXPECT_EQ(times[2], start);
  EXPECT_EQ(times[3], start + 90'000);
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
