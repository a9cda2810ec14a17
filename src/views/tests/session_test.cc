// Views of sessions: they merge when a row comes between them, and split when one goes; each answer
// beside one made by walking over all rows.

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/environment.h"
#include "views/testing/edits.h"
#include "views/testing/orders.h"

namespace headrace::views {
namespace {

using testing::HasSubstr;
using Rows = std::vector<std::vector<std::optional<std::string>>>;

constexpr const char* kColumns =
    "session(ts, INTERVAL 10 MINUTE) AS s, session_end(ts, INTERVAL 10 MINUTE) AS e, country, "
    "count(*) AS n, sum(amount) AS total, max(amount) AS high, count(DISTINCT amount) AS amounts";

ViewSpec sessions_of(const std::string& table, const std::string& rest = "GROUP BY ALL") {
  return {"sessions", {"gold", "sessions"}, format("SELECT {} FROM {} {}", kColumns, table, rest)};
}

// What kColumns give, in the same order and form.
template <class Lake>
Rows by_walking(Lake& lake, const std::string& table) {
  constexpr int64_t kGapUs = 600'000'000;
  std::map<std::string, std::vector<std::pair<int64_t, std::optional<int64_t>>>> events;
  for (const auto& row : lake.rows(format(
           "SELECT coalesce(country, '?'), epoch_us(ts), amount FROM {} WHERE ts IS NOT NULL",
           table))) {
    std::optional<int64_t> amount;
    if (row[2]) amount = std::stoll(*row[2]);
    events[*row[0]].emplace_back(std::stoll(*row[1]), amount);
  }
  std::string values;
  for (auto& [country, list] : events) {
    std::sort(list.begin(), list.end());
    for (size_t i = 0; i < list.size();) {
      size_t end = i + 1;
      while (end < list.size() && list[end].first - list[end - 1].first <= kGapUs) ++end;
      int64_t total = 0;
      std::set<int64_t> amounts;
      for (size_t k = i; k < end; ++k) {
        if (!list[k].second) continue;
        total += *list[k].second;
        amounts.insert(*list[k].second);
      }
      const bool is_empty = amounts.empty();
      values +=
          format("{}(make_timestamp({}), make_timestamp({}), nullif('{}', '?'), {}, {}, {}, {})",
                 values.empty() ? "" : ", ", list[i].first, list[end - 1].first + kGapUs, country,
                 end - i, is_empty ? "NULL" : format("{}", total),
                 is_empty ? "NULL" : format("{}", *amounts.rbegin()), amounts.size());
      i = end;
    }
  }
  if (values.empty()) return {};
  return lake.rows(format("SELECT * FROM (VALUES {}) v", values));
}

TEST(SessionTest, MergeWhenARowComesBetween) {
  Edits edits;
  const ViewSpec spec = sessions_of("silver.edits");
  IncrementalView view(edits.collaborators(), spec);
  const auto insert = [&](const std::string& times) {
    edits.insert_rows(format("SELECT TIMESTAMP '2026-01-01' + to_minutes(m), 'de', m FROM (SELECT "
                             "unnest([{}]) AS m)",
                             times),
                      1);
  };
  insert("0, 5, 25, 30");
  edits.commit();
  view.update();
  EXPECT_EQ(edits.rows("SELECT s, e, n FROM gold.sessions"),
            (Rows{{"2026-01-01 00:00:00", "2026-01-01 00:15:00", "2"},
                  {"2026-01-01 00:25:00", "2026-01-01 00:40:00", "2"}}));
  insert("15");  // late, and one gap from both
  EXPECT_EQ(edits.rows("SELECT s, e, n FROM gold.sessions"),
            (Rows{{"2026-01-01 00:00:00", "2026-01-01 00:40:00", "5"}}));
  edits.commit();
  view.update();
  EXPECT_EQ(edits.rows("SELECT s, e, n FROM gold.sessions"),
            (Rows{{"2026-01-01 00:00:00", "2026-01-01 00:40:00", "5"}}));
  EXPECT_EQ(view.progress().rows, 1);
  EXPECT_EQ(view.progress().rebuilds, 0);
}

TEST(SessionTest, RowsWithoutATimeAreOneSession) {
  Edits edits;
  edits.insert_rows(
      "SELECT NULL::TIMESTAMP, 'de', 1 UNION ALL SELECT TIMESTAMP 'infinity', 'de', 2", 2);
  edits.insert(5, 0);
  edits.commit();
  IncrementalView view(edits.collaborators(), sessions_of("silver.edits"));
  view.update();
  edits.insert_rows("SELECT NULL::TIMESTAMP, 'de', 3", 1);
  const std::string query = "SELECT n, total, high FROM gold.sessions WHERE s IS NULL";
  EXPECT_EQ(edits.rows(query), (Rows{{"3", "6", "3"}}));
  edits.commit();
  view.update();
  EXPECT_EQ(edits.rows(query), (Rows{{"3", "6", "3"}}));
}

// HEADRACE_SEED repeats a run, HEADRACE_STEPS makes it longer.
TEST(SessionTest, AreThoseOfAllRowsAfterEveryStep) {
  Edits edits;
  SeededRandom random(number_from_environment("HEADRACE_SEED", 20261128));
  const ViewSpec spec = sessions_of("silver.edits");
  auto view = std::make_unique<IncrementalView>(edits.collaborators(), spec);
  view->update();
  const int64_t steps = number_from_environment("HEADRACE_STEPS", kIsSanitized ? 20 : 40);
  for (int64_t step = 0; step < steps; ++step) {
    const uint64_t what = random.next() % 8;
    if (what < 3) edits.insert(static_cast<int>(random.next() % 12), static_cast<int>(step));
    if (what == 3) edits.insert(3, static_cast<int>(random.next() % 40));
    if (what == 4 || what == 5) edits.commit();
    if (what == 6) {
      view.reset();
      view = std::make_unique<IncrementalView>(edits.collaborators(), spec);
    }
    if (what >= 6) view->update();
    ASSERT_EQ(edits.rows("FROM gold.sessions"), by_walking(edits, "silver.edits"))
        << "step " << step << ", action " << what;
  }
  EXPECT_EQ(view->progress().rebuilds, 0);
}

TEST(SessionTest, SplitWhenARowIsTakenBack) {
  Orders orders;
  SeededRandom random(number_from_environment("HEADRACE_SEED", 20261129));
  const ViewSpec spec = sessions_of("silver.orders");
  auto view = std::make_unique<IncrementalView>(orders.collaborators(), spec);
  const ViewSpec upper = {"upper",
                          {"gold", "upper"},
                          "SELECT country, count(*) AS sessions, max(n) AS most FROM gold.sessions "
                          "GROUP BY ALL"};
  auto above = std::make_unique<IncrementalView>(orders.collaborators(), upper);
  view->update();
  above->update();
  const int64_t steps = number_from_environment("HEADRACE_STEPS", kIsSanitized ? 20 : 40);
  for (int64_t step = 0; step < steps; ++step) {
    const uint64_t what = random.next() % 14;
    if (what < 5) orders.change(1 + static_cast<int>(random.next() % 15), 80, random);
    if (what == 5 || what == 6) orders.commit();
    if (what == 7) orders.delete_outside(random);
    if (what == 8) orders.compact();
    if (what == 9) orders.restart();
    if (what == 10) {
      above.reset();
      view = std::make_unique<IncrementalView>(orders.collaborators(), spec);
      view->update();
      above = std::make_unique<IncrementalView>(orders.collaborators(), upper);
      above->update();
    }
    if (what >= 10) view->update();
    if (what >= 12) above->update();
    ASSERT_EQ(orders.rows("FROM gold.sessions"), by_walking(orders, "silver.orders"))
        << "step " << step << ", action " << what;
    ASSERT_EQ(orders.rows("FROM gold.upper"), orders.rows(upper.sql))
        << "step " << step << ", action " << what;
  }
  EXPECT_EQ(view->progress().rebuilds, 0);
}

// `r` and `i` are names that the SQL of sessions might take for itself.
TEST(SessionTest, AreMadeOfJoinedRows) {
  Orders orders;
  orders.set_regions("('de', 'north'), ('fr', 'west')");
  SeededRandom random(number_from_environment("HEADRACE_SEED", 20261204));
  const auto over = [](const std::string& name, const std::string& from, const std::string& country,
                       const std::string& table) {
    return ViewSpec{
        name,
        {"gold", name},
        format("SELECT session({0}ts, INTERVAL 10 MINUTE) AS s, session_end({0}ts, INTERVAL 10 "
               "MINUTE) AS e, {1} AS country, count(*) AS n, sum(amount) AS total, max({0}amount) "
               "AS high, count(DISTINCT amount) AS amounts FROM {2} GROUP BY ALL",
               table, country, from)};
  };
  const std::vector<ViewSpec> specs = {
      over("regions",
           "silver.orders AS i LEFT JOIN silver.regions AS r ON i.country = r.country WHERE "
           "r.region IS DISTINCT FROM 'nowhere'",
           "r.region", "i."),
      over("countries", "silver.orders JOIN silver.regions USING (country)", "country", ""),
      over("named", "silver.orders JOIN silver.regions ON orders.country = regions.country",
           "silver.regions.region", "orders.")};
  const std::vector<std::string> relations = {
      "(SELECT o.ts, r.region AS country, o.amount FROM silver.orders o LEFT JOIN silver.regions r "
      "ON o.country = r.country WHERE r.region IS DISTINCT FROM 'nowhere')",
      "(SELECT ts, country, amount FROM silver.orders JOIN silver.regions USING (country))",
      "(SELECT o.ts, r.region AS country, o.amount FROM silver.orders o JOIN silver.regions r ON "
      "o.country = r.country)"};
  std::vector<std::unique_ptr<IncrementalView>> views(specs.size());
  const auto make_views = [&] {
    for (size_t i = 0; i < specs.size(); ++i) {
      views[i].reset();
      views[i] = std::make_unique<IncrementalView>(orders.collaborators(), specs[i]);
      views[i]->update();
    }
  };
  make_views();
  const int64_t steps = number_from_environment("HEADRACE_STEPS", kIsSanitized ? 20 : 40);
  for (int64_t step = 0; step < steps; ++step) {
    const uint64_t what = random.next() % 12;
    if (what < 5) orders.change(1 + static_cast<int>(random.next() % 15), 80, random);
    if (what == 5 || what == 6) orders.commit();
    if (what == 7) orders.delete_outside(random);
    if (what == 8) {
      orders.set_regions(step % 2 == 0 ? "('de', 'north'), ('it', 'south'), ('it', 'islands')"
                                       : "('de', 'nowhere'), ('fr', 'west'), ('es', 'west')");
    }
    if (what == 9) make_views();
    if (what > 9) {
      for (const auto& view : views) view->update();
    }
    for (size_t i = 0; i < specs.size(); ++i) {
      ASSERT_EQ(orders.rows("FROM " + specs[i].table.to_string()), by_walking(orders, relations[i]))
          << specs[i].name << ", step " << step << ", action " << what;
    }
  }
}

TEST(SessionTest, FilesOfOtherTimesStay) {
  Edits edits;
  ViewSpec spec = sessions_of("silver.edits");
  spec.partition_by = {"day(s)"};
  IncrementalView view(edits.collaborators(), spec);
  for (int day = 0; day < 4; ++day) {
    edits.insert(30, day * 24);
    edits.commit();
    view.update();
  }
  const auto paths = [&] {
    return lake::paths_of(edits.catalog().files(*edits.catalog().load({"gold", "sessions"})));
  };
  const std::vector<std::string> before = paths();
  ASSERT_EQ(before.size(), 4U);
  edits.insert(5, 24);
  edits.commit();
  view.update();
  const std::vector<std::string> after = paths();
  EXPECT_EQ(std::count_if(before.begin(), before.end(),
                          [&](const std::string& path) {
                            return std::find(after.begin(), after.end(), path) != after.end();
                          }),
            3);
  EXPECT_EQ(edits.rows("FROM gold.sessions"), by_walking(edits, "silver.edits"));
}

TEST(SessionTest, SayWhatCannotBe) {
  Edits edits;
  const auto refused = [&](const ViewSpec& spec) -> std::string {
    try {
      IncrementalView(edits.collaborators(), spec).check();
    } catch (const Error& error) {
      return error.message();
    }
    return "nothing was thrown";
  };
  ViewSpec spec = sessions_of("silver.edits");
  spec.sql =
      "SELECT session(ts, INTERVAL 1 MONTH) AS s, count(*) AS n FROM silver.edits GROUP BY 1";
  EXPECT_THAT(refused(spec), HasSubstr("the gap of sessions is at most 366 days"));
  spec.sql = "SELECT country, max(session(ts, INTERVAL 1 HOUR)) AS s FROM silver.edits GROUP BY 1";
  EXPECT_THAT(refused(spec), HasSubstr("must stand in GROUP BY, too"));
  spec.sql =
      "SELECT session(country, INTERVAL 1 HOUR) AS s, count(*) AS n FROM silver.edits GROUP BY 1";
  EXPECT_THAT(refused(spec), HasSubstr("a window is one of time, and country is VARCHAR"));
}

TEST(SessionTest, SayWhatCannotBeNamed) {
  Orders orders;
  orders.set_regions("('de', 'north')");
  const auto refused = [&](const std::string& selected, const std::string& alias) -> std::string {
    const ViewSpec spec = {
        "s",
        {"gold", "s"},
        format("SELECT session(o.ts, INTERVAL 1 HOUR) AS s, {} FROM silver.orders AS o JOIN "
               "silver.regions AS {} ON o.country = {}.country GROUP BY ALL",
               selected, alias, alias)};
    try {
      IncrementalView(orders.collaborators(), spec).check();
    } catch (const Error& error) {
      return error.message();
    }
    return "nothing was thrown";
  };
  EXPECT_THAT(refused("count(*) AS n, country AS c", "r"), HasSubstr("Ambiguous reference"));
  EXPECT_THAT(refused("count(*) AS n, max(price.region) AS m", "price"),
              HasSubstr("price is the name of a table and of a column here"));
  EXPECT_THAT(refused("count(DISTINCT r) AS n", "r"),
              HasSubstr("r: name the column of this table that is meant"));
  EXPECT_EQ(refused("count(DISTINCT R.Region) AS n, max(r.REGION) AS m", "r"),
            "nothing was thrown");
}

}  // namespace
}  // namespace headrace::views
