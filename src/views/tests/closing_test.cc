// Watermarks: late rows are counted and left out, closed windows stay, and emit: on_close shows
// these alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/environment.h"
#include "base/testing/faulty_file_system.h"
#include "lake/data_writer.h"
#include "lake/testing/error_kind.h"
#include "views/testing/edits.h"
#include "views/testing/orders.h"
#include "views/testing/window_model.h"

namespace headrace::views {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr int64_t kMinuteUs = 60'000'000;

Closing closing(milliseconds watermark, milliseconds lateness, Emit emit = Emit::kOnChange) {
  return {watermark, lateness, emit};
}

// A view and its model.
struct Watched {
  ViewSpec spec;
  WindowModelSpec model_spec;
  std::unique_ptr<IncrementalView> view = nullptr;
  std::unique_ptr<WindowModel> model = nullptr;
};

std::vector<Watched> over_edits() {
  const std::string columns =
      "country, count(*) AS n, sum(amount)::BIGINT AS total, avg(amount) AS mean, max(amount) AS "
      "high";
  const auto view = [&](const std::string& name, const std::string& window, Closing rule) {
    return ViewSpec{name,
                    {"gold", name},
                    format("SELECT {} AS w, country, count(*) AS n, sum(amount) AS total, "
                           "avg(amount) AS mean, max(amount) AS high FROM silver.edits GROUP BY "
                           "ALL",
                           window),
                    {},
                    rule};
  };
  const auto model = [&](const std::string& slide, const std::string& size, int64_t behind_us) {
    return WindowModelSpec{"w, " + columns, "{}", size, slide, "TIMESTAMP '2015-09-10'", behind_us};
  };
  const std::string hour = "date_trunc('hour', ts)";
  const std::string hop = "hop(ts, INTERVAL 30 MINUTE, INTERVAL 2 HOURS)";
  std::vector<Watched> all;
  all.push_back(
      {view("hours", hour, closing(10min, 50min)), model("1 hour", "1 hour", 60 * kMinuteUs)});
  all.push_back(
      {view("hops", hop, closing(30min, 0min)), model("30 minutes", "2 hours", 30 * kMinuteUs)});
  all.push_back({view("closed_hours", hour, closing(0min, 0min, Emit::kOnClose)),
                 model("1 hour", "1 hour", 0)});
  all.push_back({view("closed_hops", hop, closing(20min, 10min, Emit::kOnClose)),
                 model("30 minutes", "2 hours", 30 * kMinuteUs)});
  return all;
}

// Multisets, sums that are taken back, and a joined table.
std::vector<Watched> over_orders() {
  const std::string selected =
      "r.region, count(*) AS n, sum(o.amount) AS total, count(DISTINCT o.amount) AS amounts, "
      "max(o.amount) AS high, median(o.amount) AS middle";
  const auto watched = [&](const std::string& name, Closing rule, int64_t behind_us) {
    return Watched{
        {name,
         {"gold", name},
         format("SELECT tumble(o.ts, INTERVAL 1 HOUR) AS w, {} FROM silver.orders AS o LEFT JOIN "
                "silver.regions AS r ON o.country = r.country GROUP BY ALL",
                selected),
         {},
         rule},
        {"w, region, count(*) AS n, sum(amount)::BIGINT AS total, count(DISTINCT amount) AS "
         "amounts, max(amount) AS high, median(amount) AS middle",
         "(SELECT o.ts, o.amount, r.region FROM {} AS o LEFT JOIN silver.regions AS r ON o.country "
         "= r.country) AS rows",
         "1 hour", "1 hour", "TIMESTAMP '2025-12-30'", behind_us}};
  };
  std::vector<Watched> all;
  all.push_back(watched("open", closing(1h, 1h), 120 * kMinuteUs));
  all.push_back(watched("closed", closing(2h, 0h, Emit::kOnClose), 120 * kMinuteUs));
  return all;
}

template <class Lake>
void make_views(Lake& lake, std::vector<Watched>& all, const lake::TableIdentifier& source) {
  for (Watched& each : all) {
    each.view.reset();
    each.view = std::make_unique<IncrementalView>(lake.collaborators(), each.spec);
    if (!each.model) {
      each.model =
          std::make_unique<WindowModel>(lake.database(), lake.catalog(), source, each.model_spec);
    }
  }
}

template <class Lake>
void expect_right(Lake& lake, const Watched& each, const std::string& when) {
  const auto shown = lake.rows("FROM " + each.spec.table.to_string());
  const bool is_on_close = each.spec.closing.emit == Emit::kOnClose;
  ASSERT_EQ(shown, is_on_close ? each.model->on_close() : each.model->on_change())
      << each.spec.name << ", " << when;
}

// Rows that came and went between two updates may have moved the view's time.
void update(Watched& each, bool rows_go = false) {
  each.view->update();
  each.model->update(rows_go ? each.view->progress().event_time.closed_until_us : std::nullopt);
  ASSERT_EQ(each.view->progress().event_time.closed_until_us, each.model->closed_until_us())
      << each.spec.name;
}

// HEADRACE_SEED repeats a run, HEADRACE_STEPS makes it longer.
TEST(ClosingTest, LateRowsAreLeftOutAndCounted) {
  Edits edits;
  const uint64_t seed = number_from_environment("HEADRACE_SEED", 20261126);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  SeededRandom random(seed);
  std::vector<Watched> all = over_edits();
  make_views(edits, all, Edits::table());
  for (Watched& each : all) update(each);
  const int64_t steps = number_from_environment("HEADRACE_STEPS", kIsSanitized ? 25 : 50);
  for (int64_t step = 0; step < steps; ++step) {
    const uint64_t what = random.next() % 10;
    const int hour = static_cast<int>(step % 150);
    if (what < 3) edits.insert(static_cast<int>(random.next() % 60), hour);
    if (what == 3) edits.insert(6, static_cast<int>(random.next() % 150) * hour / 150);
    if (what == 4 || what == 5) edits.commit();
    if (what == 6) make_views(edits, all, Edits::table());
    if (what >= 6) {
      for (Watched& each : all) {
        if (what == 6 || random.next() % 3 != 0) update(each);
      }
    }
    for (const Watched& each : all) {
      expect_right(edits, each, format("seed {}, step {}, action {}", seed, step, what));
      EXPECT_EQ(each.view->progress().event_time.late_changes, each.model->late());
      if (testing::Test::HasFailure()) return;
    }
  }
  for (const Watched& each : all) EXPECT_EQ(each.view->progress().rebuilds, 0) << each.spec.name;
  if (kIsSanitized || std::getenv("HEADRACE_SEED") != nullptr) return;
  for (const Watched& each : all) EXPECT_GT(each.model->late(), 0) << each.spec.name;
}

TEST(ClosingTest, WhatIsClosedStaysWhateverBecomesOfItsRows) {
  Orders orders;
  orders.set_regions("('de', 'north'), ('fr', 'west')");
  const uint64_t seed = number_from_environment("HEADRACE_SEED", 20261127);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  SeededRandom random(seed);
  std::vector<Watched> all = over_orders();
  make_views(orders, all, Orders::table());
  for (Watched& each : all) update(each, true);
  const int64_t steps = number_from_environment("HEADRACE_STEPS", kIsSanitized ? 20 : 40);
  for (int64_t step = 0; step < steps; ++step) {
    const uint64_t what = random.next() % 12;
    const int day_minutes = 200 + static_cast<int>(step * 400 / steps);
    if (what < 5) {
      orders.change(1 + static_cast<int>(random.next() % 30), 60, random, day_minutes);
    } else if (what < 7) {
      orders.commit();
    } else if (what == 7) {
      orders.delete_outside(random);
    } else if (what == 8) {
      orders.compact();
    } else if (what == 9) {
      make_views(orders, all, Orders::table());
    } else if (what == 10) {
      orders.set_regions(step % 2 == 0 ? "('de', 'north'), ('it', 'south'), ('it', 'islands')"
                                       : "('de', 'centre'), ('fr', 'west')");
    }
    if (what >= 8) {
      for (Watched& each : all) update(each, true);
    }
    for (const Watched& each : all) {
      expect_right(orders, each, format("seed {}, step {}, action {}", seed, step, what));
      if (testing::Test::HasFailure()) return;
    }
  }
  if (kIsSanitized || std::getenv("HEADRACE_SEED") != nullptr) return;
  for (const Watched& each : all) {
    EXPECT_GT(each.view->progress().event_time.late_changes, 0) << each.spec.name;
  }
}

TEST(ClosingTest, StatesOfClosedWindowsGo) {
  Orders orders;
  ViewSpec spec = {"hours",
                   {"gold", "hours"},
                   "SELECT tumble(ts, INTERVAL 1 HOUR) AS w, count(DISTINCT amount) AS amounts, "
                   "max(price) AS high FROM silver.orders GROUP BY ALL",
                   {},
                   closing(1h, 0h)};
  IncrementalView view(orders.collaborators(), spec);
  SeededRandom random(3);
  for (int step = 1; step <= 6; ++step) {
    orders.change(80, 500, random, step * 100);
    orders.commit();
    view.update();
    const lake::TablePtr table = orders.catalog().load(spec.table);
    const auto files = orders.catalog().files(*table);
    const auto closed_until_us = *view.progress().event_time.closed_until_us;
    EXPECT_EQ(orders
                  .rows(format("SELECT count(*) FROM ({}) WHERE (epoch_us(w + INTERVAL 1 HOUR) "
                               "<= {}) <> (__values_amounts IS NULL AND __values_high IS NULL) "
                               "AND amounts > 0",
                               lake::scan_sql(*table, files), closed_until_us))
                  .at(0)
                  .at(0),
              "0");
  }
  EXPECT_GT(view.progress().rows, 5);
  EXPECT_EQ(view.progress().rebuilds, 0);
}

TEST(ClosingTest, WhatIsEmittedOnCloseIsOnlyAppended) {
  Edits edits;
  std::vector<Watched> all = over_edits();
  Watched& each = all[2];
  IncrementalView view(edits.collaborators(), each.spec);
  std::vector<std::string> before;
  for (int hour = 0; hour < 20; hour += 4) {
    edits.insert(50, hour);
    edits.commit();
    view.update();
    const lake::TablePtr table = edits.catalog().load(each.spec.table);
    EXPECT_EQ(table->metadata.current_snapshot()->summary.at("operation"), "append");
    EXPECT_EQ(table->metadata.current_schema().fields.size(), 6U);  // no states
    const std::vector<std::string> now = lake::paths_of(edits.catalog().files(*table));
    for (const std::string& path : before) EXPECT_THAT(now, testing::Contains(path));
    before = now;
  }
  EXPECT_GE(before.size(), 4U);
}

// As maintenance does with the view's own table.
TEST(ClosingTest, ACompactionOfTheViewForgetsNothing) {
  Edits edits;
  Watched each = std::move(over_edits()[0]);
  auto view = std::make_unique<IncrementalView>(edits.collaborators(), each.spec);
  for (const int hour : {0, 8, 0}) {
    edits.insert(30, hour);
    edits.commit();
    view->update();
  }
  const EventTime before = view->progress().event_time;
  EXPECT_EQ(before.late_changes, 30);
  const auto shown = edits.rows("FROM gold.hours");
  lake::TableChange change;
  change.base = edits.catalog().load(each.spec.table);
  change.removed = edits.catalog().files(*change.base);
  const IncrementalView::Collaborators own = edits.collaborators();
  change.added =
      lake::write_data_files(*edits.database().connect(), own.catalog, own.files, own.random,
                             *change.base, lake::scan_sql(*change.base, change.removed));
  change.operation = "replace";
  edits.catalog().commit({change});
  view = std::make_unique<IncrementalView>(edits.collaborators(), each.spec);
  view->update();
  EXPECT_EQ(view->progress().event_time, before);
  EXPECT_EQ(edits.rows("FROM gold.hours"), shown);
  EXPECT_EQ(view->progress().rebuilds, 0);
}

TEST(ClosingTest, ATimeWithoutEndClosesNothing) {
  Edits edits;
  edits.insert(20, 0);
  edits.insert_rows("SELECT TIMESTAMP 'infinity', 'de', 1 UNION ALL SELECT NULL, 'de', 2", 2);
  edits.commit();
  ViewSpec spec = over_edits()[0].spec;
  spec.sql =
      "SELECT tumble(ts, INTERVAL 1 HOUR) AS w, count(*) AS n FROM silver.edits GROUP BY ALL";
  IncrementalView view(edits.collaborators(), spec);
  view.update();
  const auto newest = edits.rows("SELECT epoch_us(max(ts)) FROM silver.edits WHERE isfinite(ts)");
  EXPECT_EQ(view.progress().event_time.watermark_us, std::stoll(*newest[0][0]) - 10 * kMinuteUs);
  EXPECT_EQ(edits.rows("SELECT sum(n)::BIGINT FROM gold.hours").at(0).at(0), "22");
}

TEST(ClosingTest, AViewThatHasSeenNoTimeGoesOn) {
  Edits edits;
  const ViewSpec spec = over_edits()[0].spec;
  edits.commit();
  IncrementalView(edits.collaborators(), spec).update();
  edits.insert(10, 0);
  edits.commit();
  IncrementalView view(edits.collaborators(), spec);
  EXPECT_TRUE(view.update());
  EXPECT_EQ(view.progress().rebuilds, 0);
  EXPECT_TRUE(view.progress().event_time.closed_until_us.has_value());
}

TEST(ClosingTest, WithoutItsWatermarkAViewIsBuiltAnew) {
  Edits edits;
  ViewSpec spec = over_edits()[0].spec;
  edits.insert(50, 0);
  edits.commit();
  {
    IncrementalView view(edits.collaborators(), spec);
    view.update();
    edits.insert(10, 10);
    edits.commit();
    view.update();
    edits.insert(10, 0);
    edits.commit();
    view.update();
    EXPECT_EQ(view.progress().event_time.late_changes, 10);
  }
  spec.closing = {};
  IncrementalView view(edits.collaborators(), spec);
  view.update();
  EXPECT_EQ(view.progress().last_rebuild, "it has no watermark any more");
  EXPECT_EQ(edits.rows("FROM gold.hours"), edits.rows(spec.sql));
}

TEST(ClosingTest, NeedsAWindowThatCanClose) {
  Edits edits;
  ViewSpec spec = over_edits()[0].spec;
  spec.sql = "SELECT country, count(*) AS n FROM silver.edits GROUP BY ALL";
  EXPECT_THAT([&] { IncrementalView(edits.collaborators(), spec); },
              testing::ThrowsMessage<Error>(HasSubstr("needs one window among its keys")));
  spec.sql =
      "SELECT date_trunc('hour', ts) AS h, date_trunc('day', ts) AS d, count(*) AS n FROM "
      "silver.edits GROUP BY ALL";
  EXPECT_THAT([&] { IncrementalView(edits.collaborators(), spec); },
              testing::ThrowsMessage<Error>(HasSubstr("needs one window among its keys")));
}

// The n-th operation on files fails, for every n: what is late is counted once.
class ClosingFaultTest : public testing::TestWithParam<Emit> {};

TEST_P(ClosingFaultTest, AFaultAnywhereCountsAndShowsEverythingOnce) {
  int fail_at = 1;
  for (bool is_done = false; !is_done; fail_at += kFaultStep) {
    ASSERT_LT(fail_at, 500);
    Edits edits;
    Watched each = std::move(over_edits()[0]);
    each.spec.closing.emit = GetParam();
    each.model = std::make_unique<WindowModel>(edits.database(), edits.catalog(), Edits::table(),
                                               each.model_spec);
    FaultyFileSystem files(edits.files(), fail_at);
    const auto catalog = edits.open_catalog(files);
    const IncrementalView::Collaborators own = edits.collaborators();
    IncrementalView view({own.database, *catalog, own.tables, files, own.random}, each.spec);
    for (const int hour : {0, 8, 0}) {
      edits.insert(40, hour);
      edits.commit();
      // It fails once at most.
      if (!try_update(view)) view.update();
      each.model->update();
    }
    is_done = !files.failed();
    ASSERT_NO_FATAL_FAILURE(expect_right(edits, each, format("fault {}", fail_at)));
    ASSERT_EQ(view.progress().event_time.late_changes, 40) << "fault " << fail_at;
  }
  EXPECT_GT(fail_at, 20);
}

INSTANTIATE_TEST_SUITE_P(Emit, ClosingFaultTest, testing::Values(Emit::kOnChange, Emit::kOnClose));

}  // namespace
}  // namespace headrace::views
