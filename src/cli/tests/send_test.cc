#include <array>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command_line.h"
#include "cli/send/sender.h"
#include "cli/testing/fake_host.h"
#include "cli/testing/text_console.h"
#include "codec/compression.h"

namespace headrace::cli {
namespace {

using ::testing::HasSubstr;

constexpr const char* kStored = R"({"topic":"t","records":1,"duplicate":false})";

class Send : public ::testing::Test {
 protected:
  int run(std::vector<std::string> arguments) {
    console_.output.clear();
    console_.errors.clear();
    arguments.insert(arguments.begin(), {"--server", "http://127.0.0.1:1", "send"});
    return run_command_line(arguments, host_, console_);
  }
  const testing::SentRequest& request(size_t i) { return host_.server.requests.at(i); }
  std::string header(size_t i, const char* name) {
    return std::string(request(i).headers.get_or(name, ""));
  }

  testing::FakeHost host_;
  testing::TextConsole console_;
};

TEST_F(Send, CutsTheInputIntoNumberedBatches) {
  host_.server.on("GET /v1/topics/t", R"({"partitions":[{"partition":0}]})");
  host_.server.on("POST /v1/topics/t/records?key=%2Fuser", kStored);
  console_.set_input("{\"a\":1}\n\n{\"a\":2}\r\n{\"a\":3}");
  EXPECT_EQ(run({"t", "--key", "/user", "--batch", "2"}), 0);
  ASSERT_EQ(host_.server.requests.size(), 3U);
  EXPECT_EQ(request(1).body, "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(request(2).body, "{\"a\":3}\n");
  EXPECT_EQ(header(1, "Headrace-Sequence"), "0");
  EXPECT_EQ(header(2, "Headrace-Sequence"), "2");
  EXPECT_EQ(header(1, "Headrace-Producer-Id"), header(2, "Headrace-Producer-Id"));
  EXPECT_EQ(header(1, "Content-Type"), "application/x-ndjson");
  EXPECT_THAT(console_.errors, HasSubstr("sent 3 records (24 B) to t in "));
}

TEST_F(Send, DoesNotRepeatWhatMightArriveTwice) {
  host_.server.on("GET /v1/topics/t", R"({"partitions":[{"partition":0},{"partition":1}]})");
  host_.server.on("POST /v1/topics/t/records?key=%2Fuser", "{}", 503);  // refused: nothing stored
  host_.server.on("POST /v1/topics/t/records?key=%2Fuser",
                  [](const http::Request&) -> http::Response {
                    fail(ErrorKind::kUnavailable, "connection lost");
                  });
  console_.set_input("{}\n{}\n");
  EXPECT_EQ(run({"t", "--key", "/user"}), 6);
  ASSERT_EQ(host_.server.requests.size(), 3U);
  EXPECT_EQ(header(2, "Headrace-Producer-Id"), "");
  EXPECT_THAT(console_.errors, HasSubstr("sending lines 1 to 2 to topic t: connection lost"));
}

TEST_F(Send, PrefixesTextLinesWithTheirLength) {
  host_.server.on("POST /v1/topics/t/records", kStored);
  console_.set_input("ab\nc\n");
  EXPECT_EQ(run({"t", "--format", "text", "--json"}), 0);
  EXPECT_EQ(request(0).body, std::string("\0\0\0\2ab\0\0\0\1c", 11));
  EXPECT_EQ(header(0, "Content-Type"), "application/octet-stream");
  EXPECT_EQ(integer_member(parse_json(console_.output, "summary"), "records"), 2);
}

TEST_F(Send, TriesAgainWithTheSameSequence) {
  host_.server.on("POST /v1/topics/t/records",
                  R"({"error":{"type":"unavailable","message":"queue is full","code":429}})", 429);
  host_.server.on("POST /v1/topics/t/records", [](const http::Request&) -> http::Response {
    fail(ErrorKind::kUnavailable, "connection lost");
  });
  host_.server.on("POST /v1/topics/t/records", R"({"records":1,"duplicate":true})");
  console_.set_input("{}\n");
  EXPECT_EQ(run({"t"}), 0);
  ASSERT_EQ(host_.server.requests.size(), 3U);
  EXPECT_EQ(header(0, "Headrace-Sequence"), header(2, "Headrace-Sequence"));
  EXPECT_THAT(console_.errors, HasSubstr("queue is full; trying again in "));
  EXPECT_THAT(console_.errors, HasSubstr("connection lost; trying again in "));
  EXPECT_THAT(console_.errors, HasSubstr("1 had arrived already, 2 tries repeated"));
}

TEST_F(Send, GivesUpAfterItsPatience) {
  host_.server.on("POST /v1/topics/t/records", "{}", 503);
  console_.set_input("{}\n");
  EXPECT_EQ(run({"t", "--patience", "0"}), 69);
  EXPECT_THAT(console_.errors, HasSubstr("given up after 1 tries"));
}

TEST_F(Send, NamesTheBadLineOfTheInput) {
  host_.server.on("POST /v1/topics/t/records", kStored);
  host_.server.on("POST /v1/topics/t/records",
                  R"({"error":{"type":"invalid","message":"not valid JSON","code":400,"line":2}})",
                  400);
  console_.set_input("{}\n{}\n\n{}\nbad\n");
  EXPECT_EQ(run({"t", "--batch", "2"}), 2);
  EXPECT_THAT(
      console_.errors,
      HasSubstr("headrace: line 5: not valid JSON; 2 records of the lines before it arrived"));
}

TEST_F(Send, SkipsBadLinesWhenAsked) {
  host_.server.on("POST /v1/topics/t/records",
                  R"({"error":{"type":"invalid","message":"not valid JSON","code":400,"line":2}})",
                  400);
  host_.server.on("POST /v1/topics/t/records", kStored);
  console_.set_input("1\nbad\n3\n");
  EXPECT_EQ(run({"t", "--skip-bad"}), 0);
  EXPECT_EQ(request(1).body, "1\n3\n");
  EXPECT_THAT(console_.errors, HasSubstr("line 2 skipped: "));
  EXPECT_THAT(console_.errors, HasSubstr("1 bad line skipped"));
}

TEST_F(Send, ReadsCompressedFiles) {
  host_.server.on("POST /v1/topics/t/records", kStored);
  const auto path = std::filesystem::temp_directory_path() / "headrace_cli_send.gz";
  std::ofstream(path, std::ios::binary) << codec::compress(codec::Codec::kGzip, "{\"a\":1}\n");
  EXPECT_EQ(run({"t", path.string()}), 0);
  std::filesystem::remove(path);
  EXPECT_EQ(request(0).body, "{\"a\":1}\n");
  EXPECT_EQ(run({"t", "no-such-file"}), 3);
}

TEST_F(Send, NeedsAServer) {
  host_.running = false;
  console_.set_input("{}\n");
  EXPECT_EQ(run({"t"}), 69);
  EXPECT_THAT(console_.errors, HasSubstr("start one with: headrace serve"));
}

TEST(RecordReader, GivesWhatItHasWhenTheInputPauses) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  RecordReader reader(ends[0], "pipe");
  ASSERT_EQ(::write(ends[1], "a\nb\nhalf", 8), 8);
  BatchLimits limits;
  limits.linger_ms = 1;
  std::vector<Line> batch = reader.next_batch(limits, {});
  ASSERT_EQ(batch.size(), 2U);
  ASSERT_EQ(::write(ends[1], " line\n", 6), 6);
  ::close(ends[1]);
  batch = reader.next_batch(limits, {});
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch[0].text, "half line");
  EXPECT_EQ(batch[0].number, 3);
  EXPECT_TRUE(reader.next_batch(limits, {}).empty());
  EXPECT_TRUE(reader.is_at_end());
  ::close(ends[0]);
}

}  // namespace
}  // namespace headrace::cli
