#include "views/incremental_view.h"

#include <algorithm>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/environment.h"
#include "base/testing/faulty_file_system.h"
#include "lake/testing/error_kind.h"
#include "views/affected_files.h"
#include "views/testing/edits.h"

namespace headrace::views {
namespace {

using testing::HasSubstr;
using Rows = std::vector<std::vector<std::optional<std::string>>>;

constexpr const char* kPerHour =
    "SELECT date_trunc('hour', ts) AS hour, country, count(*) AS n, sum(amount) AS total, "
    "min(amount) AS low, max(amount) AS high, avg(amount) AS mean, count_if(amount > 50) AS big "
    "FROM silver.edits WHERE amount <> 13 GROUP BY ALL";

ViewSpec per_hour() { return {"per_hour", {"gold", "per_hour"}, kPerHour}; }

class IncrementalViewTest : public testing::Test {
 protected:
  // What SQL shows, and what the whole query over the source gives.
  void expect_right(const std::string& when, const ViewSpec& spec = per_hour()) {
    EXPECT_EQ(edits_.rows("SELECT * FROM " + spec.table.to_string()), edits_.rows(spec.sql))
        << when;
  }

  std::unique_ptr<IncrementalView> make_view(const ViewSpec& spec = per_hour()) {
    return std::make_unique<IncrementalView>(edits_.collaborators(), spec);
  }

  size_t stored_files(const std::string& table = "per_hour") {
    return edits_.catalog().files(*edits_.catalog().load({"gold", table})).size();
  }

  Edits edits_;
};

TEST_F(IncrementalViewTest, ShowsWhatIsCommittedAndWhatIsHot) {
  auto view = make_view();
  EXPECT_FALSE(view->update());
  expect_right("with nothing there");
  edits_.insert(100, 0);
  expect_right("with hot rows alone");
  edits_.commit();
  expect_right("committed but not taken in");
  EXPECT_TRUE(view->update());
  expect_right("taken in");
  EXPECT_FALSE(view->update());
  edits_.insert(50, 1);
  expect_right("stored and hot");
  EXPECT_EQ(view->progress().updates, 1);
  EXPECT_EQ(view->progress().rebuilds, 0);
}

TEST_F(IncrementalViewTest, AnAverageKeepsItsPartsInHiddenColumns) {
  edits_.insert(10, 0);
  edits_.commit();
  auto view = make_view();
  view->update();
  const auto table = edits_.catalog().load({"gold", "per_hour"});
  EXPECT_NE(table->metadata.current_schema().find("__sum_mean"), nullptr);
  EXPECT_EQ(edits_.rows("SELECT * FROM (DESCRIBE gold.per_hour) WHERE column_name ^@ '__'"),
            Rows{});
  view.reset();
  EXPECT_EQ(edits_.rows("SELECT hour, country, n, total, low, high, mean, big FROM gold.per_hour"),
            edits_.rows(kPerHour));
}

// Any order of arrivals, commits, updates and restarts.
TEST_F(IncrementalViewTest, IsRightAfterEveryStep) {
  ViewSpec by_day = {"by_day",
                     {"gold", "by_day"},
                     "SELECT date_trunc('hour', ts) AS hour, count(*) AS n, max(amount) AS high "
                     "FROM silver.edits GROUP BY 1",
                     {"day(hour)"}};
  ViewSpec overall = {"overall",
                      {"gold", "overall"},
                      "SELECT count(*) AS n, sum(amount) AS total FROM silver.edits"};
  std::vector<std::unique_ptr<IncrementalView>> views;
  const auto restart = [&] {
    views.clear();
    for (const ViewSpec& spec : {per_hour(), by_day, overall}) views.push_back(make_view(spec));
  };
  restart();
  SeededRandom random(7);
  for (int step = 0; step < (kIsSanitized ? 20 : 60); ++step) {
    const uint64_t what = random.next() % 10;
    if (what < 4) {
      edits_.insert(static_cast<int>(random.next() % 200), step);
    } else if (what < 5) {
      edits_.insert(20, static_cast<int>(random.next() % 60));  // late ones
    } else if (what < 7) {
      edits_.commit();
    } else if (what < 9) {
      for (const auto& view : views) view->update();
    } else {
      restart();
      for (const auto& view : views) view->update();
    }
    for (const auto& view : views) {
      if (!view->progress().is_open) continue;
      expect_right(format("view {} at step {}", view->spec().name, step), view->spec());
    }
  }
  for (const auto& view : views) EXPECT_EQ(view->progress().rebuilds, 0);
}

TEST_F(IncrementalViewTest, LeavesFilesAloneThatHoldNoGroupOfTheChange) {
  ViewSpec spec = per_hour();
  spec.partition_by = {"day(hour)"};
  auto view = make_view(spec);
  for (int day = 0; day < 4; ++day) {
    edits_.insert(50, day * 24);
    edits_.commit();
    view->update();
  }
  const auto before =
      lake::paths_of(edits_.catalog().files(*edits_.catalog().load({"gold", "per_hour"})));
  ASSERT_EQ(before.size(), 4U);
  edits_.insert(50, 24);  // late, into the second day
  edits_.commit();
  view->update();
  const auto after =
      lake::paths_of(edits_.catalog().files(*edits_.catalog().load({"gold", "per_hour"})));
  std::vector<std::string> kept;
  std::set_intersection(before.begin(), before.end(), after.begin(), after.end(),
                        std::back_inserter(kept));
  EXPECT_EQ(kept.size(), 3U);
  expect_right("after a late day");
}

TEST_F(IncrementalViewTest, ManyGroupsThatDoNotChangeAreNotWrittenAgainAndAgain) {
  const ViewSpec spec = {"by_user",
                         {"gold", "by_user"},
                         "SELECT ts, amount, count(*) AS n FROM silver.edits GROUP BY 1, 2"};
  auto view = make_view(spec);
  edits_.insert_distinct(30'000, 0);
  edits_.commit();
  view->update();
  for (int round = 0; round < 3; ++round) {
    edits_.insert_distinct(10, 29'995 + 5 * round);
    edits_.commit();
    view->update();
  }
  EXPECT_EQ(stored_files("by_user"), 2U);
  expect_right("in two files", spec);
}

TEST_F(IncrementalViewTest, SmallFilesDoNotPileUp) {
  auto view = make_view();
  for (int round = 0; round < (kIsSanitized ? 10 : 25); ++round) {
    edits_.insert(20, 100 * round);
    edits_.commit();
    view->update();
    ASSERT_LE(stored_files(), kMaxSmallFiles + 2);
  }
  expect_right("after many windows");
}

TEST_F(IncrementalViewTest, IsBuiltAnewWhenItsQueryHasChanged) {
  edits_.insert(100, 0);
  edits_.commit();
  make_view()->update();
  ViewSpec changed = per_hour();
  changed.sql.replace(changed.sql.find("<> 13"), 5, "< 40");
  auto view = make_view(changed);
  EXPECT_TRUE(view->update());
  expect_right("with another condition", changed);
  EXPECT_EQ(view->progress().rebuilds, 1);
  EXPECT_FALSE(view->update());
}

TEST_F(IncrementalViewTest, IsBuiltAnewWhenItsPositionHasExpired) {
  auto view = make_view();
  edits_.insert(10, 0);
  edits_.commit();
  view->update();
  for (int i = 0; i < Edits::kMaxSnapshots + 2; ++i) {
    edits_.insert(5, i);
    edits_.commit();
    expect_right(format("after commit {}", i));
  }
  EXPECT_TRUE(view->update());
  EXPECT_EQ(view->progress().rebuilds, 1);
  expect_right("built anew");
}

TEST_F(IncrementalViewTest, GroupsAreMadeAgainWhenRowsOfTheirsWereDeleted) {
  ViewSpec spec = per_hour();
  spec.partition_by = {"day(hour)"};
  auto view = make_view(spec);
  for (int day = 0; day < 3; ++day) {
    edits_.insert(30, 24 * day);
    edits_.commit();
    view->update();
  }
  const auto paths = [&] {
    return lake::paths_of(edits_.catalog().files(*edits_.catalog().load({"gold", "per_hour"})));
  };
  const std::vector<std::string> before = paths();
  ASSERT_EQ(before.size(), 3U);
  edits_.remove_file_outside();
  expect_right("seen at once");
  EXPECT_TRUE(view->update());
  EXPECT_EQ(view->progress().rebuilds, 0);
  expect_right("without the rows");
  const std::vector<std::string> after = paths();
  EXPECT_EQ(std::count_if(before.begin(), before.end(),
                          [&](const std::string& path) {
                            return std::find(after.begin(), after.end(), path) != after.end();
                          }),
            2);
  EXPECT_TRUE(edits_.catalog()
                  .load({"gold", "per_hour"})
                  ->metadata.current_snapshot()
                  ->summary.contains("headrace.regrouped"));
}

// Least and greatest values, also of hopping windows and of all rows, while others delete.
TEST_F(IncrementalViewTest, IsRightWhateverOthersDelete) {
  const ViewSpec hops = {
      "hops",
      {"gold", "hops"},
      "SELECT hop(ts, INTERVAL 1 HOUR, INTERVAL 3 HOURS) AS w, max(amount, 3) AS "
      "best, arg_max(country, {'t': ts, 'a': amount}) AS newest, sum(amount) AS "
      "total FROM silver.edits WHERE country IS NOT NULL GROUP BY ALL"};
  const ViewSpec overall = {"overall",
                            {"gold", "overall"},
                            "SELECT min(amount) AS low, max(ts) AS newest, count(*) AS n FROM "
                            "silver.edits"};
  // The same words over all rows, each once for each of its windows.
  const std::string hops_by_looking =
      "SELECT w, max(amount, 3) AS best, arg_max(country, {'t': ts, 'a': amount}) AS newest, "
      "sum(amount)::BIGINT AS total FROM (SELECT unnest(generate_series(TIMESTAMP '2015-09-11', "
      "TIMESTAMP '2015-09-18', INTERVAL 1 HOUR)) AS w) JOIN silver.edits ON ts >= w AND ts < w + "
      "INTERVAL 3 HOURS WHERE country IS NOT NULL GROUP BY ALL";
  std::vector<std::unique_ptr<IncrementalView>> views;
  for (const ViewSpec& spec : {per_hour(), hops, overall}) views.push_back(make_view(spec));
  SeededRandom random(8);
  edits_.insert(100, 0);
  edits_.commit();
  for (const auto& view : views) view->update();
  for (int step = 0; step < (kIsSanitized ? 15 : 40); ++step) {
    const uint64_t what = random.next() % 9;
    if (what < 2) edits_.insert(static_cast<int>(random.next() % 60), step);
    if (what < 4) edits_.commit();
    if (what == 4 || what == 5) edits_.delete_outside(random);
    if (what == 6) edits_.remove_file_outside();
    // Often enough that no position expires.
    const bool is_time = step % 5 == 4;
    if (what > 6 || is_time) {
      for (const auto& view : views) {
        if (is_time || random.next() % 3 != 0) view->update();
      }
    }
    const std::string when = format("step {}, action {}", step, what);
    expect_right(when);
    expect_right(when, overall);
    ASSERT_EQ(edits_.rows("FROM gold.hops"), edits_.rows(hops_by_looking)) << when;
    ASSERT_FALSE(HasFailure());
  }
  for (const auto& view : views) EXPECT_EQ(view->progress().rebuilds, 0) << view->spec().name;
}

TEST_F(IncrementalViewTest, RefusesATableOfOtherColumns) {
  edits_.insert(10, 0);
  edits_.commit();
  make_view()->update();
  ViewSpec other = per_hour();
  other.sql = "SELECT country, count(*) AS n FROM silver.edits GROUP BY 1";
  auto view = make_view(other);
  try {
    view->check();
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(),
                HasSubstr("drop this one with 'headrace tables drop gold.per_hour'"));
  }
  EXPECT_EQ(lake::kind_thrown_by([&] { view->update(); }), ErrorKind::kInvalid);
}

TEST_F(IncrementalViewTest, RefusesATableThatNoViewWrote) {
  edits_.insert(10, 0);
  edits_.commit();
  const ViewSpec spec = {
      "copy", {"silver", "other"}, "SELECT country, count(*) AS n FROM silver.edits GROUP BY 1"};
  lake::CreateTable request;
  request.identifier = spec.table;
  request.schema = lake::make_schema({{"country", "VARCHAR"}, {"n", "BIGINT"}});
  lake::TableChange change;
  change.base = edits_.catalog().create(request);
  change.summary = {{"someone", "else"}};
  edits_.catalog().commit({change});
  auto view = make_view(spec);
  EXPECT_EQ(lake::kind_thrown_by([&] { view->update(); }), ErrorKind::kInvalid);
}

TEST_F(IncrementalViewTest, WaitsForASourceThatIsNotThere) {
  ViewSpec spec = per_hour();
  spec.sql = "SELECT count(*) AS n FROM silver.nothing";
  auto view = make_view(spec);
  view->check();
  EXPECT_EQ(lake::kind_thrown_by([&] { view->update(); }), ErrorKind::kNotFound);
}

TEST_F(IncrementalViewTest, MakesItsTableAgainWhenItWasDropped) {
  edits_.insert(30, 0);
  edits_.commit();
  auto view = make_view();
  view->update();
  edits_.catalog().drop(per_hour().table, true);
  EXPECT_TRUE(view->update());
  expect_right("in a new table");
}

// Two that keep the same table, as after a failover: the guard lets one of them through.
TEST_F(IncrementalViewTest, ASecondWriterDoublesNothing) {
  auto one = make_view();
  auto other = make_view();
  for (int round = 0; round < 4; ++round) {
    edits_.insert(30, round);
    edits_.commit();
    (round % 2 == 0 ? one : other)->update();
    (round % 2 == 0 ? other : one)->update();
    expect_right(format("round {}", round));
  }
}

// The n-th operation on files fails, for every n, for one update and the next ones.
TEST_F(IncrementalViewTest, AFaultAnywhereLosesAndDoublesNothing) {
  int fail_at = 1;
  for (bool is_done = false; !is_done; fail_at += kFaultStep) {
    ASSERT_LT(fail_at, 500);
    Edits edits;
    edits.insert(40, 0);
    edits.commit();
    FaultyFileSystem files(edits.files(), fail_at);
    const auto catalog = edits.open_catalog(files);
    IncrementalView::Collaborators collaborators = edits.collaborators();
    IncrementalView view(
        {collaborators.database, *catalog, collaborators.tables, files, collaborators.random},
        per_hour());
    for (int round = 0; round < 2; ++round) {
      try_update(view);
      edits.insert(40, round);
      edits.commit();
    }
    // It fails once at most.
    if (!try_update(view)) view.update();
    is_done = !files.failed();
    EXPECT_EQ(edits.rows("FROM gold.per_hour"), edits.rows(kPerHour)) << "fault " << fail_at;
    EXPECT_EQ(edits.rows("SELECT sum(n)::BIGINT FROM gold.per_hour"),
              edits.rows("SELECT count(*) FROM silver.edits WHERE amount <> 13"));
    EXPECT_EQ(view.progress().rebuilds, 0) << "fault " << fail_at;
  }
  EXPECT_GT(fail_at, 20);
}

}  // namespace
}  // namespace headrace::views
