// FROM table AT (VERSION => …) and AT (TIMESTAMP => …), over a table that rows, deletes and columns
// came to.

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/delete_writer.h"
#include "lake/testing/lake_fixture.h"
#include "query/query_service.h"
#include "tables/live_tables.h"

namespace headrace::query {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class TimeTravelTest : public testing::Test {
 protected:
  TimeTravelTest() {
    lake::register_delete_function(database_);
    lake::TablePtr table = create("t");
    table = append(table, 0, 10);
    first_ = current(*table);
    table = append(table, 10, 15);
    second_ = current(*table);
    table = delete_row(table, 3);
    third_ = current(*table);
    table = with_another_column(table);
    table = append(table, 15, 16, "title, 'new' AS extra");
    fourth_ = current(*table);
    tables_.load_all();
  }

  lake::TablePtr create(const std::string& name) {
    lake::CreateTable request;
    request.identifier = {"silver", name};
    request.schema = lake::make_schema({{"id", "BIGINT"}, {"name", "VARCHAR"}});
    return lake_.catalog->create(request);
  }

  static lake::SnapshotId current(const lake::Table& table) {
    return *table.metadata.current_snapshot_id;
  }

  lake::TablePtr append(const lake::TablePtr& table, int begin, int end,
                        const std::string& named = "name") {
    clock_wait();
    return lake_.append(
        table, write_data_files(*connection_, *lake_.catalog, *lake_.files, lake_.random, *table,
                                format("SELECT i AS id, 'n' || i AS {} FROM range({}, {}) r(i)",
                                       named, begin, end)));
  }

  // The rows at this place of each file.
  lake::TablePtr delete_row(const lake::TablePtr& table, int64_t position) {
    clock_wait();
    lake::TableChange change;
    change.base = table;
    change.operation = "delete";
    for (const lake::DataFile& file : lake_.catalog->files(*table)) {
      change.added.push_back(write_position_deletes(*connection_, *lake_.catalog, *lake_.files,
                                                    lake_.random, *table, file,
                                                    lake::RowPositions({position})));
    }
    return lake_.catalog->commit({change}).at(0);
  }

  lake::TablePtr with_another_column(const lake::TablePtr& table) {
    lake::TableChange change;
    change.base = table;
    change.new_schema = table->metadata.current_schema();
    change.new_schema->fields[1].name = "title";
    lake::Field extra;  // of type string
    extra.name = "extra";
    change.new_schema->fields.push_back(extra);
    return lake_.catalog->commit({change}).at(0);
  }

  // Snapshots of different milliseconds.
  void clock_wait() { lake_.clock.sleep_for(milliseconds(2), {}); }

  int64_t time_us(lake::SnapshotId snapshot) {
    return lake_.catalog->load({"silver", "t"})->metadata.snapshot(snapshot)->timestamp_ms * 1000;
  }

  // The result as CSV, with S1 … S4 in the text standing for the snapshots.
  std::string run(std::string sql, FileAccess access = FileAccess::kNone,
                  std::vector<std::optional<std::string>> parameters = {}) {
    const std::pair<const char*, lake::SnapshotId> names[] = {
        {"S1", first_}, {"S2", second_}, {"S3", third_}, {"S4", fourth_}};
    for (const auto& [name, id] : names) {
      for (size_t at; (at = sql.find(name)) != std::string::npos;)
        sql.replace(at, 2, std::to_string(id));
    }
    QueryOptions options{std::filesystem::temp_directory_path().string(), access};
    options.catalog = lake_.catalog.get();
    QueryService service(database_, clock_, random_, *metrics_, options);
    QueryRequest request;
    request.sql = sql;
    request.parameters = std::move(parameters);
    request.format = Format::kCsv;
    const auto query = service.start(request);
    std::string all;
    for (std::string piece; query->next(piece); piece.clear()) all += piece;
    return all;
  }
  // The one value of a query.
  std::string value(const std::string& sql) {
    const std::string csv = run(sql);
    const size_t begin = csv.find("\r\n") + 2;
    return csv.substr(begin, csv.size() - begin - 2);
  }
  Error failure(const std::string& sql) {
    try {
      run(sql);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown by " << sql;
    return {ErrorKind::kInternal, ""};
  }

  lake::LakeFixture lake_;
  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_ = database_.connect();
  tables::LiveTables tables_{{database_, *lake_.catalog, *lake_.files, lake_.random, nullptr}};
  SystemClock clock_;
  SeededRandom random_;
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
  lake::SnapshotId first_ = 0;
  lake::SnapshotId second_ = 0;
  lake::SnapshotId third_ = 0;
  lake::SnapshotId fourth_ = 0;
};

TEST_F(TimeTravelTest, reads_rows_deletes_and_columns_of_the_time) {
  EXPECT_EQ(value("SELECT count(*) FROM silver.t"), "14");
  EXPECT_EQ(value("SELECT count(*) FROM silver.t AT (VERSION => S1)"), "10");
  EXPECT_EQ(value("SELECT count(*) FROM silver.t AT (VERSION => 'S2')"), "15");
  EXPECT_EQ(value("SELECT count(*) FROM silver.t AT (VERSION => S3) WHERE id IN (3, 13)"), "0");
  EXPECT_EQ(run("FROM silver.t AT (VERSION => S1) ORDER BY id LIMIT 1"), "id,name\r\n0,n0\r\n");
  EXPECT_EQ(run("FROM silver.t AT (VERSION => S4) ORDER BY id DESC LIMIT 1"),
            "id,title,extra\r\n15,n15,new\r\n");
  EXPECT_EQ(value("SELECT extra IS NULL FROM silver.t AT (VERSION => S4) WHERE id = 0"), "true");
}

TEST_F(TimeTravelTest, finds_what_was_current_at_a_time) {
  const auto count_at = [&](const std::string& time) {
    return value(format("SELECT count(*) FROM silver.t AT (TIMESTAMP => {})", time));
  };
  EXPECT_EQ(count_at("now()"), "14");
  EXPECT_EQ(count_at("'2100-01-01'"), "14");
  EXPECT_EQ(count_at(format("make_timestamptz({})", time_us(first_))), "10");
  EXPECT_EQ(count_at(format("make_timestamptz({}) - INTERVAL 1 MILLISECOND", time_us(second_))),
            "10");
  EXPECT_EQ(count_at(format("make_timestamp({})", time_us(second_) + 999)), "15");
  const Error early = failure("FROM silver.t AT (TIMESTAMP => DATE '2020-01-01')");
  EXPECT_EQ(early.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(early.message(), AllOf(HasSubstr("silver.t cannot be read as of 2020-01-01T00:00:00"),
                                     HasSubstr("it has 4 snapshots, from ")));
  EXPECT_THAT(failure("FROM silver.t AT (TIMESTAMP => '-infinity')").message(),
              HasSubstr("AT is given '-infinity', which is NULL or no time"));
  EXPECT_EQ(failure("FROM silver.t AT (TIMESTAMP => 'soon')").kind(), ErrorKind::kInvalid);
}

TEST_F(TimeTravelTest, tells_how_many_files_were_read) {
  const auto files = [&](const std::string& sql) {
    QueryOptions options{std::filesystem::temp_directory_path().string()};
    options.catalog = lake_.catalog.get();
    QueryService service(database_, clock_, random_, *metrics_, options);
    QueryRequest request;
    request.sql = sql;
    const auto query = service.start(request);
    std::string all;
    for (std::string piece; query->next(piece); piece.clear()) all += piece;
    const Json answer = parse_json(all, "the answer");
    return format("{} of {}", integer_member(answer, "files_read"),
                  integer_member(answer, "files_total"));
  };
  EXPECT_EQ(files("SELECT * FROM silver.t WHERE id > 12"), "2 of 3");
  EXPECT_EQ(files(format("SELECT * FROM silver.t AT (VERSION => {}) WHERE id > 12", second_)),
            "1 of 2");
  EXPECT_EQ(
      files(format("SELECT * FROM silver.t CROSS JOIN silver.t AS u AT (VERSION => {})", second_)),
      "5 of 5");
  EXPECT_EQ(files("SELECT 1"), "0 of 0");
  EXPECT_THAT(metrics_->expose(), AllOf(HasSubstr("headrace_query_files_total 10"),
                                        HasSubstr("headrace_query_files_read_total 8")));
}

TEST_F(TimeTravelTest, joins_versions_of_one_table) {
  EXPECT_EQ(value("SELECT count(*) FROM silver.t AT (VERSION => S2) JOIN silver.t now USING (id)"),
            "13");
  EXPECT_EQ(value("SELECT string_agg(a.id, ' ' ORDER BY a.id) FROM silver.t a AT (VERSION => S2) "
                  "ANTI JOIN silver.t b AT (VERSION => S3) ON a.id = b.id"),
            "3 13");
  EXPECT_EQ(value("WITH old AS (FROM silver.t AT (VERSION => S1)) SELECT (SELECT count(*) FROM old "
                  "x) + (SELECT max(id) FROM silver.t AT (VERSION => S3))"),
            "24");
  EXPECT_EQ(value("SELECT count(*) FROM (FROM silver.t AT (VERSION => S2) EXCEPT ALL FROM silver.t "
                  "AT (VERSION => S1))"),
            "5");
}

TEST_F(TimeTravelTest, leaves_the_rest_of_the_text_alone) {
  EXPECT_EQ(
      run("/* é AT (VERSION => 1) */ SELECT 'silver.t AT (VERSION => 1)' AS \"AT (\", t.id AS at, "
          "$$at ( version => 2)$$ AS s -- AT (VERSION => 3)\nFROM \"silver\" . /* ( */ T at -- )\n"
          "( version /* ) */ => ('S1') -- )\n) WHERE t.id = 9"),
      "AT (,at,s\r\nsilver.t AT (VERSION => 1),9,at ( version => 2)\r\n");
  EXPECT_EQ(value("SELECT a FROM silver.t AS \"at\"(a, b) AT (VERSION => S1) WHERE b = 'n4'"), "4");
  EXPECT_EQ(value("SELECT sum(x.id) FROM silver.t x AT (VERSION => S1), silver.t AS \"x y\" at "
                  "(VERSION=>S2) WHERE x.id = \"x y\".id AND x.id < 3"),
            "3");
  EXPECT_EQ(value("SELECT count(*) FROM memory.silver.t AT (VERSION => S1) TABLESAMPLE 100%"),
            "10");
}

TEST_F(TimeTravelTest, works_in_explain_describe_and_pivot) {
  EXPECT_THAT(run("EXPLAIN SELECT id FROM silver.t AT (VERSION => S1)"),
              HasSubstr("HEADRACE_FILES"));
  EXPECT_THAT(run(" explain analyze SELECT id FROM silver.t AT (VERSION => S3)"),
              HasSubstr("HEADRACE_FILES"));
  EXPECT_THAT(run("DESCRIBE SELECT * FROM silver.t AT (VERSION => S1)"),
              AllOf(HasSubstr("name,VARCHAR"), Not(HasSubstr("\nextra"))));
  EXPECT_THAT(run("PIVOT silver.t AT (VERSION => S1) ON id IN (1, 2) USING count(*) GROUP BY name"),
              HasSubstr("name,1,2"));
}

TEST_F(TimeTravelTest, computes_what_the_clause_is_given) {
  EXPECT_EQ(value("SELECT count(*) FROM silver.t AT (VERSION => S1 + 0)"), "10");
  EXPECT_EQ(value("SELECT count(*) FROM silver.t AT (VERSION => (SELECT S1 FROM silver.t AT "
                  "(VERSION => S2) WHERE id = 14))"),
            "10");
  const Error parameter = failure("FROM silver.t AT (VERSION => $1)");
  EXPECT_EQ(parameter.kind(), ErrorKind::kInvalid);
  EXPECT_THAT(parameter.message(), HasSubstr("computing what AT is given, $1: "));
  EXPECT_EQ(failure("FROM silver.t AT (VERSION => NULL)").kind(), ErrorKind::kInvalid);
  EXPECT_EQ(failure("FROM silver.t AT (VERSION => id)").kind(), ErrorKind::kInvalid);
  // Files stay out of sight there, too.
  EXPECT_EQ(
      failure("FROM silver.t AT (VERSION => (SELECT content FROM read_text('/etc/hostname')))")
          .kind(),
      ErrorKind::kDenied);
}

TEST_F(TimeTravelTest, says_what_there_is) {
  const Error unknown = failure("FROM silver.t AT (VERSION => 77)");
  EXPECT_EQ(unknown.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(unknown.message(),
              AllOf(HasSubstr("table silver.t has no snapshot '77', or it has expired"),
                    HasSubstr(std::to_string(first_)), HasSubstr("branch 'main'"),
                    HasSubstr("system.refs")));
  EXPECT_THAT(failure("FROM silver.t AT (VERSION => 'release')").message(),
              HasSubstr("has no branch or tag 'release'"));
  EXPECT_THAT(failure("FROM silver.other AT (VERSION => 1)").message(),
              HasSubstr("Table with name other does not exist"));
  EXPECT_THAT(failure("WITH t AS (SELECT 1) FROM t AT (VERSION => 1)").message(),
              HasSubstr("written database.table"));
  create("empty");
  tables_.load_all();
  EXPECT_THAT(failure("FROM silver.empty AT (VERSION => 1)").message(),
              HasSubstr("it has no snapshot yet"));
}

// The parser counts places without what it takes for odd blanks: refused, never misread.
TEST_F(TimeTravelTest, refuses_what_it_cannot_place) {
  const Error error = failure("SELECT\u00a0* FROM silver.t AT (VERSION => S1)");
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error.message(), HasSubstr("plain blanks"));
  // Nine of them, so that the place is that of the table before.
  std::string odd = "SELECT";
  for (int i = 0; i < 10; ++i) odd += "\u00a0";
  EXPECT_EQ(failure(odd + "1 FROM silver.t, silver.t AT (VERSION => S1)").kind(),
            ErrorKind::kInvalid);
}

TEST_F(TimeTravelTest, leaves_queries_without_the_clause_alone) {
  EXPECT_EQ(run("SELECT id FROM silver.t WHERE id = $1", FileAccess::kNone, {"2"}), "id\r\n2\r\n");
}

}  // namespace
}  // namespace headrace::query
