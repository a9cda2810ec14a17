// Sessions with a watermark, emitted on change and on close: late rows are left out and counted,
// and closed sessions stay as they are. Each answer beside one made by walking over all rows.

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/environment.h"
#include "base/testing/faulty_file_system.h"
#include "views/testing/edits.h"
#include "views/testing/orders.h"
#include "views/testing/session_model.h"

namespace headrace::views {
namespace {

using namespace std::chrono_literals;

ViewSpec closing_sessions(const std::string& table, milliseconds behind, Emit emit) {
  ViewSpec spec = {
      "closing",
      {"gold", "closing"},
      format("SELECT session(ts, INTERVAL 10 MINUTE) AS s, session_end(ts, INTERVAL 10 MINUTE) AS "
             "e, country, count(*) AS n, sum(amount) AS total FROM {} GROUP BY ALL",
             table)};
  spec.closing = {behind / 3, behind - behind / 3, emit};
  return spec;
}

template <class Lake>
SessionModel model_of(Lake& lake, const ViewSpec& spec) {
  const milliseconds behind = *spec.closing.watermark + spec.closing.allowed_lateness;
  return {lake.database(), lake.catalog(), Lake::table(),
          600'000'000,     behind / 1us,   spec.closing.emit};
}

class ClosingSessionsTest : public testing::TestWithParam<Emit> {
 protected:
  bool is_on_close() const { return GetParam() == Emit::kOnClose; }
};

INSTANTIATE_TEST_SUITE_P(Emit, ClosingSessionsTest,
                         testing::Values(Emit::kOnChange, Emit::kOnClose), [](const auto& emit) {
                           return emit.param == Emit::kOnClose ? "OnClose" : "OnChange";
                         });

// What was shown once must be shown for ever.
template <class Lake>
class Emitted {
 public:
  explicit Emitted(Lake& lake) : lake_(lake) {}
  void expect_kept() {
    auto now = lake_.rows("FROM gold.closing");
    std::sort(now.begin(), now.end());
    EXPECT_TRUE(std::includes(now.begin(), now.end(), before_.begin(), before_.end()));
    before_ = std::move(now);
  }

 private:
  Lake& lake_;
  std::vector<std::vector<std::optional<std::string>>> before_;
};

// HEADRACE_SEED repeats a run, HEADRACE_STEPS makes it longer.
TEST_P(ClosingSessionsTest, LateRowsAreLeftOut) {
  Edits edits;
  SeededRandom random(number_from_environment("HEADRACE_SEED", 20261130));
  const ViewSpec spec = closing_sessions("silver.edits", 30min, GetParam());
  auto view = std::make_unique<IncrementalView>(edits.collaborators(), spec);
  SessionModel model = model_of(edits, spec);
  Emitted emitted(edits);
  view->update();
  const int64_t steps = number_from_environment("HEADRACE_STEPS", kIsSanitized ? 30 : 60);
  for (int64_t step = 0; step < steps; ++step) {
    const uint64_t what = random.next() % 8;
    if (what < 3) edits.insert(static_cast<int>(random.next() % 12), static_cast<int>(step / 2));
    if (what == 3) edits.insert(3, static_cast<int>(random.next() % 30));
    if (what == 4 || what == 5) edits.commit();
    if (what == 6) {
      view.reset();
      view = std::make_unique<IncrementalView>(edits.collaborators(), spec);
    }
    if (what >= 6) {
      view->update();
      model.update(std::nullopt);
      ASSERT_EQ(view->progress().event_time.closed_until_us, model.closed_until_us());
    }
    ASSERT_EQ(edits.rows("FROM gold.closing"), edits.rows(model.shown()))
        << "step " << step << ", action " << what;
    ASSERT_EQ(view->progress().event_time.late_changes, model.late()) << "step " << step;
    if (is_on_close()) emitted.expect_kept();
  }
  EXPECT_EQ(view->progress().rebuilds, 0);
  if (kIsSanitized || std::getenv("HEADRACE_SEED") != nullptr) return;
  EXPECT_GT(model.late(), 0);
  EXPECT_GT(model.closed(), 10U);
}

TEST_P(ClosingSessionsTest, StayAsTheyAreOnceTheyAreClosed) {
  Orders orders;
  SeededRandom random(number_from_environment("HEADRACE_SEED", 20261201));
  const ViewSpec spec = closing_sessions("silver.orders", 45min, GetParam());
  auto view = std::make_unique<IncrementalView>(orders.collaborators(), spec);
  SessionModel model = model_of(orders, spec);
  Emitted emitted(orders);
  view->update();
  const int64_t steps = number_from_environment("HEADRACE_STEPS", kIsSanitized ? 25 : 50);
  for (int64_t step = 0; step < steps; ++step) {
    const uint64_t what = random.next() % 14;
    const int minutes = 150 + static_cast<int>(step * 450 / steps);
    if (what < 5) orders.change(1 + static_cast<int>(random.next() % 15), 80, random, minutes);
    if (what == 5 || what == 6) orders.commit();
    if (what == 7) orders.delete_outside(random);
    if (what == 8) orders.compact();
    if (what == 9) orders.restart();
    if (what == 10) {
      view.reset();
      view = std::make_unique<IncrementalView>(orders.collaborators(), spec);
    }
    if (what >= 10) {
      view->update();
      model.update(view->progress().event_time.closed_until_us);
      ASSERT_EQ(view->progress().event_time.closed_until_us, model.closed_until_us());
    }
    ASSERT_EQ(orders.rows("FROM gold.closing"), orders.rows(model.shown()))
        << "step " << step << ", action " << what;
    if (is_on_close()) emitted.expect_kept();
  }
  EXPECT_EQ(view->progress().rebuilds, 0);
  if (kIsSanitized || std::getenv("HEADRACE_SEED") != nullptr) return;
  EXPECT_GT(model.closed(), 2U);
}

TEST_P(ClosingSessionsTest, OfJoinedRowsStayWhateverBecomesOfTheJoinedTable) {
  Orders orders;
  orders.set_regions("('de', 'north'), ('fr', 'west')");
  SeededRandom random(number_from_environment("HEADRACE_SEED", 20261203));
  ViewSpec spec = closing_sessions("silver.orders", 45min, GetParam());
  spec.sql =
      "SELECT session(o.ts, INTERVAL 10 MINUTE) AS s, session_end(o.ts, INTERVAL 10 MINUTE) AS e, "
      "r.region, count(*) AS n, sum(amount) AS total FROM silver.orders AS o LEFT JOIN "
      "silver.regions AS r ON o.country = r.country GROUP BY ALL";
  auto view = std::make_unique<IncrementalView>(orders.collaborators(), spec);
  SessionModel model = model_of(orders, spec);
  model.set_relation(
      "(SELECT o.ts, r.region AS country, o.amount FROM {} AS o LEFT JOIN silver.regions AS r ON "
      "o.country = r.country)");
  Emitted emitted(orders);
  view->update();
  int64_t rebuilds = 0;
  const int64_t steps = number_from_environment("HEADRACE_STEPS", kIsSanitized ? 25 : 50);
  for (int64_t step = 0; step < steps; ++step) {
    const uint64_t what = random.next() % 14;
    const int minutes = 150 + static_cast<int>(step * 450 / steps);
    if (what < 5) orders.change(1 + static_cast<int>(random.next() % 15), 80, random, minutes);
    if (what == 5 || what == 6) orders.commit();
    if (what == 7) orders.delete_outside(random);
    if (what == 8) {
      orders.set_regions(step % 2 == 0 ? "('de', 'north'), ('it', 'south'), ('it', 'islands')"
                                       : "('de', 'centre'), ('fr', 'west'), ('es', 'west')");
      model.joined_table_changed();
    }
    if (what == 9) {
      rebuilds += view->progress().rebuilds;
      view.reset();
      view = std::make_unique<IncrementalView>(orders.collaborators(), spec);
    }
    if (what >= 9) {
      view->update();
      model.update(view->progress().event_time.closed_until_us);
      ASSERT_EQ(view->progress().event_time.closed_until_us, model.closed_until_us());
    }
    ASSERT_EQ(orders.rows("FROM gold.closing"), orders.rows(model.shown()))
        << "step " << step << ", action " << what;
    if (is_on_close()) emitted.expect_kept();
  }
  rebuilds += view->progress().rebuilds;
  EXPECT_TRUE(!is_on_close() || rebuilds == 0);
  if (kIsSanitized || std::getenv("HEADRACE_SEED") != nullptr) return;
  EXPECT_GT(model.closed(), 2U);
  EXPECT_EQ(is_on_close(), rebuilds == 0);
}

// An update after every commit, so that no row comes and goes between two.
TEST_P(ClosingSessionsTest, LateChangesAreCounted) {
  Orders orders;
  SeededRandom random(number_from_environment("HEADRACE_SEED", 20261202));
  const ViewSpec spec = closing_sessions("silver.orders", 30min, GetParam());
  IncrementalView view(orders.collaborators(), spec);
  SessionModel model = model_of(orders, spec);
  const int64_t steps = number_from_environment("HEADRACE_STEPS", kIsSanitized ? 15 : 30);
  for (int64_t step = 0; step < steps; ++step) {
    const int minutes = 100 + static_cast<int>(step * 500 / steps);
    orders.change(1 + static_cast<int>(random.next() % 15), 80, random, minutes);
    if (random.next() % 4 == 0) {
      orders.delete_outside(random);
    } else {
      orders.commit();
    }
    view.update();
    model.update(std::nullopt);
    ASSERT_EQ(orders.rows("FROM gold.closing"), orders.rows(model.shown())) << "step " << step;
    ASSERT_EQ(view.progress().event_time.late_changes, model.late()) << "step " << step;
  }
  if (kIsSanitized || std::getenv("HEADRACE_SEED") != nullptr) return;
  EXPECT_GT(model.late(), 0);
  EXPECT_GT(model.closed(), 2U);
}

// The n-th operation on files fails, for every n.
TEST_P(ClosingSessionsTest, AFaultAnywhereCountsAndShowsEverythingOnce) {
  int fail_at = 1;
  for (bool is_done = false; !is_done; fail_at += kFaultStep) {
    ASSERT_LT(fail_at, 500);
    Edits edits;
    const ViewSpec spec = closing_sessions("silver.edits", 30min, GetParam());
    SessionModel model = model_of(edits, spec);
    FaultyFileSystem files(edits.files(), fail_at);
    const auto catalog = edits.open_catalog(files);
    const IncrementalView::Collaborators own = edits.collaborators();
    IncrementalView view({own.database, *catalog, own.tables, files, own.random}, spec);
    for (const int hour : {0, 8, 0}) {
      edits.insert(30, hour);
      edits.commit();
      // It fails once at most.
      if (!try_update(view)) view.update();
      model.update(std::nullopt);
    }
    is_done = !files.failed();
    ASSERT_EQ(edits.rows("FROM gold.closing"), edits.rows(model.shown())) << "fault " << fail_at;
    ASSERT_EQ(view.progress().event_time.late_changes, model.late()) << "fault " << fail_at;
    ASSERT_GT(model.late(), 10);
    ASSERT_GT(model.closed(), 5U);
  }
  EXPECT_GT(fail_at, 20);
}

class SessionsOnCloseTest : public testing::Test {
 protected:
  // Rows of one country, at these minutes of a day.
  void insert_minutes(const std::string& minutes, const std::string& country = "de") {
    edits_.insert_rows(format("SELECT TIMESTAMP '2026-01-01' + to_minutes(m), '{}', m FROM (SELECT "
                              "unnest([{}]) AS m)",
                              country, minutes),
                       1);
  }
  void commit_minutes(const std::string& minutes) {
    insert_minutes(minutes);
    edits_.commit();
  }
  std::vector<std::vector<std::optional<std::string>>> shown() {
    return edits_.rows("SELECT strftime(s, '%H:%M'), strftime(e, '%H:%M'), n FROM gold.closing");
  }
  using Rows = std::vector<std::vector<std::optional<std::string>>>;

  Edits edits_;
  const ViewSpec spec_ = closing_sessions("silver.edits", 30min, Emit::kOnClose);
};

TEST_F(SessionsOnCloseTest, AreOnlyAppended) {
  IncrementalView view(edits_.collaborators(), spec_);
  std::vector<std::string> before;
  for (int hour = 0; hour < 20; hour += 4) {
    edits_.insert(30, hour);
    edits_.commit();
    view.update();
    const lake::TablePtr table = edits_.catalog().load(spec_.table);
    EXPECT_EQ(table->metadata.current_snapshot()->summary.at("operation"), "append");
    const std::vector<std::string> now = lake::paths_of(edits_.catalog().files(*table));
    for (const std::string& path : before) EXPECT_THAT(now, testing::Contains(path));
    before = now;
  }
  EXPECT_GE(before.size(), 4U);
}

TEST_F(SessionsOnCloseTest, GrowOverUpdatesAndCloseWhole) {
  auto view = std::make_unique<IncrementalView>(edits_.collaborators(), spec_);
  for (const char* minutes : {"0", "9", "18, 40", "27", "36"}) {
    commit_minutes(minutes);
    view->update();
    EXPECT_EQ(shown(), Rows{});
    view = std::make_unique<IncrementalView>(edits_.collaborators(), spec_);
  }
  commit_minutes("80");
  view->update();
  EXPECT_EQ(shown(), (Rows{{"00:00", "00:50", "6"}}));
  EXPECT_EQ(view->progress().event_time.late_changes, 0);
}

TEST_F(SessionsOnCloseTest, FilesOfBeforeTheOpenOnesAreNotRead) {
  IncrementalView view(edits_.collaborators(), spec_);
  commit_minutes("0, 1");
  const auto old = edits_.catalog().files(*edits_.catalog().load(Edits::table()));
  commit_minutes("100, 105");
  view.update();
  ASSERT_EQ(old.size(), 1U);
  edits_.files().remove(old[0].path);
  commit_minutes("200");
  view.update();
  EXPECT_EQ(shown(), (Rows{{"00:00", "00:11", "2"}, {"01:40", "01:55", "2"}}));
}

TEST_F(SessionsOnCloseTest, WhatHasNoTimeIsNeverOverAndNeverLate) {
  IncrementalView view(edits_.collaborators(), spec_);
  for (const char* minutes : {"0", "100", "200"}) {
    edits_.insert_rows(
        "SELECT NULL::TIMESTAMP, 'de', 1 UNION ALL SELECT TIMESTAMP 'infinity', 'de', 2", 2);
    commit_minutes(minutes);
    view.update();
  }
  EXPECT_EQ(shown(), (Rows{{"00:00", "00:10", "1"}, {"01:40", "01:50", "1"}}));
  EXPECT_EQ(view.progress().event_time.late_changes, 0);
}

TEST_F(SessionsOnCloseTest, ALateRowStaysOut) {
  IncrementalView view(edits_.collaborators(), spec_);
  commit_minutes("100");
  view.update();
  commit_minutes("55");
  view.update();
  EXPECT_EQ(view.progress().event_time.late_changes, 1);
  commit_minutes("64, 73, 82, 91");
  view.update();
  commit_minutes("200");
  view.update();
  EXPECT_EQ(shown(), (Rows{{"01:04", "01:50", "5"}}));
  EXPECT_EQ(view.progress().event_time.late_changes, 1);
}

// Of the time of open sessions all rows are read again, and it is not kept which of them were late.
TEST_F(SessionsOnCloseTest, ALateRowOfTheTimeOfOpenSessionsJoinsWhatReachesIt) {
  IncrementalView view(edits_.collaborators(), spec_);
  insert_minutes("50, 60, 70, 80, 90", "fr");
  commit_minutes("100");
  view.update();
  commit_minutes("55");
  view.update();
  EXPECT_EQ(view.progress().event_time.late_changes, 1);
  commit_minutes("64, 73, 82, 91");
  view.update();
  commit_minutes("200");
  view.update();
  EXPECT_EQ(shown(), (Rows{{"00:50", "01:40", "5"}, {"00:55", "01:50", "6"}}));
}

TEST_F(SessionsOnCloseTest, ARebuildKeepsWhatIsClosed) {
  auto view = std::make_unique<IncrementalView>(edits_.collaborators(), spec_);
  commit_minutes("0, 100");
  view->update();
  EXPECT_EQ(shown(), (Rows{{"00:00", "00:10", "1"}}));
  commit_minutes("5, 95");
  for (int i = 0; i < Edits::kMaxSnapshots + 2; ++i) edits_.commit();
  view->update();
  EXPECT_EQ(view->progress().rebuilds, 1);
  commit_minutes("200");
  view->update();
  EXPECT_EQ(shown(), (Rows{{"00:00", "00:10", "1"}, {"01:35", "01:50", "2"}}));
}

// Both have the same columns.
TEST_F(SessionsOnCloseTest, AnotherEmitBuildsTheViewAnew) {
  ViewSpec on_change = spec_;
  on_change.closing.emit = Emit::kOnChange;
  commit_minutes("0, 100");
  IncrementalView(edits_.collaborators(), on_change).update();
  EXPECT_EQ(shown(), (Rows{{"00:00", "00:10", "1"}, {"01:40", "01:50", "1"}}));
  {
    IncrementalView view(edits_.collaborators(), spec_);
    view.update();
    EXPECT_EQ(view.progress().last_rebuild, "its query has changed");
    EXPECT_EQ(shown(), (Rows{{"00:00", "00:10", "1"}}));
  }
  IncrementalView view(edits_.collaborators(), on_change);
  view.update();
  EXPECT_EQ(shown(), (Rows{{"00:00", "00:10", "1"}, {"01:40", "01:50", "1"}}));
}

}  // namespace
}  // namespace headrace::views
