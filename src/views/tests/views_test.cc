#include "views/views.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "lake/testing/error_kind.h"
#include "views/testing/edits.h"

namespace headrace::views {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kPerCountry =
    "SELECT country, count(*) AS n, sum(amount) AS total FROM silver.edits GROUP BY country";

ViewSpec per_country() { return {"per_country", {"gold", "per_country"}, kPerCountry}; }

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.message();
  }
  return "nothing was thrown";
}

class ViewsTest : public testing::Test {
 protected:
  Views::Collaborators collaborators() {
    const auto own = edits_.collaborators();
    return {own.database, own.catalog,    own.tables, own.files,
            own.random,   edits_.clock(), *metrics_};
  }
  void commit(Views& views) {
    edits_.commit();
    views.source_committed({Edits::table()});
  }

  Edits edits_;
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
};

TEST_F(ViewsTest, KeepsViewsUpToDateAfterCommits) {
  Views views(collaborators());
  views.set({per_country()});
  for (int i = 0; i < 3; ++i) {
    edits_.insert(50, i);
    commit(views);
  }
  ASSERT_TRUE(views.wait_until_current(60s));
  const auto status = views.status();
  ASSERT_EQ(status.size(), 1U);
  EXPECT_EQ(status[0].name, "per_country");
  EXPECT_EQ(status[0].source, Edits::table());
  EXPECT_EQ(status[0].last_error, "");
  EXPECT_EQ(status[0].progress.included,
            edits_.tables().find(Edits::table())->table->metadata.current_snapshot_id);
  EXPECT_EQ(status[0].progress.rows, 4);
  EXPECT_THAT(metrics_->expose(), HasSubstr("headrace_view_updates_total{view=\"per_country\"}"));
  EXPECT_EQ(edits_.rows("FROM gold.per_country"), edits_.rows(kPerCountry));
}

TEST_F(ViewsTest, AReaderSeesThemAndWritesNothing) {
  edits_.insert(50, 0);
  edits_.commit();
  {
    Views reader(collaborators());
    reader.show({per_country()});
    EXPECT_EQ(edits_.rows("FROM gold.per_country"), edits_.rows(kPerCountry));
    EXPECT_EQ(edits_.catalog().find({"gold", "per_country"}), nullptr);
  }
  {
    Views writer(collaborators());
    writer.set({per_country()});
    ASSERT_TRUE(writer.wait_until_current(60s));
  }
  edits_.insert(50, 1);
  edits_.commit();
  const auto stored = edits_.catalog().load({"gold", "per_country"})->metadata_location;
  Views reader(collaborators());
  ViewSpec broken = per_country();
  broken.name = "broken";
  broken.table.name = "broken";
  broken.sql = "SELECT sum(nothing) AS s FROM silver.edits";
  reader.show({per_country(), broken});
  EXPECT_EQ(edits_.rows("FROM gold.per_country"), edits_.rows(kPerCountry));
  EXPECT_EQ(edits_.catalog().load({"gold", "per_country"})->metadata_location, stored);
  EXPECT_THAT(reader.status().at(0).last_error, HasSubstr("nothing"));
}

TEST_F(ViewsTest, QueriesAreRightWhileUpdatesRun) {
  Views views(collaborators());
  views.set({per_country()});
  ASSERT_TRUE(views.wait_until_current(60s));
  std::jthread reader([&](const std::stop_token& stop) {
    const auto connection = edits_.database().connect();
    while (!stop.stop_requested()) {
      // One query sees one state of the catalog, so both counts are of the same instant.
      const auto rows = connection->query_rows(
          "SELECT (SELECT coalesce(sum(n), 0) FROM gold.per_country), "
          "(SELECT count(*) FROM silver.edits)");
      EXPECT_EQ(rows[0][0], rows[0][1]);
    }
  });
  for (int i = 0; i < 8; ++i) {
    edits_.insert(20, i);
    commit(views);
  }
  EXPECT_TRUE(views.wait_until_current(60s));
}

TEST_F(ViewsTest, TakesChangesAllOrNothing) {
  edits_.insert(10, 0);
  edits_.commit();
  Views views(collaborators());
  views.set({per_country()});
  ASSERT_TRUE(views.wait_until_current(60s));

  ViewSpec wider = per_country();
  wider.sql = "SELECT country, count(*) AS n, max(amount) AS high FROM silver.edits GROUP BY 1";
  EXPECT_THAT(message_of([&] { views.set({wider}); }),
              HasSubstr("view 'per_country': the columns of view 'per_country' do not fit"));
  ViewSpec cut = per_country();
  cut.partition_by = {"day(hour)"};
  EXPECT_THAT(message_of([&] { views.set({cut}); }), HasSubstr("hour"));
  EXPECT_THAT(message_of([&] { views.set({per_country(), per_country()}); }),
              HasSubstr("two views are named"));
  ViewSpec other = per_country();
  other.name = "other";
  EXPECT_THAT(message_of([&] { views.set({per_country(), other}); }),
              HasSubstr("give each its own"));
  other.table.name = "other";
  other.sql = "SELECT count(*) AS n FROM gold.third";
  ViewSpec third = {
      "third", {"gold", "third"}, "SELECT n, count(*) AS m FROM gold.other GROUP BY n"};
  EXPECT_THAT(message_of([&] { views.set({per_country(), other, third}); }),
              HasSubstr("other reads third reads other"));
  EXPECT_EQ(views.status().at(0).progress.updates, 1);

  wider.table.name = "wider";
  views.set({wider});
  ASSERT_TRUE(views.wait_until_current(60s));
  EXPECT_EQ(edits_.rows("FROM gold.wider"), edits_.rows(wider.sql));
  // The table of the view that is gone stays, as it was last written.
  EXPECT_EQ(edits_.rows("SELECT country, n, total FROM gold.per_country"),
            edits_.rows(kPerCountry));
}

TEST_F(ViewsTest, ChangesFlowUpThroughViewsOverViews) {
  const ViewSpec sizes = {"a_sizes",
                          {"gold", "sizes"},
                          "SELECT n % 3 AS rest, count(*) AS countries, max(total) AS most FROM "
                          "gold.per_country GROUP BY 1"};
  const ViewSpec total = {
      "total", {"gold", "total"}, "SELECT sum(countries) AS countries FROM gold.sizes"};
  const ViewSpec beside = {
      "beside", {"gold", "beside"}, "SELECT sum(n) AS n, sum(total) AS t FROM gold.per_country"};
  Views views(collaborators());
  views.set({sizes, total, beside, per_country()});
  for (int round = 0; round < 4; ++round) {
    edits_.insert(30, round);
    commit(views);
    ASSERT_TRUE(views.wait_until_current(60s));
    for (const ViewSpec& spec : {sizes, total, beside}) {
      EXPECT_EQ(edits_.rows("FROM " + spec.table.to_string()), edits_.rows(spec.sql)) << round;
    }
    EXPECT_EQ(edits_.rows("SELECT n, t FROM gold.beside"),
              edits_.rows("SELECT count(*), sum(amount) FROM silver.edits"));
    edits_.insert(7, round);  // hot rows show through all of them
    EXPECT_EQ(edits_.rows("SELECT n, t FROM gold.beside"),
              edits_.rows("SELECT count(*), sum(amount) FROM silver.edits"));
  }
  for (const ViewStatus& status : views.status()) {
    EXPECT_EQ(status.progress.rebuilds, 0) << status.name;
    EXPECT_EQ(status.last_error, "");
  }
}

TEST_F(ViewsTest, AViewWaitsForItsSource) {
  Views views(collaborators());
  ViewSpec spec = per_country();
  spec.sql = "SELECT sum(amount) AS total FROM silver.later";
  views.set({spec});
  EXPECT_FALSE(views.wait_until_current(300ms));
  EXPECT_THAT(views.status().at(0).last_error, HasSubstr("silver.later, which does not exist yet"));

  tables::TargetSpec target;
  target.identifier = {"silver", "later"};
  target.columns = {{"amount", "INTEGER"}};
  edits_.tables().open_target(target);
  views.source_committed({target.identifier});
  EXPECT_TRUE(views.wait_until_current(60s));
  EXPECT_EQ(views.status().at(0).last_error, "");
  edits_.rows("FROM gold.per_country");
}

TEST_F(ViewsTest, ChecksAQueryWithoutTables) {
  EXPECT_NO_THROW(check_view(edits_.database(), kPerCountry));
  EXPECT_EQ(lake::kind_thrown_by([&] { check_view(edits_.database(), "SELECT 1 AS one"); }),
            ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace headrace::views
