#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/testing/log_fixture.h"

namespace headrace::stream {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kHourMs = 3600 * 1000;

TopicConfig one_batch_segments() {
  TopicConfig config;
  config.segment_bytes = 1;
  config.retention_ms = -1;
  return config;
}

TEST(Retention, DropsWhatIsTooOld) {
  LogFixture fixture;
  TopicConfig config = one_batch_segments();
  config.retention_ms = 2 * kHourMs;
  Partition& partition = fixture.topic("t", config).partition(0);
  for (const char* value : {"a", "b", "c"}) {
    partition.append(batch_of({value}));
    fixture.clock().advance(hours(1));
  }
  fixture.log().apply_retention();
  EXPECT_EQ(partition.start_offset(), 1);
  EXPECT_THAT(values_of(partition, 1), ElementsAre("b", "c"));
  EXPECT_THAT(message_of_failure([&] { partition.read(0, 100); }), HasSubstr("has offset 1"));
  EXPECT_EQ(kind_of_failure([&] { partition.read(0, 100); }), ErrorKind::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(fixture.log_file("t", 0, 0)));
}

TEST(Retention, OldTimestampsDoNotMakeNewRecordsOld) {
  LogFixture fixture;
  TopicConfig config = one_batch_segments();
  config.retention_ms = kHourMs;
  Partition& partition = fixture.topic("t", config).partition(0);
  for (int i = 0; i < 3; ++i) partition.append(batch_of({"replayed"}, {}, 1'442'016'000'000));
  fixture.log().apply_retention();
  EXPECT_EQ(partition.start_offset(), 0);
}

TEST(Retention, AnIdleTopicEndsEmptyAndGoesOnCounting) {
  LogFixture fixture;
  TopicConfig config;
  config.retention_ms = kHourMs;
  fixture.topic("t", config).partition(0).append(batch_of({"a", "b"}, {7, 0, 0}));
  fixture.clock().advance(hours(2));
  fixture.log().apply_retention();
  for (const bool reopened : {false, true}) {
    if (reopened) fixture.open();
    Partition& partition = fixture.topic("t").partition(0);
    EXPECT_EQ(partition.start_offset(), 2);
    EXPECT_EQ(partition.end_offset(), 2);
    EXPECT_EQ(partition.size_bytes(), 0u);
    EXPECT_EQ(partition.segment_count(), 1);
  }
  Partition& partition = fixture.topic("t").partition(0);
  EXPECT_TRUE(partition.append(batch_of({"a", "b"}, {7, 0, 0})).duplicate);
  EXPECT_EQ(partition.append(batch_of({"c"}, {7, 0, 2})).base_offset, 2);
}

TEST(Retention, KeepsAtMostSoManyBytes) {
  LogFixture fixture;
  TopicConfig config = one_batch_segments();
  const auto size = static_cast<int64_t>(batch_of({"a"}).bytes.size());
  config.retention_bytes = 3 * size;
  Partition& partition = fixture.topic("t", config).partition(0);
  for (int i = 0; i < 10; ++i) partition.append(batch_of({"a"}));
  fixture.log().apply_retention();
  EXPECT_EQ(partition.start_offset(), 7);
  EXPECT_EQ(partition.size_bytes(), static_cast<uint64_t>(3 * size));
}

TEST(Retention, StopsBeforeTheSlowestReader) {
  LogFixture fixture;
  TopicConfig config = one_batch_segments();
  config.retention_bytes = 0;
  Partition& partition = fixture.topic("t", config).partition(0);
  for (int i = 0; i < 10; ++i) partition.append(batch_of({"a"}));
  const auto fast = partition.register_reader("fast", 9);
  auto slow = partition.register_reader("slow", 4);
  EXPECT_THAT(partition.readers(), ElementsAre(testing::Pair("fast", 9), testing::Pair("slow", 4)));
  fixture.log().apply_retention();
  EXPECT_EQ(partition.start_offset(), 4);
  slow->advance(6);
  fixture.log().apply_retention();
  EXPECT_EQ(partition.start_offset(), 6);
  slow.reset();
  fixture.log().apply_retention();
  EXPECT_EQ(partition.start_offset(), 9);
  config.retention_ignores_readers = true;
  const auto late = partition.register_reader("late", 9);
  for (int i = 0; i < 3; ++i) partition.append(batch_of({"a"}));
  fixture.log().apply_retention();
  EXPECT_EQ(partition.start_offset(), 9);
  fixture.log().alter_topic("t", config);
  fixture.log().apply_retention();
  EXPECT_EQ(partition.start_offset(), 12);
}

TEST(Retention, WhatWasReadStaysValid) {
  LogFixture fixture;
  TopicConfig config = one_batch_segments();
  config.retention_bytes = 0;
  Partition& partition = fixture.topic("t", config).partition(0);
  for (int i = 0; i < 5; ++i) partition.append(batch_of({"value " + std::to_string(i)}));
  const std::vector<Batch> batches = partition.read(0, 1 << 20);
  fixture.log().apply_retention();
  fixture.close();
  ASSERT_EQ(batches.size(), 5u);
  std::vector<RecordView> records;
  batches[2].records(records);
  EXPECT_EQ(records[0].value, "value 2");
}

}  // namespace
}  // namespace headrace::stream
