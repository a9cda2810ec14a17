#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/format.h"
#include "codec/compression.h"
#include "engine/database.h"
#include "sources/testing/source_bench.h"

namespace headrace::sources {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct FormatCase {
  std::string name;
  std::string file;
  std::string content;
  std::string settings;
  std::vector<std::string> records;
};

class FilesFormats : public testing::TestWithParam<FormatCase> {};

// Each case in one go, and with a kill and a restart after each record.
TEST_P(FilesFormats, GiveTheirRecords) {
  const FormatCase& c = GetParam();
  SourceBench bench;
  bench.write(c.file, c.content);
  const std::string yaml = "path: '*'\n" + c.settings;
  const SourceStatus status = bench.run(yaml);
  EXPECT_EQ(status.state, SourceState::kFinished) << status.last_error;
  EXPECT_EQ(bench.topic().values(0), c.records);

  bench.reset_topic(1);
  for (size_t i = 0; i <= c.records.size(); ++i) {
    bench.topic().set_faults({.broken_from = 2});
    RunningSource source(bench.make(yaml + "\nbatch_bytes: 1B"));
    while (source.status().state != SourceState::kFinished && source.status().retries == 0) {
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(bench.topic().values(0), c.records);
}

const std::string kGzip = codec::compress(codec::Codec::kGzip, "1\n2\n");
const std::string kZstd = codec::compress(codec::Codec::kZstd, "1\n2\n");

INSTANTIATE_TEST_SUITE_P(
    All, FilesFormats,
    testing::Values(
        FormatCase{"text_keeps_blank_lines", "a.txt", "x\r\n\n y ", "", {"x", "", " y "}},
        FormatCase{"empty_file", "a.ndjson", "", "", {}},
        FormatCase{"gzip", "a.gz", kGzip, "", {"1", "2"}},
        FormatCase{"gzip_members", "a.gz", kGzip + kGzip, "", {"1", "2", "1", "2"}},
        FormatCase{"zstd", "a.ndjson.zst", kZstd, "", {"1", "2"}},
        FormatCase{"zstd_by_option", "a", kZstd, "compression: zstd", {"1", "2"}},
        FormatCase{"csv",
                   "a.csv",
                   "id,name\n1,Ann\n2,\"B, \"\"b\"\"\"\r\n3,\"two\nlines\"\n",
                   "",
                   {R"({"id":"1","name":"Ann"})", R"({"id":"2","name":"B, \"b\""})",
                    R"({"id":"3","name":"two\nlines"})"}},
        FormatCase{"csv_wrong_rows_stay_raw",
                   "a.csv",
                   "id,name\n1\n1,2,3\n\"x\"y,2\n\n4,d",
                   "",
                   {"1", "1,2,3", "\"x\"y,2", R"({"id":"4","name":"d"})"}},
        FormatCase{"csv_open_quote_is_the_rest", "a.csv", "id\n\"x\ny\n", "", {"\"x\ny\n"}},
        FormatCase{"csv_options",
                   "a.tsv",
                   "1;'a;b'\n-;'-'\n",
                   "csv: {header: false, delimiter: ';', quote: \"'\", null_text: '-'}",
                   {R"({"c1":"1","c2":"a;b"})", R"({"c1":null,"c2":"-"})"}},
        FormatCase{"csv_columns",
                   "a.csv",
                   "x,y\n1,2\n",
                   "csv: {columns: [id, name]}",
                   {R"({"id":"1","name":"2"})"}},
        FormatCase{"csv_byte_order_mark", "a.csv", "\xEF\xBB\xBFid\n1\n", "", {R"({"id":"1"})"}},
        FormatCase{"csv_only_header", "a.csv", "id,name\n", "", {}},
        FormatCase{"json_array",
                   "a.json",
                   " [ {\"a\":\"]}\\\"\"} , [1,2],\n3,\"s,\" , null ]\n",
                   "",
                   {R"({"a":"]}\""})", "[1,2]", "3", R"("s,")", "null"}},
        FormatCase{"json_empty_array", "a.json", "[]", "", {}},
        FormatCase{"json_arrays", "a.json", "[1][2,3]\n[ ]", "", {"1", "2", "3"}},
        FormatCase{"json_values",
                   "a.json",
                   "{\"a\":1}{\"a\":2}\n{\"a\":[3]} 4 5",
                   "",
                   {R"({"a":1})", R"({"a":2})", R"({"a":[3]})", "4", "5"}},
        FormatCase{"oversize_skipped",
                   "a.ndjson",
                   "1\n" + std::string(3'000'000, 'x') + "\n2\n12345678901\n3\n",
                   "max_record_bytes: 10B\non_oversize: skip",
                   {"1", "2", "3"}}),
    [](const testing::TestParamInfo<FormatCase>& tested) { return tested.param.name; });

struct FaultCase {
  std::string name;
  std::string file;
  std::string content;
  std::string settings;
  std::string error;
};

class FilesFaults : public testing::TestWithParam<FaultCase> {};

TEST_P(FilesFaults, FailWithThePlaceOrAreSkipped) {
  const FaultCase& c = GetParam();
  SourceBench bench;
  bench.write(c.file, c.content);
  bench.write("z.ndjson", "{}\n");
  const SourceStatus status = bench.run("path: '*'\n" + c.settings);
  EXPECT_EQ(status.state, SourceState::kFailed);
  EXPECT_THAT(status.last_error, HasSubstr(c.error));
  EXPECT_THAT(status.last_error, HasSubstr(c.file));

  const SourceStatus skipping = bench.run("path: '*'\non_bad_file: skip\n" + c.settings);
  EXPECT_EQ(skipping.state, SourceState::kFinished) << skipping.last_error;
  EXPECT_EQ(bench.topic().values(0).back(), "{}");
}

INSTANTIATE_TEST_SUITE_P(
    All, FilesFaults,
    testing::Values(FaultCase{"cut_gzip", "a.gz", kGzip.substr(0, 12), "", "reading"},
                    FaultCase{"no_gzip", "a.gz", "plain text", "", "reading"},
                    FaultCase{"cut_array", "a.json", "[1,", "", "ends inside an array"},
                    FaultCase{"cut_value", "a.json", "[{\"a\":", "", "ends inside a value"},
                    FaultCase{"no_array", "a.json", "[1] 2", "", "expected '['"},
                    FaultCase{"stray_brace", "a.json", "}", "", "expected a value"},
                    FaultCase{"oversize", "a.ndjson", "1\n12345678901\n", "max_record_bytes: 10B",
                              "byte 2"},
                    FaultCase{"no_parquet", "a.parquet", "PAR1", "", "reading"}),
    [](const testing::TestParamInfo<FaultCase>& tested) { return tested.param.name; });

TEST(FilesParquet, GivesRowsInOrderAndGoesOnByRow) {
  SourceBench bench;
  engine::Database database;
  database.connect()->execute(
      format("COPY (SELECT i AS id, 'n' || i AS name FROM range(5000) t(i)) TO {} (FORMAT parquet, "
             "ROW_GROUP_SIZE 2048)",
             engine::quote_literal(bench.full_path("a.parquet"))));
  bench.topic().set_faults({.broken_from = 3});
  {
    RunningSource source(bench.make("path: '*.parquet'\nbatch_bytes: 20KiB"));
    while (source.status().retries == 0) std::this_thread::yield();
  }
  EXPECT_GT(bench.topic().record_count(), 0U);
  EXPECT_LT(bench.topic().record_count(), 5000U);
  bench.topic().set_faults({});
  const SourceStatus status = bench.run("path: '*.parquet'");
  EXPECT_EQ(status.state, SourceState::kFinished) << status.last_error;
  const std::vector<std::string> values = bench.topic().values(0);
  ASSERT_EQ(values.size(), 5000U);
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(values[i], format("{{\"id\":{0},\"name\":\"n{0}\"}}", i));
  }
}

TEST(FilesRecords, CarryKeyTimeAndHeader) {
  SourceBench bench;
  bench.write("a.ndjson",
              "{\"u\":{\"id\":\"\\u0041nn\"},\"t\":\"2015-09-12T00:46:58.771Z\"}\n"
              "{\"u\":{\"id\":7},\"t\":1442018818}\n"
              "{\"u\":{\"id\":null}}\n");
  bench.run("path: a.ndjson\nkey: /u/id\ntimestamp: t\nheaders: {file: true}\n");
  const std::vector<stream::Batch> batches = bench.topic().batches(0);
  ASSERT_EQ(batches.size(), 1U);
  std::vector<stream::RecordView> records;
  batches[0].records(records);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].key, "Ann");
  EXPECT_EQ(records[0].timestamp_ms, 1442018818771);
  EXPECT_EQ(records[1].key, "7");
  EXPECT_EQ(records[1].timestamp_ms, 1442018818000);
  EXPECT_FALSE(records[2].key.has_value());
  EXPECT_EQ(records[2].timestamp_ms, millis_since_epoch(bench.clock().now()));
  const std::vector<stream::RecordHeader> headers = stream::decode_headers(records[0]);
  ASSERT_FALSE(headers.empty());
  EXPECT_EQ(headers[0].key, "file");
  EXPECT_EQ(headers[0].value, "a.ndjson");
}

}  // namespace
}  // namespace headrace::sources
