// Views over a table whose rows change and go.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/environment.h"
#include "views/testing/orders.h"

namespace headrace::views {
namespace {

ViewSpec sums() {
  return {"sums",
          {"gold", "sums"},
          "SELECT country, count(*) AS n, count(amount) AS amounts, sum(amount) AS total, "
          "sum(price) AS paid, avg(amount) AS mean, count_if(amount > 10) AS big, "
          "sum(amount) FILTER (WHERE amount > 20) AS more, round(stddev(amount), 6) AS spread, "
          "round(var_pop(price), 6) AS variance FROM silver.orders GROUP BY ALL"};
}

ViewSpec values() {
  return {
      "values",
      {"gold", "values"},
      "SELECT time_bucket(INTERVAL 1 HOUR, ts) AS hour, min(amount) AS low, max(price) AS high, "
      "count(DISTINCT amount) AS amounts, count(DISTINCT country) FILTER (WHERE amount > 5) AS "
      "countries, median(amount) AS middle, quantile_disc(amount, 0.9) AS most, max(amount, 3) "
      "AS best, min(ts, 2) AS first_two FROM silver.orders WHERE amount <> 13 GROUP BY ALL"};
}

// Times are not unique, but pairs with the id are.
ViewSpec by_time() {
  return {"by_time",
          {"gold", "by_time"},
          "SELECT country, arg_max(amount, {'t': ts, 'i': id}) AS newest, min_by(id, {'t': ts, "
          "'i': id}) AS oldest, "
          "arg_max(id, {'t': ts, 'i': id}, 3) AS last_three FROM silver.orders WHERE amount IS NOT "
          "NULL GROUP "
          "BY 1"};
}

ViewSpec overall() {
  return {"overall",
          {"gold", "overall"},
          "SELECT count(*) AS n, sum(amount) AS total, count(DISTINCT amount) AS amounts, "
          "max(amount) AS high FROM silver.orders"};
}

// Over other views.
ViewSpec upper() {
  return {
      "upper",
      {"gold", "upper"},
      "SELECT n > 10 AS is_large, count(*) AS countries, sum(total) AS total, max(paid) AS most "
      "FROM gold.sums GROUP BY 1"};
}

ViewSpec top() {
  return {"top", {"gold", "top"}, "SELECT sum(countries) AS n, max(total) AS t FROM gold.upper"};
}

// The table has this format version.
class ChangingSourceTest : public testing::TestWithParam<int> {
 protected:
  void expect_right(const std::string& when, const ViewSpec& spec) {
    ASSERT_EQ(orders_.rows("SELECT * FROM " + spec.table.to_string()), orders_.rows(spec.sql))
        << when << ", view " << spec.name;
  }
  std::unique_ptr<IncrementalView> make_view(const ViewSpec& spec) {
    return std::make_unique<IncrementalView>(orders_.collaborators(), spec);
  }

  Orders orders_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Formats, ChangingSourceTest, testing::Values(2, 3),
                         [](const auto& format) {
                           return headrace::format("Version{}", format.param);
                         });

TEST_P(ChangingSourceTest, AChangedRowTakesItsOldContributionBack) {
  SeededRandom random(3);
  std::vector<ViewSpec> specs = {sums(), values(), by_time(), overall()};
  std::vector<std::unique_ptr<IncrementalView>> views;
  for (const ViewSpec& spec : specs) views.push_back(make_view(spec));
  const auto expect_all = [&](const std::string& when) {
    for (const ViewSpec& spec : specs) expect_right(when, spec);
  };
  for (const auto& view : views) view->update();
  orders_.change(100, 80, random);
  expect_all("hot rows alone");
  orders_.commit();
  expect_all("committed");
  for (const auto& view : views) EXPECT_TRUE(view->update());
  expect_all("taken in");
  orders_.change(40, 80, random);
  expect_all("hot changes of committed rows");
  orders_.seal();
  orders_.change(40, 80, random);
  expect_all("changes of sealed rows");
  orders_.commit_sealed();
  expect_all("sealed rows committed");
  orders_.commit();
  for (const auto& view : views) EXPECT_TRUE(view->update());
  expect_all("all taken in");
  for (const auto& view : views) EXPECT_EQ(view->progress().rebuilds, 0);
}

TEST_P(ChangingSourceTest, AViewThatComesLateKnowsWhatHotChangesDeleted) {
  SeededRandom random(5);
  make_view(sums())->update();
  orders_.change(60, 50, random);
  orders_.commit();
  make_view(sums())->update();
  orders_.change(20, 50, random);
  orders_.seal();
  orders_.change(20, 50, random);
  auto view = make_view(sums());
  view->update();
  expect_right("opened between changes", sums());
  orders_.commit_sealed();
  expect_right("committed", sums());
  view->update();
  EXPECT_EQ(view->progress().rebuilds, 0);
  expect_right("taken in", sums());
}

TEST_P(ChangingSourceTest, FollowsTheTablesThatItJoins) {
  const ViewSpec right = {
      "regions",
      {"gold", "regions"},
      "SELECT r.region, count(*) AS n, sum(o.amount) AS total, max(o.amount) AS high "
      "FROM silver.orders AS o LEFT JOIN silver.regions r ON o.country = r.country GROUP BY ALL"};
  SeededRandom random(17);
  orders_.change(60, 50, random);
  orders_.commit();
  auto view = make_view(right);
  EXPECT_THAT([&] { view->update(); }, testing::ThrowsMessage<Error>(testing::HasSubstr(
                                           "it joins table silver.regions, which does not exist")));
  orders_.set_regions("('de', 'north'), ('fr', 'west')");
  view->update();
  expect_right("with two regions", right);
  orders_.change(30, 50, random);
  expect_right("hot changes", right);
  orders_.commit();
  view->update();
  EXPECT_EQ(view->progress().rebuilds, 0);
  orders_.set_regions("('de', 'centre'), ('it', 'south'), ('it', 'islands')");
  expect_right("regions have changed", right);
  EXPECT_TRUE(view->update());
  EXPECT_EQ(view->progress().rebuilds, 1);
  EXPECT_EQ(view->progress().last_rebuild, "table silver.regions, which it joins, has changed");
  orders_.change(30, 50, random);
  orders_.commit();
  EXPECT_TRUE(view->update());
  EXPECT_EQ(view->progress().rebuilds, 1);
  expect_right("taken in", right);
}

TEST_P(ChangingSourceTest, AGroupWithoutRowsGoes) {
  auto view = make_view(sums());
  SeededRandom random(11);
  orders_.change(100, 20, random);
  orders_.commit();
  view->update();
  for (int i = 0; i < (kIsSanitized ? 10 : 30); ++i) {
    orders_.change(4, 3, random);
    orders_.delete_outside(random);
    view->update();
    expect_right("after deletes", sums());
  }
}

// HEADRACE_SEED repeats a run, HEADRACE_STEPS makes it longer.
TEST_P(ChangingSourceTest, IsTheWholeQueryAfterEveryStep) {
  const uint64_t seed = number_from_environment("HEADRACE_SEED", 20260114);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  SeededRandom random(seed);
  std::vector<ViewSpec> specs = {sums(), values(), by_time(), overall(), upper(), top()};
  std::vector<std::unique_ptr<IncrementalView>> views;
  const auto restart = [&] {
    views.clear();
    for (const ViewSpec& spec : specs) views.push_back(make_view(spec));
    for (const auto& view : views) view->update();
  };
  restart();
  const int64_t steps = number_from_environment("HEADRACE_STEPS", kIsSanitized ? 10 : 25);
  for (int64_t step = 0; step < steps; ++step) {
    const uint64_t what = random.next() % 20;
    const int changes = 1 + static_cast<int>(random.next() % 40);
    if (what < 7) {
      orders_.change(changes, 60, random);
    } else if (what < 11) {
      orders_.is_sealed() ? orders_.commit_sealed() : orders_.commit();
    } else if (what < 13) {
      if (!orders_.is_sealed()) orders_.seal();
    } else if (what < 16) {
      for (const auto& view : views) {
        if (random.next() % 4 != 0) view->update();
      }
    } else if (what == 16) {
      orders_.compact();
    } else if (what == 17) {
      random.next() % 2 == 0 ? orders_.delete_outside(random) : orders_.remove_file_outside();
    } else if (what == 18) {
      orders_.restart();
    } else {
      restart();
    }
    for (const ViewSpec& spec : specs) {
      expect_right(format("seed {}, step {}, action {}", seed, step, what), spec);
      if (HasFatalFailure()) return;
    }
  }
  for (const auto& view : views) EXPECT_EQ(view->progress().rebuilds, 0) << view->spec().name;
}

}  // namespace
}  // namespace headrace::views
