#include "stream/remote_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "codec/crc32c.h"
#include "stream/testing/log_fixture.h"

namespace headrace::stream {
namespace {

using ::testing::HasSubstr;

RemoteManifest example() {
  RemoteManifest manifest;
  manifest.topic = "orders";
  manifest.partition = 3;
  manifest.writer = "w";
  manifest.session = "s";
  manifest.generation = 17;
  manifest.segments = {{{0, 10, 500, 1010, 2000}, "00-aa", 16, 4'000'000'000},
                       {{12, 20, 700, 1020, 3000}, "0c-bb", 0, 0}};
  manifest.state.next_offset = 25;
  manifest.state.positions["files"] = R"({"byte":7})";
  manifest.state.producers.note({7, 0, 5}, 3, 17);
  return manifest;
}

std::string with_checksum(const std::string& body, int version = 1) {
  return format("headrace remote manifest {} crc32c {:08x}\n{}", version, codec::crc32c(body),
                body);
}

std::string body_of(const std::string& text) { return text.substr(text.find('\n') + 1); }

TEST(RemoteManifest, IsReadAsItWasWritten) {
  const std::string text = encode_remote_manifest(example());
  const RemoteManifest read = parse_remote_manifest(text);
  EXPECT_EQ(encode_remote_manifest(read), text);
  EXPECT_EQ(read.topic, "orders");
  EXPECT_EQ(read.partition, 3);
  EXPECT_EQ(read.generation, 17);
  EXPECT_EQ(read.next_offset(), 25);
  EXPECT_EQ(read.size_bytes(), 1200U);
  EXPECT_EQ(read.state.positions.at("files"), R"({"byte":7})");
  EXPECT_EQ(read.state.producers.size(), 1U);
  EXPECT_EQ(read.segments[1].segment.base_offset, 12);
  EXPECT_EQ(read.segments[0].index_checksum, 4'000'000'000U);
}

TEST(RemoteManifest, NoDamagedByteIsTaken) {
  const std::string text = encode_remote_manifest(example());
  for (size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    try {
      parse_remote_manifest(damaged);
      ADD_FAILURE() << "byte " << i;
    } catch (const Error& error) {
      // The version is what a byte can make another one of.
      EXPECT_TRUE(error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kUnsupported);
    }
    EXPECT_EQ(kind_of_failure([&] { parse_remote_manifest(text.substr(0, i)); }),
              ErrorKind::kCorrupt)
        << i;
  }
}

TEST(RemoteManifest, ALaterVersionIsNotGuessedAt) {
  const auto read = [] { parse_remote_manifest(with_checksum("{}\n", 2)); };
  EXPECT_EQ(kind_of_failure(read), ErrorKind::kUnsupported);
  EXPECT_THAT(message_of_failure(read), HasSubstr("version 2"));
}

TEST(RemoteManifest, ContradictionsAreCorrupt) {
  const std::string good = body_of(encode_remote_manifest(example()));
  EXPECT_EQ(parse_remote_manifest(with_checksum(good)).generation, 17);
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"\"base_offset\":12", "\"base_offset\":9"},       // overlaps
      {"\"end_offset\":20", "\"end_offset\":12"},        // empty
      {"\"bytes\":700", "\"bytes\":0"},                  //
      {"\"bytes\":700", "\"bytes\":-1"},                 //
      {"\"next_offset\":25", "\"next_offset\":19"},      // before the last segment's end
      {"\"name\":\"0c-bb\"", "\"name\":\"../../bb\""},   // leaves the folder
      {"\"name\":\"0c-bb\"", "\"name\":\"\""},           //
      {"\"partition\":3", "\"partition\":\"3\""},        //
      {"\"index_crc32c\":0", "\"index_crc32c\":1e300"},  //
      {"\"segments\":[", "\"segment\":["}};
  for (const auto& [from, to] : changes) {
    std::string body = good;
    ASSERT_NE(body.find(from), std::string::npos) << from;
    body.replace(body.find(from), from.size(), to);
    EXPECT_EQ(kind_of_failure([&] { parse_remote_manifest(with_checksum(body)); }),
              ErrorKind::kCorrupt)
        << to;
  }
}

}  // namespace
}  // namespace headrace::stream
