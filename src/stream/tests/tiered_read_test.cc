// Reading records that are in object storage, some, all or no longer.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/testing/tiered_fixture.h"

namespace headrace::stream {
namespace {

using ::testing::HasSubstr;

TEST(TieredRead, IndexesAreHints) {
  TieredFixture tiered;
  tiered.config().segment_bytes = 1500;
  tiered.append(0, 40);
  tiered.log().tend({});
  for (const std::string& name : tiered.object_names()) {
    if (!name.ends_with(".index")) continue;
    const std::string uri = tiered.folder() + "/" + name;
    std::string bytes = tiered.objects().get(uri);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    tiered.objects().put(uri, bytes);
  }
  Partition& partition = tiered.topic().partition(0);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(partition.read(i, i + 1, 1).front().base_offset(), i);
    EXPECT_EQ(partition.offset_for_time(1000 + i), i);
  }
}

TEST(TieredRead, ADamagedObjectIsNamed) {
  TieredFixture tiered;
  tiered.append(0, 20);
  tiered.log().tend({});
  const std::string name = *tiered.object_names().begin();
  std::string bytes = tiered.objects().get(tiered.folder() + "/" + name);
  bytes[bytes.size() - 2] = static_cast<char>(bytes[bytes.size() - 2] ^ 1);
  for (const std::string& object : tiered.object_names()) {
    if (object.substr(0, 20) == name.substr(0, 20) && object.ends_with(".log")) {
      const std::string uri = tiered.folder() + "/" + object;
      bytes = tiered.objects().get(uri);
      bytes[bytes.size() - 2] = static_cast<char>(bytes[bytes.size() - 2] ^ 1);
      tiered.objects().put(uri, bytes);
    }
  }
  Partition& partition = tiered.topic().partition(0);
  const auto read = [&] { partition.read(0, 1 << 20); };
  EXPECT_EQ(kind_of_failure(read), ErrorKind::kCorrupt);
  EXPECT_THAT(message_of_failure(read), HasSubstr(tiered.folder()));
}

TEST(TieredRead, AMissingObjectIsNamed) {
  TieredFixture tiered;
  tiered.append(0, 20);
  tiered.log().tend({});
  for (const std::string& name : tiered.object_names()) {
    if (name.ends_with(".log")) tiered.objects().remove(tiered.folder() + "/" + name);
  }
  Partition& partition = tiered.topic().partition(0);
  const auto read = [&] { partition.read(0, 1 << 20); };
  EXPECT_EQ(kind_of_failure(read), ErrorKind::kCorrupt);
  EXPECT_THAT(message_of_failure(read), HasSubstr(tiered.folder()));
}

TEST(TieredRead, AReaderBesideTheWriterFollows) {
  TieredFixture tiered;
  tiered.append(0, 20);
  LogOptions options;
  options.read_only = true;
  options.objects = &tiered.objects();
  SystemClock clock;
  const auto metrics = telemetry::make_metrics();
  const auto beside =
      Log::open(tiered.fixture().directory(), tiered.files(), clock, *metrics, options);
  const Partition& partition = beside->topic("t").partition(0);
  EXPECT_EQ(values_of(partition), numbered_values(0, 20));
  tiered.log().tend({});
  EXPECT_EQ(values_of(partition), numbered_values(0, 20));  // before it knows that they went
  beside->refresh();
  EXPECT_EQ(values_of(partition), numbered_values(0, 20));
  EXPECT_EQ(partition.start_offset(), 0);
}

TEST(TieredRead, ReadersMeetNoGapWhileSegmentsGo) {
  TieredFixture tiered;
  Partition& partition = tiered.topic().partition(0);
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto end = static_cast<int>(partition.end_offset());
      const std::vector<std::string> seen = values_of(partition, 0, 500);
      EXPECT_GE(seen.size(), static_cast<size_t>(end));
      EXPECT_EQ(seen, numbered_values(0, static_cast<int>(seen.size())));
    }
  });
  for (int i = 0; i < 200; i += 5) {
    tiered.append(i, i + 5);
    tiered.log().tend({});
    EXPECT_EQ(partition.tier()->problem, "");
  }
}

TEST(TieredRead, SegmentsTellWhereTheyAre) {
  TieredFixture tiered;
  tiered.config().tiered_storage.local_retention_bytes = 1200;
  tiered.append(0, 40);
  tiered.log().tend({});
  Offset next = 0;
  int both = 0;
  for (const SegmentInfo& segment : tiered.topic().partition(0).segments()) {
    EXPECT_EQ(segment.base_offset, next);
    next = segment.end_offset;
    EXPECT_TRUE(segment.is_local || !segment.uri.empty());
    both += segment.is_local && !segment.uri.empty() ? 1 : 0;
  }
  EXPECT_EQ(next, 40);
  EXPECT_GT(both, 0);
}

}  // namespace
}  // namespace headrace::stream
