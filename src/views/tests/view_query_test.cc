#include "views/view_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace headrace::views {
namespace {

using testing::HasSubstr;

constexpr const char* kRows =
    "(SELECT * FROM (VALUES "
    "(TIMESTAMP '2026-01-01 00:10:00', 'de', 1, 1.5::DECIMAL(10,2), 2.5::DOUBLE, true, {'city': "
    "'a'}),"
    "(TIMESTAMP '2026-01-01 00:50:00', 'de', 2, 2.5::DECIMAL(10,2), NULL::DOUBLE, false, {'city': "
    "'b'}),"
    "(TIMESTAMP '2026-01-01 01:10:00', 'fr', NULL, 3.5::DECIMAL(10,2), 0.5::DOUBLE, NULL, {'city': "
    "'a'}),"
    "(TIMESTAMP '2026-01-01 01:20:00', NULL, 4, NULL, 1e10, true, NULL)"
    ") AS v(ts, country, amount, price, score, flag, address))";

class ViewQueryTest : public testing::Test {
 protected:
  std::vector<std::vector<std::optional<std::string>>> rows(const std::string& sql) {
    return connection_->query_rows(format("SELECT * FROM ({}) ORDER BY ALL", sql));
  }

  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_ = database_.connect();
};

struct Accepted {
  std::string sql;
  std::string stored;  // names of the stored columns
};

class AcceptedTest : public ViewQueryTest, public testing::WithParamInterface<Accepted> {};

// In halves or at once, through the stored table or past it: always what the query itself gives.
TEST_P(AcceptedTest, MergesToWhatTheQueryGives) {
  ViewQuery query = ViewQuery::parse(*connection_, GetParam().sql, SourceKind::kAppended);
  EXPECT_EQ(query.source().to_string(), "silver.edits");
  query.bind(*connection_, kRows);
  std::vector<std::string> names;
  for (const engine::Column& column : query.stored_columns()) names.push_back(column.name);
  EXPECT_EQ(format("{}", join(names, " ")), GetParam().stored);

  connection_->execute(format("CREATE SCHEMA silver; CREATE TABLE silver.edits AS FROM {}", kRows));
  const auto expected = rows(GetParam().sql);
  const std::string early = "(SELECT * FROM silver.edits WHERE minute(ts) < 15)";
  const std::string late = "(SELECT * FROM silver.edits WHERE minute(ts) >= 15)";
  EXPECT_EQ(rows(query.visible_sql(query.merged_sql({query.delta_sql("silver.edits")}))), expected);
  EXPECT_EQ(
      rows(query.visible_sql(query.merged_sql({query.delta_sql(early), query.delta_sql(late)}))),
      expected);
  connection_->execute(format("CREATE TABLE stored AS {}",
                              query.stored_sql(query.merged_sql({query.delta_sql(early)}))));
  const std::string stored = query.stored_states_sql("SELECT * FROM stored");
  EXPECT_EQ(rows(query.visible_sql(query.merged_sql({stored, query.delta_sql(late)}))), expected);
  EXPECT_EQ(rows(query.current_sql("SELECT * FROM stored", query.delta_sql(late))), expected);
}

// Rows that come and go leave what the query gives for those that are left.
TEST_P(AcceptedTest, TakesRowsAwayAgain) {
  ViewQuery query = ViewQuery::parse(*connection_, GetParam().sql, SourceKind::kChanging);
  EXPECT_FALSE(query.has_extremes());
  query.bind(*connection_, kRows);
  connection_->execute(format(
      "CREATE SCHEMA silver; CREATE TABLE silver.edits AS FROM {} WHERE minute(ts) >= 15", kRows));
  const auto expected = rows(GetParam().sql);
  const std::string gone = "(FROM " + std::string(kRows) + " WHERE minute(ts) < 15)";
  connection_->execute(format("CREATE TABLE stored AS {}",
                              query.stored_sql(query.merged_sql({query.delta_sql(kRows)}))));
  const std::string change = query.signed_delta_sql(format(
      "(SELECT *, -1 AS {0} FROM {1} UNION ALL SELECT *, -1 AS {0} FROM {2} UNION ALL SELECT "
      "*, 1 AS {0} FROM {2})",
      kSignColumn, gone, kRows));
  EXPECT_EQ(rows(query.visible_sql(
                query.merged_sql({query.stored_states_sql("SELECT * FROM stored"), change}))),
            expected);
  EXPECT_EQ(rows(query.current_sql("SELECT * FROM stored", change)), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Queries, AcceptedTest,
    testing::Values(
        Accepted{"SELECT country, count(*) AS n FROM silver.edits GROUP BY country", "country n"},
        Accepted{"SELECT count(*) AS n, sum(amount) AS total FROM silver.edits", "n total"},
        Accepted{"SELECT time_bucket(INTERVAL '30 minutes', ts) AS w, country, count(*) AS n, "
                 "sum(amount) AS total, min(price) AS low, max(score) AS high "
                 "FROM silver.edits GROUP BY 1, country",
                 "w country n total low high"},
        Accepted{"SELECT date_trunc('hour', ts) AS w, avg(amount) AS mean FROM silver.edits "
                 "GROUP BY w",
                 "w mean __sum_mean __count_mean"},
        Accepted{
            "select e.country AS c, Count(amount) n, count_if(flag) AS yes FROM silver.edits e "
            "WHERE e.score < 100 GROUP BY ALL",
            "c n yes"},
        Accepted{"SELECT country, count(*) FILTER (WHERE flag) AS yes, "
                 "sum(price) FILTER (WHERE price > 2) AS big, avg(score) FILTER (flag) AS mean "
                 "FROM silver.edits GROUP BY edits.country",
                 "country yes big mean __sum_mean __count_mean"},
        Accepted{"SELECT upper(country) || '!' AS shout, sum(amount) AS total, "
                 "sum(amount) / count(*) AS share FROM silver.edits GROUP BY country",
                 "shout total share __key_1 __count_share"},
        Accepted{"SELECT address.city, count(*) AS n FROM silver.edits GROUP BY "
                 "silver.edits.address.city",
                 "city n"},
        Accepted{"SELECT country AS amount, sum(amount) AS total, max(amount) + 1 AS country "
                 "FROM silver.edits GROUP BY 1",
                 "amount total country __max_country"},
        Accepted{"-- a comment\nSELECT max(country) AS last, mean(price) AS mean FROM silver.edits "
                 "WHERE country IS NOT NULL AND amount IN (1, 2)",
                 "last mean __sum_mean __count_mean"},
        Accepted{"SELECT country, count(DISTINCT amount) AS users, count(DISTINCT address.city) "
                 "FILTER (WHERE flag) AS cities FROM silver.edits GROUP BY 1",
                 "country users cities __values_users __values_cities"},
        Accepted{"SELECT count(DISTINCT country) AS n, approx_count_distinct(amount) AS about FROM "
                 "silver.edits",
                 "n about __values_n __values_about"},
        Accepted{"SELECT country, max(amount, 2) AS best, min(ts, 1) AS early, arg_max(amount, ts) "
                 "AS newest, min_by(amount, ts) AS oldest, argmax(price, ts, 2) AS prices "
                 "FROM silver.edits GROUP BY 1",
                 "country best early newest oldest prices __max_newest __min_oldest "
                 "__greatest_prices"},
        Accepted{
            "SELECT country, var_pop(amount) AS v, stddev(price) FILTER (WHERE price > 0) AS s, "
            "var_samp(amount) AS w FROM silver.edits GROUP BY ALL",
            "country v s w __moments_v __moments_s"},
        Accepted{"SELECT country, median(amount) AS m, quantile_cont(score, 0.3) AS q, "
                 "quantile_disc(amount, 0.75) AS d FROM silver.edits GROUP BY ALL",
                 "country m q d __values_m __values_q"}));

class QuantileTest : public ViewQueryTest {
 protected:
  std::vector<std::optional<std::string>> kept(const std::string& select) {
    ViewQuery query = ViewQuery::parse(*connection_, select, SourceKind::kChanging);
    query.bind(*connection_, "silver.numbers");
    return rows(query.visible_sql(query.merged_sql({query.delta_sql("silver.numbers")}))).at(0);
  }
};

TEST_F(QuantileTest, ExactOnesAreThoseOfTheEngine) {
  connection_->execute(
      "CREATE SCHEMA silver; CREATE TABLE silver.numbers AS SELECT (i * 37 % 101)::INTEGER AS x "
      "FROM "
      "range(77) r(i)");
  for (int percent = 0; percent <= 100; percent += 7) {
    const std::string select =
        format("SELECT quantile_cont(x, {0}) AS c, quantile_disc(x, {0}) AS d FROM silver.numbers",
               percent / 100.0);
    EXPECT_EQ(kept(select), rows(select).at(0)) << percent;
  }
}

TEST_F(QuantileTest, ApproximateOnesAreNear) {
  connection_->execute(
      "CREATE SCHEMA silver; CREATE TABLE silver.numbers AS SELECT (i - 5000) * 1.5 AS x FROM "
      "range(30000) r(i)");
  const auto row = kept(
      "SELECT approx_quantile(x, 0.9) AS high, approx_quantile(x, 0.1) AS low, "
      "approx_count_distinct(x) AS n FROM silver.numbers");
  EXPECT_NEAR(std::stod(*row[0]), 33000, 340);
  EXPECT_NEAR(std::stod(*row[1]), -3000, 35);
  EXPECT_NEAR(std::stod(*row[2]), 30000, 1500);
}

TEST_F(ViewQueryTest, TypesAreThoseThatTheLakeKeeps) {
  ViewQuery query = ViewQuery::parse(
      *connection_,
      "SELECT date_trunc('hour', ts) AS w, count(*) AS n, sum(amount) AS total, "
      "sum(price) AS paid, avg(amount) AS mean, max(score) AS high FROM silver.edits GROUP BY w",
      SourceKind::kAppended);
  query.bind(*connection_, kRows);
  std::vector<std::string> types;
  for (const engine::Column& column : query.stored_columns()) {
    types.push_back(column.name + " " + column.type);
  }
  EXPECT_THAT(types, testing::ElementsAre("w TIMESTAMP", "n BIGINT", "total BIGINT",
                                          "paid DECIMAL(38,2)", "mean DOUBLE", "high DOUBLE",
                                          "__sum_mean DECIMAL(38,0)", "__count_mean BIGINT"));
}

TEST_F(ViewQueryTest, ASumThatDoesNotFitFailsRatherThanWraps) {
  ViewQuery query = ViewQuery::parse(*connection_, "SELECT sum(big) AS total FROM silver.numbers",
                                     SourceKind::kAppended);
  const std::string big = "(SELECT 9223372036854775807 AS big)";
  query.bind(*connection_, big);
  const std::string one = query.delta_sql(big);
  EXPECT_EQ(rows(query.merged_sql({one})).at(0).at(0), "9223372036854775807");
  EXPECT_THROW(rows(query.merged_sql({one, one})), Error);
}

TEST_F(ViewQueryTest, TheFingerprintTellsQueriesApart) {
  const auto fingerprint = [&](const std::string& condition) {
    ViewQuery query = ViewQuery::parse(
        *connection_, "SELECT count(*) AS n FROM silver.edits WHERE amount > " + condition + ";",
        SourceKind::kAppended);
    query.bind(*connection_, kRows);
    return query.fingerprint();
  };
  EXPECT_EQ(fingerprint("1"), fingerprint("  (1)"));
  EXPECT_NE(fingerprint("1"), fingerprint("2"));
}

struct Refused {
  std::string sql;
  ErrorKind kind;
  std::string message;
};

class RefusedTest : public ViewQueryTest, public testing::WithParamInterface<Refused> {};

TEST_P(RefusedTest, SaysWhichPartCannotBe) {
  try {
    ViewQuery::parse(*connection_, GetParam().sql, SourceKind::kAppended).bind(*connection_, kRows);
    FAIL() << GetParam().sql << " was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), GetParam().kind) << error.message();
    EXPECT_THAT(error.message(), HasSubstr(GetParam().message));
  }
}

constexpr ErrorKind kInvalid = ErrorKind::kInvalid;
constexpr ErrorKind kUnsupported = ErrorKind::kUnsupported;

INSTANTIATE_TEST_SUITE_P(
    Queries, RefusedTest,
    testing::Values(
        Refused{"SELEC 1", kInvalid, "line 1: syntax error"},
        Refused{"-- table: gold.x\n\nSELECT count(*) AS n\nFORM silver.edits", kInvalid,
                "line 4: "},
        Refused{"DROP TABLE silver.edits", kInvalid, "a view is one SELECT"},
        Refused{"SELECT 1; SELECT 2", kInvalid, "2 statements"},
        Refused{"SELECT count(*) AS n FROM silver.edits UNION ALL SELECT 1", kUnsupported, "UNION"},
        Refused{"SELECT count(*) AS n FROM silver.edits POSITIONAL JOIN silver.users", kUnsupported,
                "JOIN and LEFT JOIN"},
        Refused{"SELECT count(*) AS n FROM silver.edits RIGHT JOIN silver.u USING (id)",
                kUnsupported, "not REGULAR RIGHT"},
        Refused{"SELECT count(*) AS n FROM silver.edits a JOIN silver.edits b USING (id)",
                kUnsupported, "join silver.edits to itself"},
        Refused{"SELECT count(*) AS n FROM (SELECT 1)", kUnsupported, "subquery"},
        Refused{"SELECT count(*) AS n FROM read_csv('x.csv')", kUnsupported, "table function"},
        Refused{"SELECT count(*) AS n", kUnsupported, "needs FROM"},
        Refused{"SELECT count(*) AS n FROM edits", kInvalid, "FROM edits: name the table with"},
        Refused{"SELECT count(*) AS n FROM silver.edits USING SAMPLE 10%", kUnsupported, "sample"},
        Refused{"WITH x AS (SELECT 1) SELECT count(*) AS n FROM silver.edits", kUnsupported,
                "WITH"},
        Refused{"SELECT DISTINCT country, count(*) AS n FROM silver.edits GROUP BY 1", kUnsupported,
                "DISTINCT"},
        Refused{"SELECT country, count(*) AS n FROM silver.edits GROUP BY 1 ORDER BY 2",
                kUnsupported, "ORDER BY"},
        Refused{"SELECT country, count(*) AS n FROM silver.edits GROUP BY 1 LIMIT 5", kUnsupported,
                "LIMIT"},
        Refused{"SELECT country, count(*) AS n FROM silver.edits GROUP BY 1 HAVING count(*) > 1",
                kUnsupported, "HAVING"},
        Refused{"SELECT country, count(*) AS n FROM silver.edits GROUP BY ROLLUP (country)",
                kUnsupported, "ROLLUP"},
        Refused{"SELECT sum(amount) OVER () AS s FROM silver.edits", kUnsupported,
                "window functions (sum"},
        Refused{"SELECT country,\n  mode(amount) AS m FROM silver.edits GROUP BY 1", kUnsupported,
                "line 2: mode cannot be kept up to date by a view; it can have count, sum"},
        Refused{"SELECT sum(DISTINCT amount) AS n FROM silver.edits", kUnsupported,
                "sum(DISTINCT …)"},
        Refused{"SELECT first(amount) AS n FROM silver.edits", kUnsupported, "arg_min(x, time)"},
        Refused{"SELECT max(amount, 0) AS n FROM silver.edits", kInvalid, "from 1 to 10000"},
        Refused{"SELECT quantile_cont(amount, [0.1, 0.2]) AS n FROM silver.edits", kInvalid,
                "make a column of each"},
        Refused{"SELECT sum(amount ORDER BY ts) AS n FROM silver.edits", kUnsupported, "ORDER BY"},
        Refused{"SELECT sum(count(*)) AS n FROM silver.edits", kInvalid,
                "aggregate of an aggregate"},
        Refused{"SELECT count(*) FROM silver.edits", kInvalid, "give count_star() a name"},
        Refused{"SELECT country FROM silver.edits GROUP BY 1", kUnsupported, "needs an aggregate"},
        Refused{"SELECT amount, count(*) AS n FROM silver.edits GROUP BY country", kInvalid,
                "column amount must stand in GROUP BY"},
        Refused{"SELECT country, count(*) AS COUNTRY FROM silver.edits GROUP BY 1", kInvalid,
                "two columns of the view are named COUNTRY"},
        Refused{"SELECT country AS __c, count(*) AS n FROM silver.edits GROUP BY 1", kInvalid,
                "begin with __"},
        Refused{"SELECT *, count(*) AS n FROM silver.edits GROUP BY ALL", kUnsupported, "select *"},
        Refused{"SELECT count(*) AS n FROM silver.edits WHERE ts > now()", kUnsupported,
                "now() gives another value each time"},
        Refused{"SELECT current_date AS d, count(*) AS n FROM silver.edits GROUP BY 1",
                kUnsupported, "current_date gives another value"},
        Refused{"SELECT random() AS r, count(*) AS n FROM silver.edits GROUP BY 1", kUnsupported,
                "random()"},
        Refused{"SELECT count(*) AS n FROM silver.edits WHERE amount > (SELECT 1)", kUnsupported,
                "subqueries"},
        Refused{"SELECT count(*) AS n FROM silver.edits WHERE count(*) > 1", kInvalid, "FILTER"},
        Refused{"SELECT count(*) AS n FROM silver.edits WHERE amount > ?", kInvalid, "parameters"},
        Refused{"SELECT country, count(*) AS n FROM silver.edits GROUP BY 3", kInvalid,
                "GROUP BY 3: there are 2 selected columns"},
        Refused{"SELECT date_trunc('day', ts) AS ts, count(*) AS n FROM silver.edits GROUP BY ts",
                kInvalid, "GROUP BY ts may mean the column"},
        Refused{"SELECT nothing, count(*) AS n FROM silver.edits GROUP BY 1", kInvalid, "nothing"},
        Refused{"SELECT sum(country) AS n FROM silver.edits", kInvalid, "sum"},
        Refused{"SELECT ts - ts AS gap, count(*) AS n FROM silver.edits GROUP BY 1", kUnsupported,
                "column gap of the view"}));

}  // namespace
}  // namespace headrace::views
