#include "stream/log.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/testing/log_fixture.h"

namespace headrace::stream {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Log, WhatIsAppendedIsRead) {
  LogFixture fixture;
  Partition& partition = fixture.topic("orders").partition(0);
  EXPECT_EQ(partition.end_offset(), 0);
  EXPECT_THAT(partition.read(0, 1000), IsEmpty());

  const AppendResult first = partition.append(batch_of({"a", "b"}));
  EXPECT_EQ(first.base_offset, 0);
  EXPECT_EQ(first.last_offset, 1);
  EXPECT_FALSE(first.duplicate);
  EXPECT_EQ(partition.append(batch_of({"c"})).base_offset, 2);

  EXPECT_EQ(partition.end_offset(), 3);
  EXPECT_THAT(values_of(partition), ElementsAre("a", "b", "c"));
  EXPECT_THAT(values_of(partition, 1), ElementsAre("b", "c"));
  EXPECT_THAT(partition.read(3, 1000), IsEmpty());
  EXPECT_EQ(kind_of_failure([&] { partition.read(4, 1000); }), ErrorKind::kInvalid);
}

TEST(Log, ReadReturnsAtLeastOneBatchAndStopsAtTheBudget) {
  LogFixture fixture;
  Partition& partition = fixture.topic("orders").partition(0);
  for (int i = 0; i < 10; ++i) partition.append(batch_of({"value"}));
  const size_t size = partition.size_bytes() / 10;
  EXPECT_EQ(partition.read(0, 0).size(), 1u);
  EXPECT_EQ(partition.read(0, 3 * size).size(), 3u);
  EXPECT_EQ(partition.read(8, 1 << 20).size(), 2u);
}

TEST(Log, ReadStopsWhereItIsToldTo) {
  LogFixture fixture;
  TopicConfig config;
  config.segment_bytes = 1;  // a batch each
  for (Partition* partition :
       {&fixture.topic("one").partition(0), &fixture.topic("many", config).partition(0)}) {
    for (int i = 0; i < 5; ++i) partition->append(batch_of({"a", "b"}));
    EXPECT_EQ(partition->read(0, 1, 1 << 20).size(), 1u);
    EXPECT_EQ(partition->read(1, 3, 1 << 20).size(), 2u);
    EXPECT_EQ(partition->read(2, 4, 1 << 20).size(), 1u);
    EXPECT_EQ(partition->read(0, 100, 1 << 20).size(), 5u);
    EXPECT_THAT(partition->read(4, 4, 1 << 20), IsEmpty());
  }
}

TEST(Log, TopicsComeBackWithTheirSettings) {
  LogFixture fixture;
  TopicConfig config;
  config.partitions = 3;
  config.compression = Compression::kZstd;
  config.durability = Durability::kMemory;
  config.retention_ms = -1;
  config.retention_bytes = 12345;
  config.retention_ignores_readers = true;
  config.segment_bytes = 777;
  config.index_interval_bytes = 99;
  config.max_batch_bytes = 4321;
  fixture.topic("a.b-c_D", config);
  fixture.topic("other");
  Log& log = fixture.open();
  EXPECT_THAT(log.topic_names(), ElementsAre("a.b-c_D", "other"));
  const TopicConfig read = log.topic("a.b-c_D").config();
  EXPECT_EQ(read.partitions, 3);
  EXPECT_EQ(read.compression, Compression::kZstd);
  EXPECT_EQ(read.durability, Durability::kMemory);
  EXPECT_EQ(read.retention_ms, -1);
  EXPECT_EQ(read.retention_bytes, 12345);
  EXPECT_TRUE(read.retention_ignores_readers);
  EXPECT_EQ(read.segment_bytes, 777);
  EXPECT_EQ(read.index_interval_bytes, 99);
  EXPECT_EQ(read.max_batch_bytes, 4321);
}

TEST(Log, SaysWhatIsWrongWithTopics) {
  LogFixture fixture;
  Log& log = fixture.open();
  EXPECT_THAT(message_of_failure([&] { log.topic("x"); }), HasSubstr("there are none"));
  log.create_topic("orders", {});
  EXPECT_THAT(message_of_failure([&] { log.topic("x"); }), HasSubstr("orders"));
  EXPECT_EQ(kind_of_failure([&] { log.create_topic("orders", {}); }), ErrorKind::kAlreadyExists);
  EXPECT_EQ(kind_of_failure([&] { log.topic("orders").partition(1); }), ErrorKind::kNotFound);
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("a~b"),
        std::string("ä"), std::string(250, 'a')}) {
    EXPECT_EQ(kind_of_failure([&] { log.create_topic(name, {}); }), ErrorKind::kInvalid) << name;
  }
  TopicConfig config;
  config.partitions = 0;
  EXPECT_EQ(kind_of_failure([&] { log.create_topic("none", config); }), ErrorKind::kInvalid);
}

TEST(Log, RefusesBatchesThatAreNotRight) {
  LogFixture fixture;
  TopicConfig config;
  config.max_batch_bytes = 200;
  Partition& partition = fixture.topic("orders", config).partition(0);
  EXPECT_EQ(kind_of_failure([&] { partition.append(batch_of({std::string(200, 'x')})); }),
            ErrorKind::kInvalid);
  EncodedBatch cut = batch_of({"a"});
  cut.bytes.pop_back();
  EXPECT_EQ(kind_of_failure([&] { partition.append(cut); }), ErrorKind::kInvalid);
  EncodedBatch miscounted = batch_of({"a"});
  miscounted.record_count = 2;
  EXPECT_EQ(kind_of_failure([&] { partition.append(miscounted); }), ErrorKind::kInvalid);
  EXPECT_EQ(partition.end_offset(), 0);
}

TEST(Log, EveryDurabilityAndCompressionSurvivesReopening) {
  for (const Durability durability : {Durability::kDisk, Durability::kMemory}) {
    for (const Compression compression :
         {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
      LogFixture fixture;
      TopicConfig config;
      config.durability = durability;
      for (int round = 0; round < 3; ++round) {
        Partition& partition = fixture.topic("t", config).partition(0);
        EXPECT_EQ(partition.end_offset(), round * 2);
        partition.append(batch_of({"x", "y"}, {}, 5, compression));
        fixture.open();
      }
      EXPECT_THAT(values_of(fixture.topic("t").partition(0)),
                  ElementsAre("x", "y", "x", "y", "x", "y"));
    }
  }
}

TEST(Log, RollsSegmentsAndReadsAcrossThem) {
  LogFixture fixture;
  TopicConfig config;
  config.segment_bytes = 200;
  config.index_interval_bytes = 1;
  std::vector<std::string> expected;
  for (int i = 0; i < 60; ++i) {
    Partition& partition = fixture.topic("t", config).partition(0);
    const std::string value = "value " + std::to_string(i);
    EXPECT_EQ(partition.append(batch_of({value})).base_offset, i);
    expected.push_back(value);
    if (i % 7 == 0) fixture.open();
  }
  const Partition& partition = fixture.topic("t").partition(0);
  EXPECT_GT(partition.segment_count(), 20);
  EXPECT_EQ(values_of(partition), expected);
  EXPECT_EQ(values_of(partition, 0, 1), expected);
  for (Offset from = 0; from <= 60; ++from) {
    EXPECT_EQ(values_of(partition, from).size(), static_cast<size_t>(60 - from));
  }
}

TEST(Log, FindsOffsetsByTime) {
  LogFixture fixture;
  TopicConfig config;
  config.segment_bytes = 300;
  config.index_interval_bytes = 1;
  Partition& partition = fixture.topic("t", config).partition(0);
  const int64_t times[] = {100, 200, 150, 300, 300, 250, 400, 50, 500};
  for (const int64_t time : times) partition.append(batch_of({"x"}, {}, time));
  for (const bool reopened : {false, true}) {
    if (reopened) fixture.open();
    const Partition& now = fixture.topic("t").partition(0);
    EXPECT_EQ(now.offset_for_time(0), 0);
    EXPECT_EQ(now.offset_for_time(100), 0);
    EXPECT_EQ(now.offset_for_time(101), 1);
    EXPECT_EQ(now.offset_for_time(201), 3);
    EXPECT_EQ(now.offset_for_time(301), 6);
    EXPECT_EQ(now.offset_for_time(401), 8);
    EXPECT_EQ(now.offset_for_time(501), 9);
  }
}

TEST(Log, WaitsForRecords) {
  LogFixture fixture;
  TopicConfig config;
  config.partitions = 2;
  Topic& topic = fixture.topic("t", config);
  EXPECT_FALSE(topic.partition(0).wait_for(0, milliseconds(1), {}));
  EXPECT_FALSE(topic.wait_for_any({0, 0}, milliseconds(1), {}));
  std::jthread appender([&] { topic.partition(1).append(batch_of({"x"})); });
  EXPECT_TRUE(topic.wait_for_any({0, 0}, milliseconds(60'000), {}));
  EXPECT_TRUE(topic.partition(1).wait_for(0, milliseconds(0), {}));
  EXPECT_FALSE(topic.wait_for_any({0, 1}, milliseconds(1), {}));
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(topic.partition(0).wait_for(0, milliseconds(60'000), stop.get_token()));
}

TEST(Log, KeepsSourcePositions) {
  LogFixture fixture;
  TopicConfig config;
  config.segment_bytes = 250;
  for (int i = 0; i < 20; ++i) {
    Partition& partition = fixture.topic("t", config).partition(0);
    const std::string source = i % 2 == 0 ? "even" : "odd";
    partition.append(batch_at("v", {source, std::to_string(i)}));
    EXPECT_EQ(partition.source_position(source), std::to_string(i));
    if (i % 3 == 0) fixture.open();
  }
  const Partition& partition = fixture.topic("t").partition(0);
  EXPECT_EQ(partition.source_position("even"), "18");
  EXPECT_EQ(partition.source_position("odd"), "19");
  EXPECT_EQ(partition.source_position("other"), std::nullopt);
  EXPECT_EQ(partition.source_positions().size(), 2u);
}

TEST(Log, DeletesAndMakesTopicsAgain) {
  LogFixture fixture;
  Topic& topic = fixture.topic("t");
  topic.partition(0).append(batch_of({"old"}));
  {
    const auto reader = topic.partition(0).register_reader("job silver", 0);
    EXPECT_THAT(message_of_failure([&] { fixture.log().delete_topic("t"); }),
                HasSubstr("job silver"));
  }
  fixture.log().delete_topic("t");
  EXPECT_EQ(fixture.log().find_topic("t"), nullptr);
  EXPECT_EQ(kind_of_failure([&] { topic.partition(0).append(batch_of({"x"})); }),
            ErrorKind::kNotFound);
  EXPECT_EQ(fixture.topic("t").partition(0).end_offset(), 0);
  fixture.topic("t").partition(0).append(batch_of({"new"}));
  fixture.open();
  EXPECT_THAT(values_of(fixture.topic("t").partition(0)), ElementsAre("new"));
}

TEST(Log, AltersTopics) {
  LogFixture fixture;
  Topic& topic = fixture.topic("t");
  topic.partition(0).append(batch_of({"a"}));
  TopicConfig config = topic.config();
  config.partitions = 3;
  config.retention_ms = 1000;
  fixture.log().alter_topic("t", config);
  EXPECT_EQ(topic.partition_count(), 3);
  topic.partition(2).append(batch_of({"c"}));
  fixture.open();
  EXPECT_EQ(fixture.topic("t").config().retention_ms, 1000);
  EXPECT_THAT(values_of(fixture.topic("t").partition(2)), ElementsAre("c"));
  config.partitions = 2;
  EXPECT_EQ(kind_of_failure([&] { fixture.log().alter_topic("t", config); }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of_failure([&] { fixture.log().alter_topic("u", config); }), ErrorKind::kNotFound);
}

TEST(Log, ASecondWriterIsTurnedAway) {
  LogFixture fixture;
  fixture.open();
  const std::string message = message_of_failure(
      [&] { Log::open(fixture.directory(), fixture.files(), fixture.clock(), fixture.metrics()); });
  EXPECT_THAT(message, HasSubstr("process " + std::to_string(::getpid())));
  fixture.close();
  fixture.open();
}

TEST(Log, CountsWhatHappens) {
  LogFixture fixture;
  Partition& partition = fixture.topic("t").partition(0);
  partition.append(batch_of({"a", "b"}, {9, 0, 0}));
  partition.append(batch_of({"a", "b"}, {9, 0, 0}));
  const telemetry::Labels labels{{"topic", "t"}};
  auto& metrics = fixture.metrics();
  EXPECT_EQ(metrics.counter("headrace_topic_appended_records_total", "", labels).value(), 2);
  EXPECT_EQ(
      metrics.gauge("headrace_topic_end_offset", "", {{"topic", "t"}, {"partition", "0"}}).value(),
      2);
}

}  // namespace
}  // namespace headrace::stream
