#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "cli/command_line.h"
#include "cli/testing/fake_host.h"
#include "cli/testing/text_console.h"

namespace headrace::cli {
namespace {

using ::testing::HasSubstr;

class ServiceCommands : public ::testing::Test {
 protected:
  int run(std::vector<std::string> arguments) {
    console_.output.clear();
    console_.errors.clear();
    server().requests.clear();
    arguments.insert(arguments.begin(), {"--server", "http://127.0.0.1:1"});
    return run_command_line(arguments, host_, console_);
  }
  testing::FakeServer& server() { return host_.server; }

  testing::FakeHost host_;
  testing::TextConsole console_;
};

TEST_F(ServiceCommands, StatusIsOneScreen) {
  server().on("GET /v1/status", R"({"version":"0.1.0","name":"shop","uptime_s":125,
    "topics":[{"name":"clicks","partitions":2,"records":1234567,"lag":5}],
    "jobs":[{"name":"clean","state":"running","records_per_s":12345.6,"lag":5,"last_error":null}],
    "tables":[{"name":"silver.clicks","rows":1000,"hot_rows":10,"files":3,"bytes":1572864}],
    "dead_letters":2,"problems":["views/x.sql: broken, the old one goes on"]})");
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_EQ(console_.output,
            "shop  running  http://127.0.0.1:8642  up 2 m 05 s  version 0.1.0\n"
            "\ntopics\n"
            " topic  │ partitions │   records │ lag\n"
            "────────┼────────────┼───────────┼─────\n"
            " clicks │          2 │ 1,234,567 │   5\n"
            "\njobs\n"
            " job   │ state   │ records/s │ lag │ last error\n"
            "───────┼─────────┼───────────┼─────┼────────────\n"
            " clean │ running │  12.3 k/s │   5 │ -\n"
            "\ntables\n"
            " table         │  rows │ hot rows │ files │    size\n"
            "───────────────┼───────┼──────────┼───────┼─────────\n"
            " silver.clicks │ 1,000 │       10 │     3 │ 1.5 MiB\n"
            "\n2 dead letters; see: headrace deadletters list\n"
            "\nproblems\n  ! views/x.sql: broken, the old one goes on\n");
}

TEST_F(ServiceCommands, StatusWithoutAServerSaysSo) {
  host_.running = false;
  server().on("GET /v1/status", R"({"name":"shop","topics":[],"jobs":[],"tables":[]})");
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_THAT(console_.output, HasSubstr("not running  state in .headrace"));
}

TEST_F(ServiceCommands, TopicsAreMadeChangedAndDeleted) {
  server().on("POST /v1/topics", "{\"name\":\"a b\"}", 201);
  EXPECT_EQ(run({"topics", "create", "a b", "--partitions", "4", "--retention", "30d"}), 0);
  EXPECT_EQ(server().requests.at(0).body,
            R"({"name":"a b","partitions":4,"retention_ms":2592000000})");
  EXPECT_EQ(run({"topics", "create", "x", "--retention", "soon"}), 2);
  EXPECT_THAT(console_.errors, HasSubstr("such as 12h or 7d, or -1, not 'soon'"));
  server().on("PATCH /v1/topics/a%20b", "{}");
  EXPECT_EQ(run({"topics", "alter", "a b", "--compression", "zstd"}), 0);
  EXPECT_EQ(server().requests.at(0).body, R"({"compression":"zstd"})");
  EXPECT_EQ(run({"topics", "alter", "a b"}), 2);
  EXPECT_EQ(run({"topics", "delete", "a b"}), 2);
  EXPECT_THAT(console_.errors, HasSubstr("repeat with --yes"));
  server().on("DELETE /v1/topics/a%20b", "", 204);
  EXPECT_EQ(run({"topics", "delete", "a b", "--yes"}), 0);
  EXPECT_EQ(console_.output, "topic a b deleted\n");
  host_.running = false;
  EXPECT_EQ(run({"topics", "create", "x"}), 69);
  EXPECT_THAT(console_.errors, HasSubstr("start one with: headrace serve"));
}

TEST_F(ServiceCommands, TablesShowAndCommit) {
  server().on("GET /v1/tables/silver/clicks",
              R"({"name":"silver.clicks","rows":5,"schema":[{"name":"id","type":"long"}]})");
  EXPECT_EQ(run({"tables", "show", "silver.clicks"}), 0);
  EXPECT_EQ(console_.output,
            "name  silver.clicks\nrows  5\n\nschema\n name │ type\n──────┼──────\n id   │ long\n");
  EXPECT_EQ(run({"tables", "show", "clicks"}), 2);
  EXPECT_THAT(console_.errors, HasSubstr("as in silver.clicks"));
  server().on("POST /v1/commit", "{}");
  EXPECT_EQ(run({"tables", "commit"}), 0);
}

TEST_F(ServiceCommands, TablesAreKeptInOrderByHand) {
  server().on("GET /v1/tables/silver/clicks/files",
              R"({"files":[{"path":"/w/a.parquet","rows":5,"bytes":2048,"sequence_number":1}]})");
  EXPECT_EQ(run({"tables", "files", "silver.clicks"}), 0);
  EXPECT_THAT(console_.output, HasSubstr("/w/a.parquet"));
  server().on("GET /v1/tables/silver/clicks/history",
              R"({"snapshots":[{"snapshot_id":"17","operation":"replace","total_records":5}]})");
  EXPECT_EQ(run({"tables", "history", "silver.clicks"}), 0);
  EXPECT_THAT(console_.output, HasSubstr("replace"));
  server().on("POST /v1/tables/silver/clicks/optimize",
              R"({"merges":1,"files_before":9,"files_after":1,
                  "bytes_before":2048,"bytes_after":1024})");
  EXPECT_EQ(run({"tables", "optimize", "silver.clicks", "--sort-by", "a,b"}), 0);
  EXPECT_EQ(server().requests.back().body, R"({"sort_by":["a","b"]})");
  EXPECT_EQ(console_.output, "silver.clicks: 1 merges, 9 files became 1, 2.0 KiB became 1.0 KiB\n");
  server().on("POST /v1/tables/silver/clicks/expire",
              R"({"snapshots_removed":3,"orphans_removed":2,"orphan_bytes":10})");
  EXPECT_EQ(run({"tables", "expire", "silver.clicks", "--keep", "2", "--older-than", "12h"}), 0);
  EXPECT_EQ(server().requests.back().body,
            R"({"keep":2,"older_than_ms":43200000,"orphans_older_than_ms":259200000})");
  EXPECT_EQ(run({"tables", "expire", "silver.clicks", "--older-than", "soon"}), 2);
  EXPECT_THAT(console_.errors, HasSubstr("such as 12h or 7d, not 'soon'"));
  EXPECT_EQ(run({"tables", "rollback", "silver.clicks", "17"}), 2);
  EXPECT_THAT(console_.errors, HasSubstr("repeat with --yes"));
  server().on("POST /v1/tables/silver/clicks/rollback",
              R"({"committed_at":"2026-01-02T03:04:05Z","total_records":5})");
  EXPECT_EQ(run({"tables", "rollback", "silver.clicks", "17", "--yes"}), 0);
  EXPECT_EQ(server().requests.back().body, R"({"snapshot_id":"17"})");
  host_.running = false;
  EXPECT_EQ(run({"tables", "optimize", "silver.clicks"}), 69);
}

TEST_F(ServiceCommands, JobsPauseAndResume) {
  server().on("POST /v1/jobs/clean/pause", "{}");
  server().on("POST /v1/jobs/clean/resume", "{}");
  EXPECT_EQ(run({"jobs", "pause", "clean"}), 0);
  EXPECT_EQ(console_.output, "job clean paused\n");
  EXPECT_EQ(run({"jobs", "resume", "clean"}), 0);
  EXPECT_EQ(console_.output, "job clean resumed\n");
}

TEST_F(ServiceCommands, DeadLettersListShowReplay) {
  server().on("GET /v1/deadletters?limit=5&job=clean",
              R"({"dead_letters":[{"job":"clean","partition":0,"offset":17,
                  "rejected_at":"2026-01-02T03:04:05.678901Z","reason":"not JSON"}]})");
  EXPECT_EQ(run({"deadletters", "list", "--job", "clean", "--limit", "5"}), 0);
  EXPECT_THAT(console_.output, HasSubstr("2026-01-02 03:04:05 │ not JSON\n"));
  server().on("GET /v1/deadletters/clean/0/17", R"({"reason":"not JSON","value":"{x"})");
  EXPECT_EQ(run({"deadletters", "show", "clean", "0", "17"}), 0);
  EXPECT_EQ(console_.output, "reason  not JSON\nvalue   {x\n");
  server().on("POST /v1/deadletters/replay", R"({"replayed":3})");
  EXPECT_EQ(run({"deadletters", "replay", "clean", "--reason-like", "%JSON%"}), 0);
  EXPECT_EQ(server().requests.at(0).body, R"({"job":"clean","reason_like":"%JSON%"})");
  EXPECT_EQ(console_.output, "3 dead letters of job clean sent through it again\n");
}

TEST_F(ServiceCommands, TailPrintsTheLastOfEachPartition) {
  server().on("GET /v1/topics/clicks",
              R"({"name":"clicks","partitions":[{"partition":0,"start_offset":0,"end_offset":20},
                  {"partition":1,"start_offset":8,"end_offset":9}]})");
  server().on(
      "GET /v1/topics/clicks/records?partition=0&offset=19&limit=1&wait_ms=0",
      R"({"partition":0,"offset":19,"timestamp":"2026-01-01T00:00:00Z","key":"k","value":"{\"a\":1}"}
)");
  server().on("GET /v1/topics/clicks/records?partition=1&offset=8&limit=1&wait_ms=0",
              R"({"partition":1,"offset":8,"timestamp":"2026-01-01T00:00:01Z","value":{"a":2}}
)");
  EXPECT_EQ(run({"tail", "clicks", "-n", "2"}), 0);
  EXPECT_EQ(console_.output, "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(run({"tail", "clicks", "-n", "2", "--format", "meta", "--partition", "1"}), 0);
  EXPECT_EQ(console_.output, "1:8 2026-01-01T00:00:01Z - {\"a\":2}\n");
  EXPECT_EQ(run({"tail", "clicks", "--from", "soon"}), 2);
  EXPECT_EQ(run({"tail", "clicks", "-p", "9"}), 3);
}

TEST_F(ServiceCommands, TailFollowsUntilItsLimit) {
  server().on("GET /v1/topics/t",
              R"({"partitions":[{"partition":0,"start_offset":0,"end_offset":0}]})");
  server().on("GET /v1/topics/t/records?partition=0&offset=0&limit=2&wait_ms=0", "");
  server().on("GET /v1/topics/t/records?partition=0&offset=0&limit=2&wait_ms=250",
              "{\"partition\":0,\"offset\":0,\"value\":\"x\"}\n");
  server().on("GET /v1/topics/t/records?partition=0&offset=1&limit=1&wait_ms=0",
              "{\"partition\":0,\"offset\":1,\"value\":\"y\"}\n");
  EXPECT_EQ(run({"tail", "t", "-f", "--from", "earliest", "--limit", "2"}), 0);
  EXPECT_EQ(console_.output, "x\ny\n");
}

constexpr const char* kTwoRows =
    R"({"columns":[{"name":"n","type":"BIGINT"}],"rows":[[1],[2]],"row_count":2,"elapsed_ms":1.0})";

TEST_F(ServiceCommands, SqlPrintsTableCsvAndJson) {
  server().on("POST /v1/query", kTwoRows);
  EXPECT_EQ(run({"sql", "select n from t;"}), 0);
  EXPECT_EQ(console_.output, " n\n───\n 1\n 2\n2 rows\n");
  EXPECT_EQ(server().requests.at(0).body,
            R"({"sql":"select n from t","format":"json","max_rows":1000})");
  EXPECT_EQ(run({"sql", "select n from t", "--format", "csv", "-p", "42", "-p", "it"}), 0);
  EXPECT_EQ(console_.output, "n\n1\n2\n");
  EXPECT_EQ(server().requests.at(0).body,
            R"({"sql":"select n from t","format":"json","parameters":[42,"it"]})");
  EXPECT_EQ(run({"sql", "select n from t", "--json"}), 0);
  EXPECT_EQ(console_.output, "[\n{\"n\":1},\n{\"n\":2}\n]\n");
}

TEST_F(ServiceCommands, SqlReadsStandardInputAndRunsEachStatement) {
  server().on("POST /v1/query", kTwoRows);
  console_.set_input("select 1; -- one\nselect ';'\n");
  EXPECT_EQ(run({"sql", "--format", "ndjson"}), 0);
  ASSERT_EQ(server().requests.size(), 2U);
  EXPECT_THAT(server().requests[1].body, HasSubstr(R"("sql":" -- one\nselect ';')"));
  console_.set_input("select 'open");
  EXPECT_EQ(run({"sql"}), 2);
  console_.set_input("");
  EXPECT_EQ(run({"sql"}), 2);
  EXPECT_THAT(console_.errors, HasSubstr("there is no SQL to run"));
}

TEST_F(ServiceCommands, SqlErrorsKeepTheirKind) {
  server().on("POST /v1/query",
              R"({"error":{"type":"timeout","message":"query took longer than 5 m","code":504}})",
              504);
  EXPECT_EQ(run({"sql", "select 1"}), 7);
  EXPECT_EQ(console_.errors, "headrace: query took longer than 5 m\n");
}

TEST_F(ServiceCommands, SqlTellsOfAnErrorInTheMiddleOfTheRows) {
  server().on(
      "POST /v1/query",
      R"({"columns":[{"name":"n","type":"BIGINT"}],"rows":[[1]],"error":{"type":"invalid","message":"division by zero","code":400}})");
  EXPECT_EQ(run({"sql", "select 1", "--format", "csv"}), 2);
  EXPECT_EQ(console_.output, "n\n1\n");
  EXPECT_EQ(console_.errors, "headrace: division by zero\n");
}

TEST_F(ServiceCommands, SqlDownloadsParquetIntoAFile) {
  server().on("POST /v1/query", "PAR1....PAR1");
  const auto path = std::filesystem::temp_directory_path() / "headrace_cli_result.parquet";
  EXPECT_EQ(run({"sql", "from t", "--format", "parquet", "-o", path.string()}), 0);
  std::ifstream file(path);
  std::string text;
  file >> text;
  EXPECT_EQ(text, "PAR1....PAR1");
  EXPECT_EQ(server().requests.at(0).body, R"({"sql":"from t","format":"parquet"})");
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".partial"));
  std::filesystem::remove(path);
  EXPECT_EQ(run({"sql", "from t", "--format", "parquet"}), 2);
  EXPECT_THAT(console_.errors, HasSubstr("-o result.parquet"));
}

TEST_F(ServiceCommands, AClosedPipeCancelsTheQuery) {
  server().on("POST /v1/query", kTwoRows);
  console_.closes_after = 0;
  EXPECT_EQ(run({"sql", "select n from t", "--format", "csv"}), 0);
  ASSERT_EQ(server().requests.size(), 2U);
  EXPECT_EQ(server().requests[1].method, "DELETE");
  EXPECT_EQ(server().requests[1].target,
            "/v1/queries/" + std::string(*server().requests[0].headers.find("Headrace-Query-Id")));
}

}  // namespace
}  // namespace headrace::cli
