#include "maintenance/maintainer.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "maintenance/tests/maintenance_fixture.h"

namespace headrace::maintenance {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class MaintainerTest : public MaintenanceTest {
 protected:
  MaintainerTest() { lake_.create("edits"); }
  void append_small_files(int count) {
    for (int i = 0; i < count; ++i) append(i * 10, 10);
  }
  void wait_until_one_file(const std::string& table = "edits") {
    for (int i = 0; i < 30'000; ++i) {
      if (lake_.catalog->files(*load(table)).size() == 1) return;
      lake_.clock.sleep_for(milliseconds(2), {});
    }
    ADD_FAILURE() << table << " was not merged";
  }
};

TEST_F(MaintainerTest, MergesByItselfWhileTheWriterCommits) {
  const auto maintainer = this->maintainer(eager_options());
  maintainer->start();
  append_small_files(25);
  wait_until_one_file();
  maintainer->stop();
  EXPECT_THAT(contents(), ::testing::StartsWith("250:"));
  EXPECT_GT(changes_, 0);
  const auto history = maintainer->history();
  ASSERT_FALSE(history.empty());
  int64_t merged = 0;
  for (const auto& run : history) {
    EXPECT_EQ(run.operation, "merge");
    if (run.state == RunState::kDone) merged += run.files_before - run.files_after;
  }
  EXPECT_EQ(merged, 24);
}

TEST_F(MaintainerTest, LooksBeforeTheIntervalIsOverAfterManyCommits) {
  MaintainerOptions options = eager_options();
  options.interval = std::chrono::hours(24);
  options.many_commits = 5;
  const auto maintainer = this->maintainer(options);
  maintainer->start();
  size_t appended = 0;
  while (appended < 600 && file_count() == appended) {
    append_small_files(1);
    ++appended;
    lake_.clock.sleep_for(milliseconds(100), {});
  }
  maintainer->stop();
  EXPECT_LT(file_count(), appended);
}

TEST_F(MaintainerTest, OptimizeByHandSortsAndIsRecorded) {
  append_small_files(3);
  const auto maintainer = this->maintainer({});
  const std::string before = contents();
  const Optimized done = maintainer->optimize({"bronze", "edits"}, {"name", "id"}, {});
  EXPECT_EQ(done.merges, 1);
  EXPECT_EQ(done.files_before, 3);
  EXPECT_EQ(done.files_after, 1);
  EXPECT_EQ(contents(), before);
  const lake::TablePtr table = load();
  const auto rows = connection_->query_rows(
      format("SELECT count(*) FROM (SELECT name, lag(name) OVER () AS earlier FROM ({})) "
             "WHERE earlier > name",
             lake::scan_sql(*table, lake_.catalog->files(*table))));
  EXPECT_EQ(rows[0][0], "0");
  EXPECT_THROW(maintainer->optimize({"bronze", "edits"}, {"no such"}, {}), Error);
  EXPECT_EQ(maintainer->optimize({"bronze", "edits"}, {}, {}).merges, 0);
  const auto history = maintainer->history();
  ASSERT_THAT(history, SizeIs(1));
  EXPECT_EQ(history[0].state, RunState::kDone);
  EXPECT_EQ(history[0].bytes_after, done.bytes_after);
}

TEST_F(MaintainerTest, LeavesViewsAndWhoSaysSoAlone) {
  append_small_files(12);
  lake::TableChange change;
  change.base = load();
  change.set_properties = {{"headrace.maintenance", "false"}};
  lake_.catalog->commit({change});
  lake_.create("other");
  const auto maintainer = this->maintainer(eager_options());
  maintainer->start();
  // A table that may be merged shows that a round has passed.
  for (int i = 0; i < 3; ++i) {
    lake::TableChange other;
    other.base = load("other");
    other.added = lake::write_data_files(*connection_, *lake_.catalog, *lake_.files, lake_.random,
                                         *other.base, "SELECT 1 AS id, 'x' AS name, now() AS ts");
    lake_.catalog->commit({other});
  }
  wait_until_one_file("other");
  maintainer->stop();
  EXPECT_EQ(file_count(), 12U);
}

lake::CatalogOptions keeping_two(Maintainer*& told) {
  lake::CatalogOptions options;
  options.keep_snapshots = 2;
  options.keep_snapshots_ms = 0;
  options.on_expired = [&told](const auto& table, size_t snapshots, size_t files) {
    if (told != nullptr) told->expired(table, snapshots, files);
  };
  return options;
}

class ExpiryTest : public MaintenanceTest {
 protected:
  ExpiryTest() : MaintenanceTest(keeping_two(told_)) { lake_.create("edits"); }
  // No constructor runs that would set it after the catalog has been given its address.
  static inline Maintainer* told_ = nullptr;
  void TearDown() override { told_ = nullptr; }
};

TEST_F(ExpiryTest, OfCommitsIsOneRunOfItsTable) {
  const auto maintainer = this->maintainer({});
  told_ = maintainer.get();
  const auto append_later = [&](int first) {
    lake_.clock.sleep_for(milliseconds(3), {});  // older than now is what expires
    append(first, 10);
  };
  for (int i = 0; i < 2; ++i) append_later(i * 10);
  EXPECT_THAT(maintainer->history(), ::testing::IsEmpty());
  append_later(20);
  ASSERT_THAT(maintainer->history(), SizeIs(1));
  const int64_t first_files = maintainer->history()[0].files_before;
  EXPECT_GT(first_files, 0);
  for (int i = 3; i < 6; ++i) append_later(i * 10);
  const auto history = maintainer->history();
  ASSERT_THAT(history, SizeIs(1));
  EXPECT_EQ(history[0].operation, "expire");
  EXPECT_EQ(history[0].state, RunState::kDone);
  EXPECT_TRUE(history[0].is_by_commits);
  EXPECT_GT(history[0].files_before, first_files);
  EXPECT_THAT(metrics_->expose(),
              ::testing::HasSubstr("headrace_maintenance_expired_snapshots_total 4"));
}

TEST_F(ExpiryTest, ByHandTellsTheFilesThatWent) {
  for (int i = 0; i < 2; ++i) append(i * 10, 10);
  const auto maintainer = this->maintainer({});
  told_ = maintainer.get();
  lake_.clock.sleep_for(milliseconds(5), {});
  EXPECT_EQ(maintainer->expire({"bronze", "edits"}, {1, 0}), 1);
  const auto history = maintainer->history();
  ASSERT_THAT(history, SizeIs(1));
  EXPECT_FALSE(history[0].is_by_commits);
  EXPECT_GT(history[0].files_before, 0);
}

TEST_F(MaintainerTest, ExpiresSnapshotsAndRollsBack) {
  append_small_files(5);
  const auto maintainer = this->maintainer({});
  const lake::SnapshotId third = load()->metadata.snapshots.at(2).snapshot_id;
  EXPECT_EQ(maintainer->roll_back({"bronze", "edits"}, third)->metadata.current_snapshot_id, third);
  EXPECT_THAT(contents(), ::testing::StartsWith("30:"));
  // Goes on from there.
  append(100, 10);
  EXPECT_THAT(contents(), ::testing::StartsWith("40:"));
  EXPECT_EQ(maintainer->expire({"bronze", "edits"}, {1, 3'600'000}), 0);
  EXPECT_THROW(maintainer->expire({"bronze", "edits"}, {0, 0}), Error);
  lake_.clock.sleep_for(milliseconds(5), {});  // until all are older than now
  EXPECT_EQ(maintainer->expire({"bronze", "edits"}, {1, 0}), 5);
  EXPECT_THAT(load()->metadata.snapshots, SizeIs(1));
  EXPECT_THAT(contents(), ::testing::StartsWith("40:"));
  EXPECT_THROW(maintainer->roll_back({"bronze", "edits"}, third), Error);
  EXPECT_EQ(maintainer->history().front().state, RunState::kFailed);
  // What only the branch that was left needed is nobody's any more.
  EXPECT_GT(maintainer->remove_orphans({"bronze", "edits"}, milliseconds(-1000)).files, 0);
  EXPECT_THAT(contents(), ::testing::StartsWith("40:"));
}

TEST_F(MaintainerTest, OfProcessesThatShareTablesOneMaintainsThem) {
  append_small_files(12);
  store::Leases leases(*lake_.store);
  const auto other = leases.try_acquire("maintenance", "other", milliseconds(3'600'000));
  ASSERT_TRUE(other);
  MaintainerOptions options = eager_options();
  Maintainer waiting({*lake_.catalog,
                      *lake_.files,
                      lake_.clock,
                      lake_.random,
                      *metrics_,
                      {},
                      lake_.store.get(),
                      "this"},
                     options);
  waiting.start();
  lake_.clock.sleep_for(milliseconds(50), {});
  EXPECT_THAT(waiting.history(), IsEmpty());
  leases.release(*other);
  wait_until_one_file();
  waiting.stop();
  EXPECT_FALSE(leases.find("maintenance")->is_held);
}

}  // namespace
}  // namespace headrace::maintenance
