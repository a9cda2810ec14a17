#include "query/query_service.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "query/system_tables.h"

namespace headrace::query {
namespace {

class Queries : public testing::Test {
 protected:
  std::string run(QueryRequest request) {
    const auto query = service_.start(request);
    return rest_of(*query);
  }
  static std::string rest_of(RunningQuery& query) {
    std::string all;
    for (std::string piece; query.next(piece); piece.clear()) all += piece;
    return all;
  }
  std::string run(const std::string& sql, Format format) {
    QueryRequest request;
    request.sql = sql;
    request.format = format;
    return run(request);
  }
  Error failure_of(QueryRequest request) {
    try {
      run(std::move(request));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {ErrorKind::kInternal, ""};
  }

  engine::Database database_;
  SystemClock clock_;
  SeededRandom random_;
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
  QueryService service_{
      database_, clock_, random_, *metrics_, {std::filesystem::temp_directory_path().string()}};
};

TEST_F(Queries, answer_json_with_true_types) {
  const Json answer = parse_json(
      run("SELECT 1 AS a, 'x\"y' AS a, NULL AS c, [1, 2] AS d, {'k': 1.5::DECIMAL(3,1)} AS e, "
          "TIMESTAMPTZ '2020-01-01 00:00:00Z' AS f -- a comment",
          Format::kJson),
      "the answer");
  EXPECT_EQ(to_text(member(answer, "rows")),
            R"([[1,"x\"y",null,[1,2],{"k":1.5E0},"2020-01-01 00:00:00+00"]])");
  EXPECT_EQ(string_member(member(answer, "columns").as_array()[3], "type"), "INTEGER[]");
  EXPECT_EQ(integer_member(answer, "row_count"), 1);
  EXPECT_FALSE(member(answer, "truncated").as_bool());
}

TEST_F(Queries, answer_csv_by_rfc_4180) {
  EXPECT_EQ(run("SELECT * FROM (VALUES (1, 'a,b'), (2, NULL), (3, ''), (4, 'q\"q')) t(n, \"a "
                "\"\"name\"\"\") ORDER BY n;",
                Format::kCsv),
            "n,\"a \"\"name\"\"\"\r\n1,\"a,b\"\r\n2,\r\n3,\"\"\r\n4,\"q\"\"q\"\r\n");
}

TEST_F(Queries, answer_parquet_and_leave_no_file) {
  const std::string bytes = run("SELECT 42 AS n", Format::kParquet);
  EXPECT_TRUE(bytes.starts_with("PAR1"));
  EXPECT_TRUE(bytes.ends_with("PAR1"));
}

TEST_F(Queries, say_that_rows_are_missing) {
  QueryRequest request;
  request.sql = "SELECT i FROM range(5000) r(i)";
  request.max_rows = 3000;
  const Json answer = parse_json(run(request), "the answer");
  EXPECT_EQ(integer_member(answer, "row_count"), 3000);
  EXPECT_TRUE(member(answer, "truncated").as_bool());
  for (const Format format : {Format::kCsv, Format::kArrow, Format::kParquet}) {
    request.format = format;
    const Error error = failure_of(request);
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.message(), testing::HasSubstr("more than 3000 rows"));
  }
  request.max_rows = 5000;
  EXPECT_TRUE(run(request).starts_with("PAR1"));
}

// The first piece goes out before the row that cannot be cast is met.
TEST_F(Queries, end_with_the_error_that_broke_them_off) {
  QueryRequest request;
  request.sql =
      "SELECT CASE WHEN i = 900000 THEN error('no such luck') ELSE repeat('x', 50) END AS t "
      "FROM range(1000000) r(i)";
  const auto query = service_.start(request);
  std::string all;
  ASSERT_TRUE(query->next(all));
  all += rest_of(*query);
  const Json answer = parse_json(all, "the answer");
  const auto& rows = member(answer, "rows").as_array();
  EXPECT_GT(rows.size(), 0u);
  EXPECT_EQ(integer_member(answer, "row_count"), static_cast<int64_t>(rows.size()));
  EXPECT_TRUE(member(answer, "truncated").as_bool());
  EXPECT_EQ(string_member(member(answer, "error"), "type"), "invalid");
  EXPECT_EQ(integer_member(member(answer, "error"), "code"), 400);
  EXPECT_THAT(string_member(member(answer, "error"), "message"),
              testing::HasSubstr("no such luck"));
  EXPECT_TRUE(service_.running().empty());
  EXPECT_THAT(metrics_->expose(), testing::HasSubstr("headrace_query_failures_total 1"));

  request.format = Format::kCsv;
  EXPECT_THAT(failure_of(request).message(), testing::HasSubstr("no such luck"));
}

TEST_F(Queries, end_with_who_cancelled_them) {
  QueryRequest request;
  request.id = "mine";
  request.sql = "SELECT i FROM range(100000000) r(i)";
  request.max_rows = 1'000'000'000;
  const auto query = service_.start(request);
  std::string all;
  ASSERT_TRUE(query->next(all));
  service_.cancel("mine");
  all += rest_of(*query);
  const Json error = member(parse_json(all, "the answer"), "error");
  EXPECT_EQ(string_member(error, "type"), "cancelled");
}

TEST_F(Queries, fail_plainly_before_they_begin) {
  QueryRequest request;
  request.sql = "SELECT CASE WHEN i >= 0 THEN error('at once') ELSE 'x' END FROM range(3) r(i)";
  EXPECT_EQ(failure_of(request).kind(), ErrorKind::kInvalid);
}

TEST_F(Queries, refuse_what_changes_something) {
  for (const char* sql : {"CREATE TABLE t (a INTEGER)", "SET threads = 1", "ATTACH 'x'",
                          "COPY (SELECT 1) TO 'x'", "SELECT 1; SELECT 2", ""}) {
    QueryRequest request;
    request.sql = sql;
    EXPECT_EQ(failure_of(request).kind(), ErrorKind::kInvalid) << sql;
  }
  QueryRequest missing;
  missing.sql = "SELECT * FROM silver.nothing";
  EXPECT_EQ(failure_of(missing).kind(), ErrorKind::kNotFound);
}

TEST_F(Queries, take_describe_show_and_explain) {
  EXPECT_THAT(run("DESCRIBE SELECT 1 AS a", Format::kJson), testing::HasSubstr("INTEGER"));
  EXPECT_THAT(run("EXPLAIN SELECT 1", Format::kJson), testing::HasSubstr("physical_plan"));
  EXPECT_THAT(run("SHOW TABLES", Format::kCsv), testing::HasSubstr("name"));
}

TEST_F(Queries, fill_parameters) {
  QueryRequest request;
  request.sql = "SELECT $1::INTEGER + 1, $2";
  request.parameters = {"41", std::nullopt};
  EXPECT_THAT(run(request), testing::HasSubstr("[[42,null]]"));
}

TEST_F(Queries, end_at_their_time_limit_and_when_cancelled) {
  QueryRequest endless;
  endless.sql = "SELECT count(*) FROM range(10000000000) a(i) WHERE hash(i) % 7 = 99";
  endless.timeout = milliseconds(50);
  EXPECT_EQ(failure_of(endless).kind(), ErrorKind::kTimeout);

  endless.timeout = std::chrono::minutes(10);
  endless.id = "mine";
  std::jthread canceller([&] {
    while (service_.running().empty()) std::this_thread::yield();
    service_.cancel("mine");
  });
  EXPECT_EQ(failure_of(endless).kind(), ErrorKind::kCancelled);
  canceller.join();
  EXPECT_TRUE(service_.running().empty());
  EXPECT_THROW(service_.cancel("mine"), Error);
}

TEST_F(Queries, read_system_tables) {
  register_system_tables(
      database_, {{"things",
                   "some things",
                   {{"name", "VARCHAR"}, {"n", "BIGINT"}, {"seen", "TIMESTAMP WITH TIME ZONE"}},
                   [] {
                     return std::vector<SystemRow>{{std::string("a"), int64_t{1}, Timestamp()},
                                                   {std::string("b"), {}, {}}};
                   }}});
  EXPECT_THAT(run("SELECT name, n, seen FROM system.things ORDER BY name", Format::kCsv),
              testing::HasSubstr("a,1,1970-01-01 00:00:00+00\r\nb,,"));
  EXPECT_THAT(run("SELECT name FROM System.SYSTEM_TABLES", Format::kCsv),
              testing::HasSubstr("things"));
  QueryRequest elsewhere;
  elsewhere.sql = "SELECT * FROM main.things";
  EXPECT_EQ(failure_of(elsewhere).kind(), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace headrace::query
