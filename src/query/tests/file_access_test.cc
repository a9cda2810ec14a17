// Queries that must not see files, and what is tried to get at them all the same.

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "query/query_service.h"
#include "query/system_tables.h"

namespace headrace::query {
namespace {

class FileAccessTest : public testing::Test {
 protected:
  FileAccessTest() {
    SeededRandom random;
    directory_ = std::filesystem::temp_directory_path() / ("headrace-query-" + make_uuid(random));
    std::filesystem::create_directories(directory_);
    std::ofstream(path("data.csv")) << "a,b\n1,secret\n";
    std::ofstream(path("data.txt")) << "secret";
    const auto connection = database_.connect();
    connection->execute(format("COPY (SELECT 42 AS n) TO '{}'", path("t.parquet")));
    connection->execute("CREATE SCHEMA silver");
    connection->execute(
        format("CREATE VIEW silver.t AS SELECT * FROM read_parquet(['{}'])", path("t.parquet")));
    connection->execute("CREATE VIEW silver.\"a.b\" AS SELECT 1 AS n");
    register_system_tables(database_, {{"things", "some things", {{"name", "VARCHAR"}}, [] {
                                          return std::vector<SystemRow>{{std::string("x")}};
                                        }}});
  }
  ~FileAccessTest() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return (directory_ / name).string(); }

  std::string run(FileAccess access, std::string sql, Format result_format = Format::kCsv) {
    // DIR stands for the folder with the files.
    for (size_t at; (at = sql.find("DIR")) != std::string::npos;)
      sql.replace(at, 3, directory_.string());
    QueryService service(database_, clock_, random_, *metrics_, {directory_.string(), access});
    QueryRequest request;
    request.sql = sql;
    request.format = result_format;
    const auto query = service.start(request);
    std::string all;
    while (query->next(all)) {
    }
    return all;
  }
  std::optional<ErrorKind> failure(FileAccess access, const std::string& sql) {
    try {
      run(access, sql);
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), testing::Not(testing::HasSubstr("secret")));
      return error.kind();
    }
    return std::nullopt;
  }

  std::filesystem::path directory_;
  engine::Database database_;
  SystemClock clock_;
  SeededRandom random_;
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
};

TEST_F(FileAccessTest, TablesAndFunctionsOfTheEngineStayOpen) {
  const std::pair<const char*, const char*> queries[] = {
      {"SELECT n FROM silver.t", "n\r\n42\r\n"},
      {"SELECT n FROM memory.silver.T", "n\r\n42\r\n"},
      {"SELECT n FROM silver.\"a.b\"", "n\r\n1\r\n"},
      {"SELECT name FROM system.things", "name\r\nx\r\n"},
      {"SELECT name FROM SYSTEM.Things -- a comment", "name\r\nx\r\n"},
      {"WITH x AS (SELECT 1 AS n) SELECT n FROM x, range(2)", "n\r\n1\r\n1\r\n"},
      {"SELECT unnest([1, 2]) AS n", "n\r\n1\r\n2\r\n"},
      {"VALUES ('data.csv')", "col0\r\ndata.csv\r\n"},
      {"SELECT 'DIR/data.csv' LIKE '%.csv' AS n", "n\r\ntrue\r\n"},
      {"SELECT value FROM json_each('[7]')", "value\r\n7\r\n"},
      {"SELECT max(n) AS n FROM (SELECT n FROM silver.t UNION ALL FROM silver.t)", "n\r\n42\r\n"},
      {"FROM (PIVOT (SELECT 1 AS a) ON a IN (1) USING count(*))", "1\r\n1\r\n"},
      {"SELECT count(*) AS n FROM information_schema.tables WHERE table_name = 't'", "n\r\n1\r\n"}};
  for (const auto& [sql, expected] : queries) {
    EXPECT_EQ(run(FileAccess::kNone, sql), expected) << sql;
  }
  for (const char* sql :
       {"DESCRIBE silver.t", "SUMMARIZE silver.t", "SHOW TABLES", "SHOW ALL TABLES",
        "SHOW TABLES FROM silver", "SHOW DATABASES", "EXPLAIN SELECT * FROM silver.t",
        "EXPLAIN ANALYZE FROM silver.t", "EXPLAIN (FORMAT json) SELECT 1", "FROM duckdb_tables()",
        "FROM duckdb_settings()", "SELECT current_setting('threads')"}) {
    EXPECT_NO_THROW(run(FileAccess::kNone, sql)) << sql;
  }
  EXPECT_TRUE(run(FileAccess::kNone, "SELECT * FROM silver.t -- all", Format::kParquet)
                  .starts_with("PAR1"));
}

TEST_F(FileAccessTest, FilesAreOutOfReach) {
  for (const char* sql :
       {"SELECT * FROM read_csv('DIR/data.csv')",
        "SELECT * FROM READ_CSV_AUTO('DIR/data.csv')",
        "SELECT * FROM main.read_text('DIR/data.txt')",
        "SELECT * FROM \"read_blob\"('DIR/data.txt')",
        "SELECT * FROM read_parquet('DIR/t.parquet')",
        "SELECT * FROM parquet_scan('DIR/t.parquet')",
        "SELECT * FROM parquet_metadata('DIR/t.parquet')",
        "SELECT * FROM parquet_schema('DIR/t.parquet')",
        "SELECT * FROM read_json('DIR/data.csv')",
        "SELECT * FROM sniff_csv('DIR/data.csv')",
        "SELECT * FROM glob('DIR/*')",
        "SELECT * FROM query('FROM ''DIR/data.csv''')",
        "SELECT * FROM query_table('DIR/data.csv')",
        "SELECT * FROM histogram('DIR/data.csv', 'a')",
        "SELECT * FROM histogram_values('DIR/data.csv', a)",
        "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM ''DIR/data.csv'''))",
        "SELECT * FROM sql_auto_complete('FROM ''DIR/')",
        "SELECT * FROM arrow_scan(1, 2, 3)",
        "SELECT * FROM read_duckdb('DIR/x.db')",
        "SELECT (SELECT content FROM read_text('DIR/data.txt'))",
        "SELECT 1 WHERE EXISTS (FROM read_text('DIR/data.txt'))",
        "SELECT 1 ORDER BY (SELECT content FROM read_text('DIR/data.txt'))",
        "WITH x AS MATERIALIZED (FROM read_text('DIR/data.txt')) FROM x",
        "WITH RECURSIVE x AS (SELECT '' UNION SELECT content FROM read_text('DIR/t')) FROM x",
        "SELECT 1 UNION ALL SELECT size FROM read_text('DIR/data.txt')",
        "FROM silver.t, LATERAL (SELECT content FROM read_text('DIR/data.txt'))",
        "FROM silver.t JOIN read_text('DIR/data.txt') ON true",
        "FROM (PIVOT read_text('DIR/data.txt') ON size IN (1) USING count(*))",
        "SUMMARIZE FROM read_text('DIR/data.txt')",
        "DESCRIBE FROM read_csv('DIR/data.csv')",
        "EXPLAIN FROM read_text('DIR/data.txt')",
        "EXPLAIN ANALYZE (FROM read_text('DIR/data.txt'))",
        "EXPLAIN (FORMAT json) FROM read_text('DIR/data.txt')"}) {
    EXPECT_EQ(failure(FileAccess::kNone, sql), ErrorKind::kDenied) << sql;
  }
}

TEST_F(FileAccessTest, NamesOfTablesAreNotTakenForFiles) {
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(directory_);
  std::filesystem::copy_file("data.csv", "silver.csv");
  std::filesystem::copy_file("data.csv", "system.csv");
  std::filesystem::copy_file("data.csv", "memory.silver.csv");
  for (const char* sql :
       {"FROM 'DIR/data.csv'", "FROM \"DIR/data.csv\"", "FROM 'data.csv'", "FROM data.csv",
        "FROM silver.csv", "FROM system.csv", "FROM memory.silver.csv", "TABLE 'data.csv'",
        "FROM 't.parquet'", "SUMMARIZE 'data.csv'", "DESCRIBE 'data.csv'", "SHOW 'data.csv'",
        "FROM (DESCRIBE data.csv)", "SELECT (SELECT max(a) FROM 'data.csv')",
        "EXPLAIN ANALYZE FROM 'data.csv'", "FROM 'data.c*'", "FROM pragma_table_info('data.csv')",
        // A name defined in one place does not open the file in another.
        "SELECT * FROM (WITH \"data.csv\" AS (SELECT 1) FROM \"data.csv\"), \"data.csv\""}) {
    EXPECT_EQ(failure(FileAccess::kNone, sql), ErrorKind::kNotFound) << sql;
  }
  EXPECT_THAT(run(FileAccess::kRead, "FROM 'data.csv'"), testing::HasSubstr("secret"));
  EXPECT_THAT(run(FileAccess::kRead, "FROM silver.csv"), testing::HasSubstr("secret"));
  std::filesystem::current_path(here);
}

TEST_F(FileAccessTest, NothingIsWrittenWhateverMayBeRead) {
  for (const FileAccess access : {FileAccess::kNone, FileAccess::kRead}) {
    for (const char* sql : {"COPY (SELECT 1) TO 'DIR/out'",
                            "COPY silver.t TO 'DIR/out'",
                            "EXPLAIN ANALYZE COPY (SELECT 1) TO 'DIR/out'",
                            "EXPLAIN ANALYZE/**/COPY (SELECT 1) TO 'DIR/out'",
                            "EXPLAIN (FORMAT json, ANALYZE) COPY (SELECT 1) TO 'DIR/out'",
                            "EXPLAIN ANALYZE CREATE TABLE silver.made AS SELECT 1",
                            "EXPLAIN ANALYZE DROP VIEW silver.t",
                            "EXPLAIN ANALYZE SET threads = 1",
                            "EXPORT DATABASE 'DIR/out'",
                            "IMPORT DATABASE 'DIR'",
                            "ATTACH 'DIR/out'",
                            "INSTALL httpfs",
                            "LOAD 'DIR/out'",
                            "SET threads = 1",
                            "RESET threads",
                            "PRAGMA enable_profiling",
                            "CALL read_text('DIR/data.txt')",
                            "CHECKPOINT",
                            "PREPARE p AS FROM silver.t",
                            "EXECUTE p",
                            "USE silver",
                            "BEGIN",
                            "CREATE MACRO m() AS TABLE FROM 'DIR/data.csv'",
                            "SELECT 1; COPY (SELECT 1) TO 'DIR/out'",
                            "SELECT 1) TO 'DIR/out' (FORMAT csv) --"}) {
      EXPECT_EQ(failure(access, sql), ErrorKind::kInvalid) << sql;
    }
  }
  EXPECT_FALSE(std::filesystem::exists(path("out")));
  EXPECT_EQ(run(FileAccess::kNone, "SELECT count(*) AS n FROM duckdb_tables()"), "n\r\n0\r\n");
  EXPECT_EQ(run(FileAccess::kNone, "SELECT n FROM silver.t"), "n\r\n42\r\n");
}

TEST_F(FileAccessTest, SaysWhatIsWrong) {
  const auto message = [&](const std::string& sql) -> std::string {
    try {
      run(FileAccess::kNone, sql);
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  };
  EXPECT_THAT(message("FROM read_csv('x')"), testing::HasSubstr("server.query_file_access: read"));
  EXPECT_THAT(message("FROM silver.tt"),
              testing::EndsWith("tt does not exist!\nDid you mean \"t\"?"));
  EXPECT_THAT(message("SELECT\nFORM x"), testing::HasSubstr("LINE 2"));
  EXPECT_THAT(message("SELECT 1; SELECT 2"), testing::HasSubstr("the text has 2"));
  EXPECT_THAT(message(" ; "), testing::HasSubstr("the text has 0"));
}

TEST_F(FileAccessTest, DeepExpressionsAreReadOrRefused) {
  std::string sum = "SELECT 1";
  for (int i = 0; i < 100; ++i) sum += " + 1";
  EXPECT_EQ(run(FileAccess::kNone, sum + " AS n"), "n\r\n101\r\n");
  for (int i = 0; i < 5000; ++i) sum += " + 1";
  EXPECT_NE(failure(FileAccess::kNone, sum), std::nullopt);
}

}  // namespace
}  // namespace headrace::query
