// What reopening finds after crashes and damage.

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/testing/log_fixture.h"

namespace headrace::stream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// A log as a crash leaves it: three batches, the second and third never covered by a checkpoint.
class CrashedLog {
 public:
  CrashedLog() {
    TopicConfig config;
    config.index_interval_bytes = 1;
    Partition& partition = before_.topic("t", config).partition(0);
    for (const char* value : {"first", "second", "third"}) {
      ends_.push_back(partition.size_bytes());
      partition.append(
          batch_of({value, value}, {7, 0, 2 * static_cast<int32_t>(ends_.size() - 1)}));
    }
    before_.copy_to(after_.directory());
    path_ = after_.log_file("t", 0, 0);
    bytes_ = read_file(path_);
  }

  const std::string& bytes() const { return bytes_; }
  uint64_t begin_of(size_t batch) const { return ends_[batch]; }
  const std::string& path() const { return path_; }
  LogFixture& after() { return after_; }
  Partition& open_with(const std::string& bytes) {
    after_.close();
    std::filesystem::remove(after_.directory() + "/t/0/00000000000000000000.state");
    write_file(path_, bytes);
    return after_.topic("t").partition(0);
  }

 private:
  LogFixture before_;
  LogFixture after_;
  std::vector<uint64_t> ends_;
  std::string path_;
  std::string bytes_;
};

TEST(Recovery, CutsATornTailAtEveryByte) {
  CrashedLog log;
  for (uint64_t size = 0; size < log.bytes().size(); size += size < log.begin_of(2) ? 13 : 1) {
    const Offset whole = size < log.begin_of(1) ? 0 : size < log.begin_of(2) ? 2 : 4;
    Partition& partition = log.open_with(log.bytes().substr(0, size));
    ASSERT_EQ(partition.end_offset(), whole) << "cut to " << size;
    ASSERT_EQ(partition.append(batch_of({"new"})).base_offset, whole);
    ASSERT_EQ(values_of(partition).back(), "new");
  }
}

TEST(Recovery, ADamagedLastBatchIsATear) {
  CrashedLog log;
  for (uint64_t at = log.begin_of(2) + 8; at < log.bytes().size(); ++at) {
    std::string damaged = log.bytes();
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    if (at >= log.begin_of(2) + 12 && at < log.begin_of(2) + 16) continue;  // the leader's epoch
    ASSERT_EQ(log.open_with(damaged).end_offset(), 4) << "byte " << at;
  }
  const std::string zeros(5000, '\0');
  EXPECT_EQ(log.open_with(log.bytes() + zeros).end_offset(), 6);
}

TEST(Recovery, DamageBeforeValidBatchesIsCorrupt) {
  CrashedLog log;
  for (uint64_t at = log.begin_of(1); at < log.begin_of(2); ++at) {
    const uint64_t in_batch = at - log.begin_of(1);
    if (in_batch >= 12 && in_batch < 16) continue;  // the leader's epoch
    std::string damaged = log.bytes();
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    const auto reopen = [&] { log.open_with(damaged); };
    ASSERT_EQ(kind_of_failure(reopen), ErrorKind::kCorrupt) << "byte " << at;
    const std::string message = message_of_failure(reopen);
    ASSERT_THAT(message, HasSubstr(log.path()));
    ASSERT_THAT(message, HasSubstr(format("byte {}", log.begin_of(1))));
    ASSERT_EQ(read_file(log.path()), damaged) << "nothing may be cut";
  }
}

TEST(Recovery, DamageFoundByReadingNamesFileAndByte) {
  LogFixture fixture;
  fixture.topic("t").partition(0).append(batch_of({"first"}));
  const uint64_t second = fixture.topic("t").partition(0).size_bytes();
  fixture.topic("t").partition(0).append(batch_of({"second"}));
  fixture.close();
  const std::string path = fixture.log_file("t", 0, 0);
  std::string bytes = read_file(path);
  bytes.back() = 'X';
  write_file(path, bytes);
  // After an orderly end nothing is scanned: the damage shows where the batch is read.
  const std::string message =
      message_of_failure([&] { fixture.topic("t").partition(0).read(0, 1 << 20); });
  EXPECT_THAT(message, HasSubstr(path));
  EXPECT_THAT(message, HasSubstr(format("byte {}", second)));
}

TEST(Recovery, DamageInAFinishedSegmentIsCorrupt) {
  LogFixture before;
  TopicConfig config;
  config.segment_bytes = 1;
  for (const char* value : {"a", "b", "c"}) {
    before.topic("t", config).partition(0).append(batch_of({value}));
  }
  LogFixture after;
  before.copy_to(after.directory());
  std::filesystem::remove(after.directory() + "/t/0/00000000000000000002.state");
  std::filesystem::remove(after.directory() + "/t/0/00000000000000000001.state");
  const std::string path = after.log_file("t", 0, 1);
  write_file(path, read_file(path).substr(0, 50));
  EXPECT_EQ(kind_of_failure([&] { after.open(); }), ErrorKind::kCorrupt);
}

TEST(Recovery, SidecarsAreOnlyHints) {
  LogFixture fixture;
  TopicConfig config;
  config.segment_bytes = 400;
  config.index_interval_bytes = 1;
  std::vector<std::string> expected;
  for (int i = 0; i < 30; ++i) {
    const std::string value = "value " + std::to_string(i);
    fixture.topic("t", config).partition(0).append(batch_of({value}, {5, 0, i}, 1000 + i));
    expected.push_back(value);
  }
  fixture.close();
  const std::string directory = fixture.directory() + "/t/0";
  const std::string contents[] = {"", "torn", std::string(160, '\xFF'), "{}",
                                  R"({"version":1,"segment":0,"bytes":-1})"};
  for (const std::string suffix : {".index", ".timeindex", ".state"}) {
    for (size_t way = 0; way <= std::size(contents); ++way) {
      for (const auto& file : std::filesystem::directory_iterator(directory)) {
        if (file.path().extension() != suffix) continue;
        if (way == std::size(contents)) {
          std::filesystem::remove(file.path());
        } else {
          write_file(file.path().string(), contents[way]);
        }
      }
      fixture.open();
      Partition& partition = fixture.topic("t").partition(0);
      ASSERT_EQ(values_of(partition), expected) << suffix << " way " << way;
      for (int i = 0; i < 30; ++i) {
        ASSERT_EQ(partition.offset_for_time(1000 + i), i) << suffix << " way " << way;
        ASSERT_EQ(values_of(partition, i).front(), expected[static_cast<size_t>(i)]);
      }
      ASSERT_TRUE(partition.append(batch_of({"value 29"}, {5, 0, 29})).duplicate) << suffix;
      fixture.close();
    }
  }
}

TEST(Recovery, FilesOfAnUnfinishedRollAreSweptUp) {
  LogFixture fixture;
  fixture.topic("t").partition(0).append(batch_of({"a"}));
  fixture.close();
  const std::string stray = fixture.directory() + "/t/0/00000000000000000009.state";
  write_file(stray, "{}");
  EXPECT_EQ(fixture.topic("t").partition(0).end_offset(), 1);
  EXPECT_FALSE(std::filesystem::exists(stray));
}

TEST(Recovery, UnfinishedTopicsAreSweptUpAndDamagedOnesNamed) {
  LogFixture fixture;
  fixture.topic("t");
  fixture.close();
  const std::string unfinished = fixture.directory() + "/~topic~half";
  std::filesystem::create_directories(unfinished + "/0");
  fixture.open();
  EXPECT_FALSE(std::filesystem::exists(unfinished));
  fixture.close();
  write_file(fixture.directory() + "/t/topic.json", "{\"version\":1}");
  EXPECT_EQ(kind_of_failure([&] { fixture.open(); }), ErrorKind::kCorrupt);
  std::filesystem::remove(fixture.directory() + "/t/topic.json");
  EXPECT_EQ(kind_of_failure([&] { fixture.open(); }), ErrorKind::kCorrupt);
}

TEST(Recovery, CompressedPositionsAndProducersComeBackByScanning) {
  LogFixture before;
  BatchBuilder builder(Compression::kLz4);
  for (int i = 0; i < 10; ++i) {
    builder.add(1000, std::nullopt, "value");
    builder.set_position({"files", std::to_string(i)});
    builder.set_producer({3, 1, i});
    before.topic("t").partition(0).append(builder.encode());
  }
  LogFixture after;
  before.copy_to(after.directory());
  Partition& partition = after.topic("t").partition(0);
  EXPECT_EQ(partition.source_position("files"), "9");
  EXPECT_TRUE(partition.append(batch_of({"value"}, {3, 1, 9})).duplicate);
  EXPECT_EQ(kind_of_failure([&] { partition.append(batch_of({"value"}, {3, 1, 11})); }),
            ErrorKind::kInvalid);
}

}  // namespace
}  // namespace headrace::stream
