// What the log writes is read by a decoder of Kafka that is not ours.

#include <cstdio>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "stream/testing/log_fixture.h"

namespace headrace::stream {
namespace {

std::string interpreter() {
  const char* const given = std::getenv("HEADRACE_PYTHON");
  return given != nullptr ? given : std::string(HEADRACE_DEPS_DIR) + "/python/bin/python";
}

bool is_ci() {
  const char* const ci = std::getenv("CI");
  return ci != nullptr && std::string_view(ci) == "true";
}

struct Finished {
  int status = -1;
  std::string output;
};

Finished run(const std::string& command) {
  Finished result;
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return result;
  char buffer[4096];
  while (const size_t size = std::fread(buffer, 1, sizeof buffer, pipe)) {
    result.output.append(buffer, size);
  }
  const int status = ::pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

JsonObject expected_record(int64_t offset, int64_t timestamp, Json key, Json value,
                           JsonArray headers, JsonArray producer) {
  return {{"offset", offset},
          {"timestamp", timestamp},
          {"key", std::move(key)},
          {"value", std::move(value)},
          {"headers", std::move(headers)},
          {"producer", std::move(producer)}};
}

// Appends one batch of three records and adds what the decoder is to print.
void append_batch(Partition& partition, Compression compression, JsonArray& expected) {
  const int64_t offset = partition.end_offset();
  const auto sequence = static_cast<int32_t>(offset);
  BatchBuilder builder(compression, {42, 5, sequence});
  const JsonArray producer{42, 5, sequence};
  const std::string long_value(100'000, 'x');
  builder.add(1'442'016'000'000 + offset, "key", "välue");
  expected.push_back(
      expected_record(offset, 1'442'016'000'000 + offset, "key", "välue", JsonArray(), producer));
  builder.add(1'442'016'000'500, std::nullopt, long_value,
              {{"content-type", "text/plain"}, {"empty", ""}});
  expected.push_back(expected_record(
      offset + 1, 1'442'016'000'500, nullptr, Json(long_value),
      JsonArray{JsonArray{"content-type", "text/plain"}, JsonArray{"empty", ""}}, producer));
  builder.add(1'442'015'000'000, "", std::nullopt);
  builder.set_position({"edits", "17"});
  expected.push_back(expected_record(
      offset + 2, 1'442'015'000'000, "", nullptr,
      JsonArray{JsonArray{"headrace.position", R"({"source":"edits","position":"17"})"}},
      producer));
  partition.append(builder.encode());
}

TEST(KafkaDecoder, ReadsASegment) {
  const std::string python = interpreter();
  const std::string missing = format(
      "no Python with kafka-python at {} (set HEADRACE_PYTHON, or run scripts/setup)", python);
  if (!std::filesystem::exists(python)) {
    ASSERT_FALSE(is_ci()) << missing;
    GTEST_SKIP() << missing;
  }
  LogFixture fixture;
  Partition& partition = fixture.topic("t").partition(0);
  JsonArray expected;
  for (int round = 0; round < 2; ++round) {
    for (const Compression compression :
         {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
      append_batch(partition, compression, expected);
    }
  }
  const std::string copy = fixture.directory() + "/copied.log";
  std::filesystem::copy_file(fixture.log_file("t", 0, 0), copy);

  const Finished decoded = run(format("'{}' '{}/src/stream/tests/kafka_decoder.py' '{}'", python,
                                      HEADRACE_SOURCE_DIR, copy));
  if (decoded.status == 3 && !is_ci()) GTEST_SKIP() << missing;
  ASSERT_EQ(decoded.status, 0) << decoded.output;
  std::string_view rest = decoded.output;
  JsonArray records;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    records.push_back(parse_json(rest.substr(0, end), "a line of the decoder"));
    rest.remove_prefix(end + 1);
  }
  ASSERT_EQ(records.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(to_text(records[i]).substr(0, 500), to_text(expected[i]).substr(0, 500)) << i;
    EXPECT_TRUE(records[i] == expected[i]) << i;
  }
}

}  // namespace
}  // namespace headrace::stream
