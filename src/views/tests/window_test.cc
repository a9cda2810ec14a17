// Views with tumble() and hop(): each answer beside one made by looking at every row for every
// window.

#include "views/window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/environment.h"
#include "views/testing/edits.h"
#include "views/testing/orders.h"
#include "views/views.h"

namespace headrace::views {
namespace {

using testing::HasSubstr;

// All windows of a size that begin between two days, with the rows in each.
std::string by_looking(const std::string& columns, const std::string& table,
                       const std::string& slide, const std::string& size, const std::string& days) {
  return format(
      "SELECT {} FROM (SELECT unnest(generate_series({}, INTERVAL '{}')) AS w) AS windows JOIN {} "
      "ON ts >= w AND ts < w + INTERVAL '{}' GROUP BY ALL",
      columns, days, slide, table, size);
}

const std::string kEditDays = "TIMESTAMP '2015-09-09', TIMESTAMP '2015-09-16'";
const std::string kOrderDays = "TIMESTAMP '2025-12-30', TIMESTAMP '2026-01-03'";

TEST(HoppingWindowTest, ARowIsInEachOfItsWindows) {
  Edits edits;
  const ViewSpec spec = {
      "hops",
      {"gold", "hops"},
      "SELECT hop(ts, INTERVAL 20 MINUTE, INTERVAL 1 HOUR) AS w, hop_end(ts, INTERVAL '20 "
      "minutes', '60 minutes') AS e, country, count(*) AS n, sum(amount) AS total, avg(amount) AS "
      "mean, max(amount) AS high FROM silver.edits WHERE amount <> 13 OR amount IS NULL GROUP BY "
      "ALL"};
  const std::string expected = by_looking(
      "w, w + INTERVAL 1 HOUR AS e, country, count(*) AS n, sum(amount)::BIGINT AS total, "
      "avg(amount) AS mean, max(amount) AS high",
      "(FROM silver.edits WHERE amount <> 13 OR amount IS NULL)", "20 minutes", "1 hour",
      kEditDays);
  auto view = std::make_unique<IncrementalView>(edits.collaborators(), spec);
  SeededRandom random(11);
  for (int step = 0; step < (kIsSanitized ? 15 : 40); ++step) {
    const uint64_t what = random.next() % 6;
    if (what < 2) edits.insert(static_cast<int>(random.next() % 80), step);
    if (what == 2) edits.insert(5, static_cast<int>(random.next() % 40));
    if (what == 3) edits.commit();
    if (what == 4) view->update();
    if (what == 5) {
      view.reset();
      view = std::make_unique<IncrementalView>(edits.collaborators(), spec);
      view->update();
    }
    if (!view->progress().is_open) continue;
    ASSERT_EQ(edits.rows("FROM gold.hops"), edits.rows(expected)) << "step " << step;
  }
  EXPECT_EQ(view->progress().rebuilds, 0);
}

TEST(HoppingWindowTest, AChangedRowLeavesAllItsWindows) {
  Orders orders;
  orders.set_regions("('de', 'north'), ('fr', 'west'), ('it', 'south')");
  const ViewSpec spec = {
      "hops",
      {"gold", "hops"},
      "SELECT hop_start(o.ts, INTERVAL 1 HOUR, INTERVAL 3 HOUR) AS w, r.region, count(*) AS n, "
      "sum(o.amount) AS total, count(DISTINCT o.amount) AS amounts, median(o.price) AS middle, "
      "max(o.amount) AS high FROM silver.orders AS o LEFT JOIN silver.regions AS r USING (country) "
      "GROUP BY hop(o.ts, INTERVAL 1 HOUR, INTERVAL 3 HOUR), r.region"};
  const std::string expected = by_looking(
      "w, region, count(*) AS n, sum(amount)::BIGINT AS total, count(DISTINCT amount) AS amounts, "
      "median(price::DOUBLE) AS middle, max(amount) AS high",
      "(FROM silver.orders LEFT JOIN silver.regions USING (country))", "1 hour", "3 hours",
      kOrderDays);
  IncrementalView view(orders.collaborators(), spec);
  SeededRandom random(12);
  orders.change(100, 80, random);
  orders.commit();
  view.update();
  for (int step = 0; step < (kIsSanitized ? 6 : 20); ++step) {
    orders.change(1 + static_cast<int>(random.next() % 30), 80, random);
    EXPECT_EQ(orders.rows("FROM gold.hops"), orders.rows(expected)) << "hot, step " << step;
    orders.commit();
    if (step % 5 == 3) orders.delete_outside(random);
    EXPECT_EQ(orders.rows("FROM gold.hops"), orders.rows(expected)) << "step " << step;
    view.update();
    ASSERT_EQ(orders.rows("FROM gold.hops"), orders.rows(expected)) << "updated, step " << step;
  }
  EXPECT_EQ(view.progress().rebuilds, 0);
}

class WindowQueryTest : public testing::Test {
 protected:
  WindowQueryTest() {
    connection_->execute(
        "CREATE SCHEMA silver; CREATE TABLE silver.edits AS SELECT * FROM (VALUES (TIMESTAMP "
        "'2026-01-07 00:10:00', DATE '2026-01-07', TIMESTAMPTZ '2026-01-07 00:10:00+00', 'de', 1), "
        "(NULL, NULL, NULL, 'fr', 2)) v(ts, day, tz, country, amount)");
  }
  std::vector<std::vector<std::optional<std::string>>> rows(const std::string& sql) {
    ViewQuery query = ViewQuery::parse(*connection_, sql, SourceKind::kAppended);
    query.bind(*connection_, "silver.edits");
    return connection_->query_rows(format("SELECT * FROM ({}) ORDER BY ALL", query.plain_sql()));
  }
  std::string message_of(const std::string& sql) {
    try {
      rows(sql);
    } catch (const Error& error) {
      EXPECT_TRUE(error.kind() == ErrorKind::kInvalid || error.kind() == ErrorKind::kUnsupported);
      return error.message();
    }
    return "nothing was thrown";
  }

  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_ = [this] {
    auto connection = database_.connect();
    connection->execute("SET TimeZone = 'UTC'");
    return connection;
  }();
};

using Rows = std::vector<std::vector<std::optional<std::string>>>;

TEST_F(WindowQueryTest, TumblesLikeTimeBucket) {
  EXPECT_EQ(rows("SELECT tumble(ts, INTERVAL 7 DAYS) AS w, tumble_end(ts, INTERVAL 7 DAYS) AS e, "
                 "count(*) AS n FROM silver.edits WHERE ts IS NOT NULL GROUP BY ALL"),
            (Rows{{"2026-01-05 00:00:00", "2026-01-12 00:00:00", "1"}}));
}

TEST_F(WindowQueryTest, ARowWithoutATimeIsThereOnce) {
  EXPECT_EQ(
      rows("SELECT hop(ts, INTERVAL 1 HOUR, INTERVAL 2 HOUR) AS w, sum(amount) AS total FROM "
           "silver.edits GROUP BY 1"),
      (Rows{{"2026-01-06 23:00:00", "1"}, {"2026-01-07 00:00:00", "1"}, {std::nullopt, "2"}}));
}

TEST_F(WindowQueryTest, TakesDaysAndTimesWithZone) {
  const auto hops = [&](const std::string& time) {
    return rows(
        format("SELECT hop({0}, INTERVAL 1 DAY, INTERVAL 2 DAYS) AS w, hop_end({0}, INTERVAL 1 "
               "DAY, INTERVAL 2 DAYS) AS e, count(*) AS n FROM silver.edits WHERE ts IS NOT NULL "
               "GROUP BY ALL",
               time));
  };
  EXPECT_EQ(hops("day"), (Rows{{"2026-01-06 00:00:00", "2026-01-08 00:00:00", "1"},
                               {"2026-01-07 00:00:00", "2026-01-09 00:00:00", "1"}}));
  EXPECT_EQ(hops("tz"), (Rows{{"2026-01-06 00:00:00+00", "2026-01-08 00:00:00+00", "1"},
                              {"2026-01-07 00:00:00+00", "2026-01-09 00:00:00+00", "1"}}));
}

TEST_F(WindowQueryTest, TheEndAloneIsEnough) {
  EXPECT_EQ(rows("SELECT hop_end(ts, INTERVAL 1 HOUR, INTERVAL 1 HOUR) AS e, count(*) AS n FROM "
                 "silver.edits WHERE ts IS NOT NULL GROUP BY 1"),
            (Rows{{"2026-01-07 01:00:00", "1"}}));
}

TEST_F(WindowQueryTest, ChecksWithoutTablesInWordsOfTheEngine) {
  const std::string sql =
      engine_sql(*connection_,
                 "SELECT hop(ts, INTERVAL 1 HOUR, INTERVAL 2 HOUR) AS w, count(*) AS n FROM "
                 "silver.edits GROUP BY 1");
  EXPECT_EQ(connection_->describe(sql).size(), 2U);
  EXPECT_EQ(engine_sql(*connection_, "SELECT count(*) AS n FROM silver.edits"),
            "SELECT count(*) AS n FROM silver.edits");
}

TEST_F(WindowQueryTest, SaysWhatIsWrongWithAWindow) {
  const auto grouped = [&](const std::string& window) {
    return message_of("SELECT " + window + " AS w, count(*) AS n\nFROM silver.edits GROUP BY 1");
  };
  EXPECT_THAT(grouped("hop(ts, INTERVAL 1 HOUR)"), HasSubstr("line 1: hop(ts, INTERVAL 1 HOUR): "));
  EXPECT_THAT(grouped("hop(ts, INTERVAL 1 HOUR)"),
              HasSubstr("this is written as hop(time, slide, size), with 3 arguments"));
  EXPECT_THAT(grouped("hop(ts, INTERVAL 1 HOUR, INTERVAL 10 MINUTE)"),
              HasSubstr("the size, 00:10:00, must be a whole number of slides of 01:00:00; the "
                        "order is hop(time, slide, size)"));
  EXPECT_THAT(grouped("hop(ts, INTERVAL 1 SECOND, INTERVAL 1 DAY)"),
              HasSubstr("in 86400 windows; at most 1000"));
  EXPECT_THAT(grouped("hop(ts, INTERVAL 1 MONTH, INTERVAL 2 MONTHS)"),
              HasSubstr("months and years differ in length"));
  EXPECT_THAT(grouped("tumble(ts, amount)"), HasSubstr("amount is no fixed interval"));
  EXPECT_THAT(grouped("tumble(ts, 'often')"), HasSubstr("'often' is no fixed interval"));
  EXPECT_THAT(grouped("tumble(ts, INTERVAL 0 HOURS)"), HasSubstr("must be more than nothing"));
  EXPECT_THAT(grouped("tumble(country, INTERVAL 1 HOUR)"),
              HasSubstr("line 1: tumble(country, INTERVAL 1 HOUR): a window is one of time, and "
                        "country is VARCHAR"));
  EXPECT_THAT(message_of("SELECT country, max(hop_end(ts, INTERVAL 1 HOUR, INTERVAL 2 HOUR)) AS m "
                         "FROM silver.edits GROUP BY 1"),
              HasSubstr("must stand in GROUP BY"));
  EXPECT_THAT(message_of("SELECT count(*) AS n FROM silver.edits\nWHERE tumble(ts, INTERVAL 1 "
                         "HOUR) > TIMESTAMP '2026-01-01'"),
              HasSubstr("cannot stand in WHERE"));
  EXPECT_THAT(message_of("SELECT tumble(ts, INTERVAL 1 HOUR) AS a, tumble(ts, INTERVAL 2 HOUR) AS "
                         "b, count(*) AS n FROM silver.edits GROUP BY ALL"),
              HasSubstr("a view has one window"));
  EXPECT_THAT(message_of("SELECT tumble(ts, INTERVAL 1 HOUR), count(*) AS n FROM silver.edits "
                         "GROUP BY ALL"),
              HasSubstr("AS window_start"));
}

}  // namespace
}  // namespace headrace::views
