// Merges on the maintainer's thread, a job that changes the same table by key on another one, and
// queries on a third: none sees a row twice or not at all.

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/testing/environment.h"
#include "maintenance/maintainer.h"
#include "maintenance/tests/changed_table.h"

namespace headrace::maintenance {
namespace {

constexpr int kBatches = kIsSanitized ? 40 : 100;
constexpr int64_t kKeys = 400;

// All keys, each once in a while given another amount, few of them deleted and given again.
TableModel::Batch changes(SeededRandom& random, int batch) {
  TableModel::Batch batch_changes;
  for (int i = 0; i < 40; ++i) {
    batch_changes.push_back(
        {static_cast<int64_t>(random.below(kKeys)), batch * 100 + i, random.below(10) == 0});
  }
  return batch_changes;
}

class BesideJobTest : public ::testing::TestWithParam<int> {
 protected:
  void commit() {
    for (;;) {
      try {
        table_.seal();
        table_.commit();
        return;
      } catch (const jobs::TableMoved&) {
        table_.end_job();
        table_.begin_job();
      }
    }
  }

  // Counts what no instant may show.
  void query(const std::stop_token& stop) {
    const auto connection = table_.engine().connect();
    while (!stop.stop_requested()) {
      const auto rows = connection->query_rows(
          "SELECT count(*) - count(DISTINCT id), count(*) FILTER (WHERE id < 0) FROM silver.model");
      if (rows.at(0).at(0) != "0") ++doubled_;
      if (rows.at(0).at(1) != "1") ++lost_;
      ++queries_;
    }
  }

  ChangedTable table_{7, {"bucket(2, id)"}, GetParam()};
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
  std::atomic<int> queries_ = 0;
  std::atomic<int> doubled_ = 0;
  std::atomic<int> lost_ = 0;
};

TEST_P(BesideJobTest, MergesDisturbNeitherTheJobNorQueries) {
  SeededRandom random(21);
  table_.begin_job();
  table_.run_batch({{-1, 0, false}});  // nothing ever changes it
  commit();
  MaintainerOptions options;
  options.planner.min_files = 2;
  options.planner.max_dead_percent = 5;
  options.interval = milliseconds(1);
  options.share_percent = 100;
  Maintainer maintainer({table_.catalog(),
                         table_.file_system,
                         table_.clock,
                         table_.random,
                         *metrics_,
                         [](const auto&) {},
                         nullptr,
                         {},
                         &table_.tables()},
                        options);
  maintainer.start();
  std::jthread reader([this](const std::stop_token& stop) { query(stop); });
  for (int batch = 0; batch < kBatches; ++batch) {
    table_.run_batch(changes(random, batch));
    if (batch % 3 == 2) commit();
  }
  commit();
  maintainer.stop();
  reader.request_stop();
  reader.join();
  EXPECT_EQ(doubled_, 0) << "of " << queries_ << " queries";
  EXPECT_EQ(lost_, 0) << "of " << queries_ << " queries";
  EXPECT_EQ(table_.rows(), table_.expected(table_.model.current()));
  EXPECT_EQ(table_.committed_rows(), table_.expected(table_.model.committed()));
  EXPECT_EQ(table_.rows(), table_.committed_rows());
  int merged = 0;
  for (const auto& run : maintainer.history()) {
    if (run.operation == "merge" && run.state == RunState::kDone) ++merged;
    EXPECT_NE(run.state, RunState::kFailed) << run.error;
  }
  EXPECT_GT(merged, 0);
}

INSTANTIATE_TEST_SUITE_P(Formats, BesideJobTest, ::testing::Values(2, 3),
                         [](const auto& test) { return format("Version{}", test.param); });

}  // namespace
}  // namespace headrace::maintenance
