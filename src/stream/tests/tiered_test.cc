// Topics whose older segments are in object storage: uploading, reading, dropping, coming back.

#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objects/folder_store.h"
#include "objects/testing/faulty_store.h"
#include "objects/uri.h"
#include "stream/remote_manifest.h"
#include "stream/testing/tiered_fixture.h"

namespace headrace::stream {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> values(int from, int to) {
  std::vector<std::string> all;
  for (int i = from; i < to; ++i) all.push_back(numbered_value(i));
  return all;
}

TEST(Tiered, UploadsFinishedSegmentsAndReadsThemBack) {
  TieredFixture tiered;
  Partition& partition = tiered.topic().partition(0);
  tiered.append(0, 20);
  tiered.log().tend({});
  const TierStatus status = partition.tier().value();
  EXPECT_EQ(status.problem, "");
  EXPECT_GT(status.remote_segments, 2);
  EXPECT_EQ(status.lag_segments, 0);
  // Local copies are dropped at once here: only the active segment stays.
  EXPECT_EQ(tiered.local_segments(), 1U);
  EXPECT_EQ(partition.start_offset(), 0);
  EXPECT_EQ(values_of(partition), values(0, 20));
  EXPECT_EQ(values_of(partition, 0, 1), values(0, 20));  // batch by batch
  EXPECT_EQ(values_of(partition, 7), values(7, 20));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(partition.offset_for_time(1000 + i), i);
  EXPECT_EQ(partition.offset_for_time(5000), 20);
}

std::set<std::string> object_names(TieredFixture& tiered) {
  std::set<std::string> names;
  tiered.objects().list(tiered.folder(), [&](const objects::ObjectInfo& object) {
    names.insert(object.uri.substr(tiered.folder().size() + 1));
  });
  return names;
}

size_t count_logs(TieredFixture& tiered) {
  size_t count = 0;
  for (const std::string& name : object_names(tiered)) count += name.ends_with(".log") ? 1 : 0;
  return count;
}

TEST(Tiered, GoesOnAfterARestart) {
  TieredFixture tiered;
  tiered.append(0, 20);
  tiered.log().tend({});
  tiered.open();
  EXPECT_EQ(values_of(tiered.topic().partition(0)), values(0, 20));
  tiered.append(20, 40);
  tiered.log().tend({});
  EXPECT_EQ(tiered.topic().partition(0).tier()->problem, "");
  EXPECT_EQ(tiered.topic().partition(0).tier()->note, "");
  EXPECT_EQ(values_of(tiered.topic().partition(0)), values(0, 40));
}

TEST(Tiered, ALostDiskComesBack) {
  TieredFixture tiered;
  tiered.append(0, 20);
  tiered.log().tend({});
  const auto uploaded = static_cast<int>(tiered.topic().partition(0).tier()->uploaded_offset);
  ASSERT_GT(uploaded, 10);
  ASSERT_LT(uploaded, 20);
  tiered.lose_disk();

  Partition& partition = tiered.topic().partition(0);
  EXPECT_EQ(partition.start_offset(), 0);
  EXPECT_EQ(partition.end_offset(), uploaded);
  EXPECT_EQ(values_of(partition), values(0, uploaded));
  EXPECT_EQ(partition.source_position("source"), std::to_string(uploaded - 1));
  EXPECT_TRUE(partition.append(numbered_batch(uploaded - 1)).duplicate);
  EXPECT_EQ(partition.append(numbered_batch(uploaded)).base_offset, uploaded);
  EXPECT_THAT(partition.tier()->note, HasSubstr("came back"));
  tiered.append(uploaded + 1, 40);
  tiered.log().tend({});
  EXPECT_EQ(partition.tier()->problem, "");
  tiered.lose_disk();
  EXPECT_GT(tiered.topic().partition(0).end_offset(), 30);
}

TEST(Tiered, NoOffsetIsGivenTwiceThatSomebodyHasRead) {
  TieredFixture tiered;
  tiered.append(0, 20);
  tiered.log().tend({});
  const auto uploaded = static_cast<int>(tiered.topic().partition(0).tier()->uploaded_offset);
  tiered.lose_disk();
  Partition& partition = tiered.topic().partition(0);
  partition.skip_to(20);
  partition.skip_to(3);
  EXPECT_EQ(partition.end_offset(), 20);
  EXPECT_EQ(partition.append(batch_of({"after"})).base_offset, 20);
  EXPECT_EQ(kind_of_failure([&] { partition.skip_to(30); }), ErrorKind::kConflict);
  // The offsets between are missing, and reading goes past them.
  const std::vector<Batch> batches = partition.read(uploaded, uploaded + 1, 1 << 20);
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].base_offset(), 20);
  tiered.open();
  EXPECT_EQ(tiered.topic().partition(0).end_offset(), 21);
  // They stay missing when what comes after is uploaded, too.
  for (int i = 0; i < 20; ++i) tiered.topic().partition(0).append(batch_of({"more"}));
  tiered.log().tend({});
  EXPECT_EQ(tiered.topic().partition(0).tier()->problem, "");
  EXPECT_GT(tiered.topic().partition(0).tier()->uploaded_offset, 20);
  EXPECT_EQ(tiered.topic().partition(0).read(uploaded, 1 << 20).front().base_offset(), 20);
}

TEST(Tiered, TheActiveSegmentIsUploadedAfterTheInterval) {
  TieredFixture tiered;
  tiered.config().segment_bytes = 1 << 20;
  tiered.config().tiered_storage.upload_interval_ms = 60'000;
  tiered.append(0, 3);
  tiered.log().tend({});
  EXPECT_EQ(tiered.topic().partition(0).tier()->remote_segments, 0);
  tiered.clock().advance(std::chrono::seconds(30));
  tiered.append(3, 4);  // counted from the first record, not from the last
  tiered.clock().advance(std::chrono::seconds(31));
  tiered.log().tend({});
  EXPECT_EQ(tiered.topic().partition(0).tier()->uploaded_offset, 4);
  tiered.append(4, 5);
  tiered.open();  // how old it is is not known any more
  tiered.log().tend({});
  EXPECT_EQ(tiered.topic().partition(0).tier()->uploaded_offset, 5);
}

TEST(Tiered, LocalRetentionKeepsWhatItIsTold) {
  TieredFixture tiered;
  tiered.config().tiered_storage.local_retention_bytes = 1200;
  tiered.append(0, 40);
  tiered.log().tend({});
  Partition& partition = tiered.topic().partition(0);
  EXPECT_GE(partition.local_bytes(), 1200U);
  EXPECT_LT(partition.local_bytes(), 2400U);
  TopicConfig config = tiered.config();
  config.tiered_storage.local_retention_bytes = -1;
  config.tiered_storage.local_retention_ms = 60'000;
  tiered.log().alter_topic("t", config);
  tiered.log().tend({});
  EXPECT_GT(tiered.local_segments(), 1U);
  tiered.clock().advance(std::chrono::seconds(61));
  tiered.log().tend({});
  EXPECT_EQ(tiered.local_segments(), 1U);
  EXPECT_EQ(values_of(partition), values(0, 40));
}

TEST(Tiered, RetentionRemovesRemoteSegmentsButNotPastAReader) {
  TieredFixture tiered;
  tiered.append(0, 40);
  tiered.log().tend({});
  Partition& partition = tiered.topic().partition(0);
  const size_t all = count_logs(tiered);
  TopicConfig config = tiered.config();
  config.retention_bytes = 1200;
  tiered.log().alter_topic("t", config);
  auto reader = partition.register_reader("job:x", 10);
  tiered.log().apply_retention();
  EXPECT_GT(partition.start_offset(), 0);
  EXPECT_LE(partition.start_offset(), 10);
  EXPECT_LT(count_logs(tiered), all);
  reader.reset();
  tiered.log().apply_retention();
  EXPECT_GT(partition.start_offset(), 20);
  EXPECT_LT(partition.size_bytes(), 2400U);
  EXPECT_EQ(count_logs(tiered), static_cast<size_t>(partition.tier()->remote_segments));
  EXPECT_EQ(kind_of_failure([&] { partition.read(0, 100); }), ErrorKind::kNotFound);
  const auto start = static_cast<int>(partition.start_offset());
  EXPECT_EQ(values_of(partition, start), values(start, 40));

  config.retention_bytes = -1;
  config.retention_ms = 60'000;
  tiered.log().alter_topic("t", config);
  tiered.clock().advance(std::chrono::seconds(61));
  tiered.log().apply_retention();  // what was active is finished, and uploaded before it may go
  tiered.log().tend({});
  tiered.log().apply_retention();
  EXPECT_EQ(partition.start_offset(), partition.end_offset());
  EXPECT_EQ(count_logs(tiered), 0U);
  tiered.lose_disk();
  EXPECT_EQ(tiered.topic().partition(0).end_offset(), 40);  // also when nothing is kept
}

TEST(Tiered, ThePlaceCannotChangeUnderSegments) {
  TieredFixture tiered;
  tiered.append(0, 20);
  tiered.log().tend({});
  TopicConfig config = tiered.config();
  for (const std::string& uri : {std::string(), tiered.uri() + "2"}) {
    config.tiered_storage.uri = uri;
    const auto change = [&] { tiered.log().alter_topic("t", config); };
    EXPECT_EQ(kind_of_failure(change), ErrorKind::kInvalid);
    EXPECT_THAT(message_of_failure(change), HasSubstr("Keep tiered_storage.uri"));
  }
  EXPECT_EQ(values_of(tiered.topic().partition(0)), values(0, 20));
}

TEST(Tiered, ATopicGetsItLaterAndCanLeaveItBeforeTheFirstUpload) {
  TieredFixture tiered;
  const std::string uri = tiered.uri();
  tiered.config().tiered_storage.uri = "";
  tiered.append(0, 20);
  EXPECT_FALSE(tiered.topic().partition(0).tier().has_value());
  TopicConfig config = tiered.config();
  for (const std::string& place : {uri, std::string(), uri + "2", uri}) {
    config.tiered_storage.uri = place;
    tiered.log().alter_topic("t", config);
  }
  tiered.log().tend({});
  Partition& partition = tiered.topic().partition(0);
  EXPECT_EQ(partition.tier()->problem, "");
  EXPECT_GT(partition.tier()->remote_segments, 2);
  EXPECT_EQ(values_of(partition), values(0, 20));
  EXPECT_TRUE(tiered.objects().is_empty(uri + "2/t/0"));
  tiered.open();
  EXPECT_EQ(values_of(tiered.topic().partition(0)), values(0, 20));
}

TEST(Tiered, OfTwoWritersOneIsFenced) {
  TieredFixture first;
  first.append(0, 20);
  first.log().tend({});
  const auto uploaded = static_cast<int>(first.topic().partition(0).tier()->uploaded_offset);
  TieredFixture second(first.objects(), first.uri());
  second.append(uploaded, 40);  // it has no records of its own, and goes on
  second.log().tend({});
  EXPECT_EQ(second.topic().partition(0).tier()->problem, "");

  first.append(20, 40);
  first.log().tend({});
  EXPECT_THAT(first.topic().partition(0).tier()->problem, HasSubstr("another writer"));
  first.clock().advance(std::chrono::minutes(2));
  first.log().tend({});
  EXPECT_THAT(first.topic().partition(0).tier()->problem, HasSubstr("belongs to another log"));
  EXPECT_EQ(values_of(first.topic().partition(0)), values(0, 40));  // nothing of its own is dropped
  first.open();
  first.log().tend({});
  EXPECT_THAT(first.topic().partition(0).tier()->problem, HasSubstr("belongs to another log"));
  EXPECT_EQ(values_of(second.topic().partition(0)), values(0, 40));
  // Deleting the topic here leaves what is the other's.
  first.log().delete_topic("t");
  EXPECT_EQ(values_of(second.topic().partition(0)), values(0, 40));
}

TEST(Tiered, RecordsOfAnotherLogAreNotMixedWithItsOwn) {
  TieredFixture first;
  first.append(0, 20);
  first.log().tend({});
  TieredFixture second(first.objects(), "");
  second.append(0, 5);
  TopicConfig config = second.config();
  config.tiered_storage.uri = first.uri();
  EXPECT_EQ(kind_of_failure([&] { second.log().alter_topic("t", config); }), ErrorKind::kConflict);
  EXPECT_EQ(second.topic().config().tiered_storage.uri, "");
  first.log().tend({});
  EXPECT_EQ(first.topic().partition(0).tier()->problem, "");
}

TEST(Tiered, WhatIsDeletedDoesNotComeBack) {
  TieredFixture tiered;
  tiered.append(0, 20);
  tiered.log().tend({});
  tiered.log().delete_topic("t");
  EXPECT_TRUE(tiered.objects().is_empty(tiered.folder()));
  EXPECT_EQ(tiered.topic().partition(0).end_offset(), 0);
}

TEST(Tiered, AnAwayStoreHoldsLocalSegments) {
  const auto files = make_posix_file_system();
  const auto folders = objects::make_folder_store(*files);
  const TemporaryDirectory remote;
  objects::FaultyStore store(*folders);
  TieredFixture tiered(store, objects::file_uri(remote.path()));
  tiered.append(0, 20);
  const size_t before = tiered.local_segments();
  store.set_away(true);
  tiered.log().tend({});
  Partition& partition = tiered.topic().partition(0);
  EXPECT_THAT(partition.tier()->problem, HasSubstr("away"));
  EXPECT_EQ(static_cast<size_t>(partition.tier()->lag_segments), before - 1);
  EXPECT_GT(partition.tier()->lag_bytes, 0U);
  EXPECT_EQ(tiered.local_segments(), before);
  const auto failures = [&] {
    return tiered.fixture()
        .metrics()
        .counter("headrace_topic_tier_failures_total", "", {{"topic", "t"}})
        .value();
  };
  EXPECT_EQ(failures(), 1);
  tiered.log().tend({});  // it waits before it tries again
  EXPECT_EQ(failures(), 1);
  tiered.clock().advance(std::chrono::seconds(2));
  tiered.log().tend({});
  EXPECT_EQ(failures(), 2);
  tiered.append(20, 22);  // appending goes on
  store.set_away(false);
  tiered.clock().advance(std::chrono::minutes(1));
  tiered.log().tend({});
  EXPECT_EQ(partition.tier()->problem, "");
  EXPECT_EQ(tiered.local_segments(), 1U);
  EXPECT_EQ(values_of(partition), values(0, 22));
}

TEST(Tiered, ALostDiskWaitsForAnAwayStore) {
  const auto files = make_posix_file_system();
  const auto folders = objects::make_folder_store(*files);
  const TemporaryDirectory remote;
  objects::FaultyStore store(*folders);
  TieredFixture tiered(store, objects::file_uri(remote.path()));
  tiered.append(0, 20);
  tiered.log().tend({});
  const auto uploaded = static_cast<int>(tiered.topic().partition(0).tier()->uploaded_offset);
  tiered.lose_disk();
  store.set_away(true);
  for (int start = 0; start < 2; ++start) {
    tiered.open();
    Partition& partition = tiered.topic().partition(0);
    EXPECT_EQ(kind_of_failure([&] { partition.append(numbered_batch(uploaded)); }),
              ErrorKind::kUnavailable);
    EXPECT_EQ(kind_of_failure([&] { partition.read(0, 100); }), ErrorKind::kUnavailable);
    EXPECT_EQ(kind_of_failure([&] { partition.check_ready(); }), ErrorKind::kUnavailable);
    EXPECT_THAT(partition.refusal(), HasSubstr("away"));
    partition.skip_to(20);
    tiered.log().tend({});
    EXPECT_THAT(partition.refusal(), HasSubstr("away"));
  }
  store.set_away(false);
  tiered.clock().advance(std::chrono::minutes(1));
  tiered.log().tend({});
  Partition& partition = tiered.topic().partition(0);
  EXPECT_EQ(partition.refusal(), "");
  EXPECT_EQ(partition.append(batch_of({"after"})).base_offset, 20);
  EXPECT_EQ(partition.read(0, 1 << 20).front().base_offset(), 0);
}

TEST(Tiered, IndexesAreHints) {
  TieredFixture tiered;
  tiered.config().segment_bytes = 1500;
  tiered.append(0, 40);
  tiered.log().tend({});
  for (const std::string& name : object_names(tiered)) {
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

TEST(Tiered, ADamagedObjectIsNamed) {
  TieredFixture tiered;
  tiered.append(0, 20);
  tiered.log().tend({});
  const std::string name = *object_names(tiered).begin();
  std::string bytes = tiered.objects().get(tiered.folder() + "/" + name);
  bytes[bytes.size() - 2] = static_cast<char>(bytes[bytes.size() - 2] ^ 1);
  for (const std::string& object : object_names(tiered)) {
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

TEST(Tiered, AMissingObjectIsNamed) {
  TieredFixture tiered;
  tiered.append(0, 20);
  tiered.log().tend({});
  for (const std::string& name : object_names(tiered)) {
    if (name.ends_with(".log")) tiered.objects().remove(tiered.folder() + "/" + name);
  }
  Partition& partition = tiered.topic().partition(0);
  const auto read = [&] { partition.read(0, 1 << 20); };
  EXPECT_EQ(kind_of_failure(read), ErrorKind::kCorrupt);
  EXPECT_THAT(message_of_failure(read), HasSubstr(tiered.folder()));
}

TEST(Tiered, AReaderBesideTheWriterFollows) {
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
  EXPECT_EQ(values_of(partition), values(0, 20));
  tiered.log().tend({});
  EXPECT_EQ(values_of(partition), values(0, 20));  // before it knows that they went
  beside->refresh();
  EXPECT_EQ(values_of(partition), values(0, 20));
  EXPECT_EQ(partition.start_offset(), 0);
}

TEST(Tiered, ReadersMeetNoGapWhileSegmentsGo) {
  TieredFixture tiered;
  Partition& partition = tiered.topic().partition(0);
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto end = static_cast<int>(partition.end_offset());
      const std::vector<std::string> seen = values_of(partition, 0, 500);
      EXPECT_GE(seen.size(), static_cast<size_t>(end));
      EXPECT_EQ(seen, values(0, static_cast<int>(seen.size())));
    }
  });
  for (int i = 0; i < 200; i += 5) {
    tiered.append(i, i + 5);
    tiered.log().tend({});
    EXPECT_EQ(partition.tier()->problem, "");
  }
}

TEST(Tiered, SegmentsTellWhereTheyAre) {
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

TEST(Tiered, MorePartitionsAreTiered) {
  TieredFixture tiered;
  tiered.append(0, 1);
  TopicConfig config = tiered.config();
  config.partitions = 3;
  tiered.log().alter_topic("t", config);
  for (int i = 0; i < 20; ++i) tiered.topic().partition(2).append(batch_of({"x", "y", "z"}));
  tiered.log().tend({});
  EXPECT_GT(tiered.topic().partition(2).tier()->remote_segments, 0);
  EXPECT_EQ(tiered.local_segments(2), 1U);
}

TEST(Tiered, WithoutObjectStorageItIsRefused) {
  LogFixture fixture;
  const auto make = [&] { fixture.topic("t", tiny_tiered_config("file:///nowhere")); };
  EXPECT_EQ(kind_of_failure(make), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of_failure([&] { fixture.topic("t", tiny_tiered_config("ftp://x")); }),
            ErrorKind::kInvalid);
}

}  // namespace
}  // namespace headrace::stream
