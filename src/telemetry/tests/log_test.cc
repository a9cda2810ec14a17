#include "telemetry/log.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "telemetry/log_line.h"

namespace headrace::telemetry {
namespace {

using ::testing::HasSubstr;

TEST(LogLine, Text) {
  EXPECT_EQ(text_log_line("stream", "topic created", {{"topic", "a b"}, {"partitions", 4}}),
            "stream: topic created topic=\"a b\" partitions=4");
}

TEST(LogLine, TextKeepsOneEntryOnOneLine) {
  EXPECT_EQ(text_log_line("sql", "bad\nquery", {{"text", "SELECT\n1"}}),
            "sql: bad\\nquery text=\"SELECT\\n1\"");
}

TEST(LogLine, JsonIsJsonWhateverTheBytes) {
  const std::string line =
      "{" + json_log_line("http", "odd \"bytes\"\x01", {{"raw", "\xFFok\xC3\xA9"}, {"n", 4}}) + "}";
  const Json value = parse_json(line, "log line");
  EXPECT_EQ(string_member(value, "message"), "odd \"bytes\"\x01");
  EXPECT_EQ(string_member(value, "raw"), "\xEF\xBF\xBDok\xC3\xA9");
  EXPECT_EQ(integer_member(value, "n"), 4);
}

class LogFile : public ::testing::Test {
 protected:
  LogFile()
      : path_(std::filesystem::temp_directory_path() /
              format("headrace-log-test-{}.log", ::getpid())) {}
  ~LogFile() override {
    configure_logs({});
    std::filesystem::remove(path_);
  }
  std::string content() const {
    std::ifstream file(path_);
    return (std::ostringstream() << file.rdbuf()).str();
  }
  const std::filesystem::path path_;
};

TEST_F(LogFile, WritesJsonFromTheLevelOn) {
  configure_logs({.level = LogLevel::kWarning, .format = LogFormat::kJson, .path = path_});
  log_info("stream", "not this");
  log_warning("stream", "but this", {{"topic", "edits"}});
  EXPECT_FALSE(is_log_enabled(LogLevel::kInfo));
  EXPECT_TRUE(is_log_enabled(LogLevel::kError));
  const Json entry = parse_json(content(), "log");
  EXPECT_EQ(string_member(entry, "level"), "warning");
  EXPECT_EQ(string_member(entry, "component"), "stream");
  EXPECT_EQ(string_member(entry, "topic"), "edits");
  EXPECT_THAT(string_member(entry, "time"), ::testing::MatchesRegex("....-..-..T..:..:..*Z"));
}

TEST_F(LogFile, AFileThatCannotBeOpenedIsAnError) {
  EXPECT_THROW(configure_logs({.path = "/proc/no/such/folder/log"}), Error);
}

}  // namespace
}  // namespace headrace::telemetry
