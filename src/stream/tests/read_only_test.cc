#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/testing/log_fixture.h"

namespace headrace::stream {
namespace {

using testing::ElementsAre;

class ReadOnlyLog : public testing::Test {
 protected:
  std::unique_ptr<Log> open_read_only() {
    LogOptions options;
    options.read_only = true;
    return Log::open(writer_.directory(), writer_.files(), writer_.clock(), *metrics_, options);
  }

  LogFixture writer_;
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
};

TEST_F(ReadOnlyLog, SeesWhatALiveWriterAppendsAfterRefresh) {
  TopicConfig config;
  config.segment_bytes = 300;
  config.index_interval_bytes = 1;
  Partition& partition = writer_.topic("t", config).partition(0);
  partition.append(batch_at("0", {"s", "0"}));
  const auto log = open_read_only();
  const Partition& seen = log->topic("t").partition(0);
  EXPECT_THAT(values_of(seen), ElementsAre("0"));
  std::vector<std::string> expected{"0"};
  for (int i = 1; i < 20; ++i) {
    expected.push_back(std::to_string(i));
    partition.append(batch_at(expected.back(), {"s", expected.back()}));
    EXPECT_EQ(seen.end_offset(), i) << "only refresh takes up what is new";
    log->refresh();
    EXPECT_EQ(values_of(seen), expected);
    EXPECT_EQ(seen.source_position("s"), expected.back());
  }
}

TEST_F(ReadOnlyLog, SeesTopicsAndPartitionsComeAndGo) {
  writer_.topic("old");
  const auto log = open_read_only();
  TopicConfig config;
  Topic& topic = writer_.topic("new", config);
  config.partitions = 2;
  writer_.log().alter_topic("new", config);
  topic.partition(1).append(batch_of({"x"}));
  writer_.log().delete_topic("old");
  log->refresh();
  EXPECT_THAT(log->topic_names(), ElementsAre("new"));
  EXPECT_THAT(values_of(log->topic("new").partition(1)), ElementsAre("x"));
}

TEST_F(ReadOnlyLog, SeesRetention) {
  TopicConfig config;
  config.segment_bytes = 1;
  config.retention_bytes = 0;
  Partition& partition = writer_.topic("t", config).partition(0);
  for (const char* value : {"a", "b", "c"}) partition.append(batch_of({value}));
  const auto log = open_read_only();
  writer_.log().apply_retention();
  log->refresh();
  EXPECT_EQ(log->topic("t").partition(0).start_offset(), 2);
  EXPECT_THAT(values_of(log->topic("t").partition(0), 2), ElementsAre("c"));
}

TEST_F(ReadOnlyLog, CutsNothingAndChangesNothing) {
  writer_.topic("t").partition(0).append(batch_of({"whole"}));
  const std::string path = writer_.log_file("t", 0, 0);
  const uint64_t size = std::filesystem::file_size(path);
  std::ofstream(path, std::ios::app | std::ios::binary) << "half a batch";
  const auto log = open_read_only();
  Partition& partition = log->topic("t").partition(0);
  EXPECT_THAT(values_of(partition), ElementsAre("whole"));
  EXPECT_EQ(std::filesystem::file_size(path), size + 12);
  EXPECT_EQ(kind_of_failure([&] { partition.append(batch_of({"x"})); }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of_failure([&] { log->create_topic("u", {}); }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of_failure([&] { log->delete_topic("t"); }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of_failure([&] { log->alter_topic("t", {}); }), ErrorKind::kInvalid);
}

TEST_F(ReadOnlyLog, ADirectoryThatIsNotThereHasNoTopics) {
  LogOptions options;
  options.read_only = true;
  const auto log = Log::open(writer_.directory() + "/none", writer_.files(), writer_.clock(),
                             *metrics_, options);
  EXPECT_TRUE(log->topic_names().empty());
  log->refresh();
}

}  // namespace
}  // namespace headrace::stream
