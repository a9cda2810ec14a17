// Fails the n-th operation on files for every n: nothing acknowledged is lost, nothing is doubled.

#include <gtest/gtest.h>

#include "base/testing/faulty_file_system.h"
#include "stream/testing/log_fixture.h"

namespace headrace::stream {
namespace {

constexpr int kBatches = 12;
constexpr ProducerStamp kProducer{7, 0, 0};

TopicConfig tiny_segments(Durability durability) {
  TopicConfig config;
  config.segment_bytes = 300;
  config.index_interval_bytes = 1;
  config.durability = durability;
  return config;
}

std::string value_of(int batch) { return "value " + std::to_string(batch); }

EncodedBatch positioned_batch(int batch) {
  BatchBuilder builder(Compression::kNone, {kProducer.producer_id, 0, batch});
  builder.add(1000 + batch, std::nullopt, value_of(batch));
  builder.set_position({"source", std::to_string(batch)});
  return builder.encode();
}

// Appends what is missing, reopening in between, until something fails. Returns how many batches
// were acknowledged.
int run(FileSystem& files, const std::string& directory, Durability durability) {
  SystemClock clock;
  const auto metrics = telemetry::make_metrics();
  int acknowledged = 0;
  try {
    while (acknowledged < kBatches) {
      const auto log = Log::open(directory, files, clock, *metrics);
      Topic* topic = log->find_topic("t");
      if (topic == nullptr) topic = &log->create_topic("t", tiny_segments(durability));
      for (int i = 0; i < 4; ++i) {
        topic->partition(0).append(positioned_batch(acknowledged));
        ++acknowledged;
      }
      log->apply_retention();
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable) << error.message();
  }
  return acknowledged;
}

// After the fault: the acknowledged batches are there, each once, and a producer that repeats
// everything it is not sure of ends with each batch once.
void check(const std::string& directory, int acknowledged, Durability durability, int fail_at) {
  const auto files = make_posix_file_system();
  SystemClock clock;
  const auto metrics = telemetry::make_metrics();
  const auto log = Log::open(directory, *files, clock, *metrics);
  Topic* topic = log->find_topic("t");
  if (topic == nullptr) {
    ASSERT_EQ(acknowledged, 0);
    topic = &log->create_topic("t", tiny_segments(durability));
  }
  Partition& partition = topic->partition(0);
  ASSERT_GE(partition.end_offset(), acknowledged) << "lost, fault " << fail_at;
  const auto there = static_cast<int>(partition.end_offset());
  ASSERT_LE(there, acknowledged + 1) << "more than was sent, fault " << fail_at;
  if (there > 0) {
    ASSERT_EQ(partition.source_position("source"), std::to_string(there - 1));
  }
  for (int i = acknowledged; i < kBatches; ++i) {
    const AppendResult result = partition.append(positioned_batch(i));
    ASSERT_EQ(result.base_offset, i) << "fault " << fail_at;
    ASSERT_EQ(result.duplicate, i < there) << "fault " << fail_at;
  }
  std::vector<std::string> expected;
  for (int i = 0; i < kBatches; ++i) expected.push_back(value_of(i));
  ASSERT_EQ(values_of(partition), expected) << "fault " << fail_at;
  for (int i = 0; i < kBatches; ++i) {
    ASSERT_EQ(partition.offset_for_time(1000 + i), i) << "fault " << fail_at;
  }
}

void fault_loop(Durability durability, bool stay_broken) {
  const auto posix = make_posix_file_system();
  for (int n = 1; n < 10'000; ++n) {
    const TemporaryDirectory directory;
    FaultyFileSystem files(*posix, n, stay_broken);
    const int acknowledged = run(files, directory.path() + "/log", durability);
    ASSERT_NO_FATAL_FAILURE(check(directory.path() + "/log", acknowledged, durability, n));
    if (!files.failed()) {
      EXPECT_EQ(acknowledged, kBatches);
      return;
    }
  }
  FAIL() << "the loop found no end";
}

TEST(Fault, OneFailureWithDiskDurability) { fault_loop(Durability::kDisk, false); }
TEST(Fault, OneFailureWithMemoryDurability) { fault_loop(Durability::kMemory, false); }
TEST(Fault, ALostDeviceWithDiskDurability) { fault_loop(Durability::kDisk, true); }

TEST(Fault, ABrokenPartitionRefusesAndTheOthersGoOn) {
  const auto posix = make_posix_file_system();
  const TemporaryDirectory directory;
  SystemClock clock;
  const auto metrics = telemetry::make_metrics();
  FaultyFileSystem counting(*posix, 0);
  int before = 0;
  for (const bool measuring : {true, false}) {
    // The first round finds out at which operation the third append begins.
    FaultyFileSystem failing(*posix, measuring ? 0 : before + 1);
    const std::string path = directory.path() + (measuring ? "/measured" : "/log");
    const auto log = Log::open(path, failing, clock, *metrics);
    TopicConfig config;
    config.partitions = 2;
    Topic& topic = log->create_topic("t", config);
    topic.partition(0).append(batch_of({"kept"}));
    topic.partition(1).append(batch_of({"other"}));
    before = failing.operations();
    if (measuring) continue;
    EXPECT_EQ(kind_of_failure([&] { topic.partition(0).append(batch_of({"torn"})); }),
              ErrorKind::kUnavailable);
    EXPECT_EQ(kind_of_failure([&] { topic.partition(0).append(batch_of({"refused"})); }),
              ErrorKind::kUnavailable);
    topic.partition(1).append(batch_of({"goes on"}));
    EXPECT_EQ(topic.partition(0).end_offset(), 1);
    EXPECT_EQ(values_of(topic.partition(0)), std::vector<std::string>{"kept"});
    EXPECT_EQ(topic.partition(1).end_offset(), 2);
  }
  const auto log = Log::open(directory.path() + "/log", *posix, clock, *metrics);
  Partition& partition = log->topic("t").partition(0);
  EXPECT_EQ(partition.append(batch_of({"again"})).base_offset, 1);
}

}  // namespace
}  // namespace headrace::stream
