// Writers, readers, retention and topic changes at once; meant for ThreadSanitizer too.

#include <atomic>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "stream/testing/log_fixture.h"

namespace headrace::stream {
namespace {

using std::chrono::milliseconds;

constexpr int kWriters = 6;
constexpr int kBatchesPerWriter = 60;

TopicConfig small_segments() {
  TopicConfig config;
  config.partitions = 2;
  config.segment_bytes = 4000;
  config.index_interval_bytes = 300;
  config.durability = Durability::kMemory;
  return config;
}

// Each batch of a writer holds its number and the number of the batch.
void write_all(Topic& topic, int writer) {
  for (int i = 0; i < kBatchesPerWriter; ++i) {
    const std::string value = format("{}:{}", writer, i);
    topic.partition(writer % 2).append(batch_of({value, value}, {writer, 0, 2 * i}));
  }
}

// Follows a partition to `end` and checks that every writer's batches come in order.
void follow(const Partition& partition, Offset end) {
  std::map<std::string, int> next;
  std::vector<RecordView> records;
  Offset at = 0;
  while (at < end) {
    ASSERT_TRUE(partition.wait_for(at, milliseconds(60'000), {}));
    for (const Batch& batch : partition.read(at, 2000)) {
      ASSERT_EQ(batch.base_offset(), at);
      batch.records(records);
      const std::string value(records.front().value.value());
      const size_t colon = value.find(':');
      ASSERT_EQ(std::stoi(value.substr(colon + 1)), next[value.substr(0, colon)]++);
      at = batch.last_offset() + 1;
    }
  }
}

TEST(Concurrency, ManyWritersAndReaders) {
  LogFixture fixture;
  Topic& topic = fixture.topic("t", small_segments());
  const Offset end = kWriters / 2 * kBatchesPerWriter * 2;
  std::vector<std::jthread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] { write_all(topic, writer); });
  }
  for (int reader = 0; reader < 4; ++reader) {
    threads.emplace_back([&, reader] { follow(topic.partition(reader % 2), end); });
  }
  threads.clear();
  for (const int partition : {0, 1}) EXPECT_EQ(topic.partition(partition).end_offset(), end);
}

TEST(Concurrency, RetentionBesideWritersAndReaders) {
  LogFixture fixture;
  TopicConfig config = small_segments();
  config.retention_bytes = 8000;
  Topic& topic = fixture.topic("t", config);
  std::atomic<bool> writing{true};
  std::vector<std::jthread> others;
  others.emplace_back([&] {
    while (writing) fixture.log().apply_retention();
  });
  for (int reader = 0; reader < 2; ++reader) {
    others.emplace_back([&, reader] {
      const Partition& partition = topic.partition(reader);
      Offset at = 0;
      while (writing || at < partition.end_offset()) {
        try {
          for (const Batch& batch : partition.read(at, 3000)) at = batch.last_offset() + 1;
        } catch (const Error& error) {
          ASSERT_EQ(error.kind(), ErrorKind::kNotFound) << error.message();
          at = partition.start_offset();
        }
      }
    });
  }
  others.emplace_back([&] {
    for (int i = 0; writing; ++i) {
      fixture.topic("other" + std::to_string(i % 3)).partition(0).append(batch_of({"x"}));
      if (i % 3 == 2) fixture.log().delete_topic("other" + std::to_string(i / 3 % 3));
    }
  });
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&, writer] { write_all(topic, writer); });
    }
  }
  writing = false;
  others.clear();
  fixture.log().apply_retention();
  EXPECT_GT(topic.partition(0).start_offset(), 0);
}

TEST(Concurrency, AReadOnlyLogFollowsALiveWriter) {
  LogFixture fixture;
  TopicConfig config = small_segments();
  config.retention_bytes = 8000;
  Topic& topic = fixture.topic("t", config);
  std::jthread writer([&] {
    for (int number = 0; number < kWriters; ++number) write_all(topic, number);
  });
  std::jthread retention([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) fixture.log().apply_retention();
  });
  LogOptions options;
  options.read_only = true;
  const auto metrics = telemetry::make_metrics();
  const auto log =
      Log::open(fixture.directory(), fixture.files(), fixture.clock(), *metrics, options);
  const Partition& seen = log->topic("t").partition(1);
  const Offset end = kWriters / 2 * kBatchesPerWriter * 2;
  Offset at = 0;
  while (at < end) {
    log->refresh();
    at = std::max(at, seen.start_offset());
    while (at < seen.end_offset()) {
      try {
        const std::vector<Batch> batches = seen.read(at, 3000);
        ASSERT_FALSE(batches.empty());
        at = batches.back().last_offset() + 1;
      } catch (const Error& error) {
        ASSERT_EQ(error.kind(), ErrorKind::kNotFound) << error.message();
        break;
      }
    }
  }
}

TEST(Concurrency, AFullQueueRefusesAndClosingAnswersEverything) {
  LogFixture fixture;
  LogOptions options;
  options.max_queued_bytes = 10'000;
  fixture.open(options);
  Partition& partition = fixture.topic("t").partition(0);
  std::atomic<int> durable{0};
  std::atomic<int> refused{0};
  constexpr int kTimes = 2000;
  for (int i = 0; i < kTimes; ++i) {
    partition.append_async(batch_of({std::string(2000, 'x')}),
                           [&](const AppendResult* result, const std::exception_ptr& error) {
                             ++(result != nullptr ? durable : refused);
                             EXPECT_NE(result == nullptr, error == nullptr);
                           });
  }
  fixture.close();
  EXPECT_EQ(durable + refused, kTimes);
  EXPECT_GT(durable, 0);
  EXPECT_EQ(fixture.topic("t").partition(0).end_offset(), durable);
}

}  // namespace
}  // namespace headrace::stream
