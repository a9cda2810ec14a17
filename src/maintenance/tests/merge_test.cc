// Merging real files: contents stay, whatever happens meanwhile and whatever fails.

#include "maintenance/merge.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/testing/faulty_file_system.h"
#include "lake/delete_writer.h"
#include "maintenance/tests/maintenance_fixture.h"

namespace headrace::maintenance {
namespace {

using ::testing::AnyOf;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MergeTest : public MaintenanceTest {
 protected:
  static PlannerOptions eager() {
    PlannerOptions options;
    options.eager = true;
    return options;
  }
  std::vector<MergeTask> plan() {
    const lake::TablePtr table = load();
    return plan_merges(table, lake_.catalog->files(*table), eager());
  }
  std::optional<Merged> run(const MergeTask& task, const MergeOrder& order = {}) {
    return merge({database_, *lake_.catalog, *lake_.files, lake_.random}, task, order);
  }
  // Of the i-th data file, by position.
  void delete_rows(size_t file, const std::vector<int64_t>& positions) {
    lake::TableChange change;
    change.base = load();
    const lake::DataFile data = lake_.catalog->files(*change.base).at(file);
    change.added = {lake::write_position_deletes(*connection_, *lake_.catalog, *lake_.files,
                                                 lake_.random, *change.base, data,
                                                 lake::RowPositions(positions))};
    change.operation = "delete";
    lake_.catalog->commit({change});
  }
  // As only other engines do it.
  void delete_by_id(const std::string& ids) {
    lake::TableChange change;
    change.base = load();
    const std::string path =
        format("{}/by-id-{}.parquet", lake_.catalog->data_directory(*change.base),
               make_uuid(lake_.random));
    connection_->execute(
        format("COPY (SELECT CAST(unnest([{}]) AS BIGINT) AS id) TO '{}' "
               "(FORMAT parquet, FIELD_IDS {{id: 1}})",
               ids, path));
    lake::DataFile deletes;
    deletes.content = lake::FileContent::kEqualityDeletes;
    deletes.equality_ids = {1};
    deletes.path = objects::file_uri(path);
    deletes.record_count = connection_->query_integer(format("SELECT len([{}])", ids));
    deletes.file_size_bytes = static_cast<int64_t>(lake_.files->info(path).size_bytes);
    change.added = {deletes};
    change.operation = "delete";
    lake_.catalog->commit({change});
  }
};

TEST_F(MergeTest, ManyFilesBecomeOneAndReadersOfChangesSeeNothingNew) {
  lake_.create("edits");
  lake::SnapshotId before_merge = 0;
  for (int i = 0; i < 10; ++i) {
    before_merge = *append(*lake_.catalog, *lake_.files, i * 100, 100,
                           {{"headrace.positions", std::to_string(i)}})
                        ->metadata.current_snapshot_id;
  }
  const std::string before = contents();
  const auto tasks = plan();
  ASSERT_THAT(tasks, SizeIs(1));
  const auto merged = run(tasks[0]);
  ASSERT_TRUE(merged);
  EXPECT_EQ(file_count(), 1U);
  EXPECT_EQ(contents(), before);
  const lake::Snapshot& snapshot = *merged->table->metadata.current_snapshot();
  EXPECT_EQ(snapshot.summary.at("operation"), "replace");
  EXPECT_EQ(snapshot.summary.at("total-records"), "1000");
  EXPECT_EQ(snapshot.summary.at("headrace.positions"), "9");
  EXPECT_THAT(lake_.catalog->files_added_after(*merged->table, before_merge), IsEmpty());
  append(1000, 5);
  EXPECT_THAT(lake_.catalog->files_added_after(*load(), before_merge), SizeIs(1));
}

TEST_F(MergeTest, PartitionsStayApart) {
  lake_.create("edits", {"day(ts)", "bucket(2, id)"});
  for (int i = 0; i < 6; ++i) append(i * 10, 30);
  const std::string before = contents();
  for (const MergeTask& task : plan()) ASSERT_TRUE(run(task));
  EXPECT_EQ(contents(), before);
  std::set<lake::PartitionValues> partitions;
  for (const lake::DataFile& file : lake_.catalog->files(*load())) {
    EXPECT_TRUE(partitions.insert(file.partition).second) << file.path;
  }
}

TEST_F(MergeTest, TheWritersCommitsMeanwhileStayAndDoNotFail) {
  lake_.create("edits");
  for (int i = 0; i < 5; ++i) append(i * 10, 10);
  const auto tasks = plan();
  append(50, 10);
  ASSERT_TRUE(run(tasks.at(0)));
  EXPECT_EQ(file_count(), 2U);
  EXPECT_THAT(contents(), ::testing::StartsWith("60:"));
  // The other way round: a commit that was based on the table before the merge.
  lake::TableChange change;
  change.base = load();
  change.added = {lake_.named_file(*change.base, "late", 1)};
  ASSERT_TRUE(run(plan().at(0)));
  EXPECT_THAT(lake_.catalog->commit({change}), SizeIs(1));
}

TEST_F(MergeTest, WhoComesSecondLosesNothing) {
  lake_.create("edits");
  for (int i = 0; i < 5; ++i) append(i * 10, 10);
  const std::string before = contents();
  const auto tasks = plan();
  ASSERT_TRUE(run(tasks.at(0)));
  EXPECT_FALSE(run(tasks.at(0)));
  EXPECT_EQ(contents(), before);
  EXPECT_THAT(lake_.files->list(lake_.catalog->data_directory(*load())), SizeIs(6));
}

TEST_F(MergeTest, RowsThatAreDeletedMeanwhileDoNotComeBack) {
  lake_.create("edits");
  for (int i = 0; i < 3; ++i) append(i * 10, 10);
  delete_rows(0, {9});
  for (const char* order : {"", "name DESC, id"}) {
    const auto tasks = plan();
    delete_rows(1, {0, 4});
    delete_rows(2, {5});
    delete_rows(0, {1});
    const std::string before = contents();
    const auto merged = run(tasks.at(0), {order, {}});
    ASSERT_TRUE(merged);
    EXPECT_EQ(contents(), before);
    // The new file's own deletes are all that is left of them.
    ASSERT_EQ(file_count(), 1U);
    EXPECT_THAT(lake_.catalog->delete_files(*load()), SizeIs(1));
    ASSERT_TRUE(run(plan().at(0), {order, {}}));
    EXPECT_EQ(contents(), before);
    EXPECT_THAT(lake_.catalog->delete_files(*load()), IsEmpty());
    for (int i = 3; i < 6; ++i) append(i * 10, 10);
  }
}

TEST_F(MergeTest, DeletesByValueAreAppliedAndMeetNoLaterRow) {
  lake_.create("edits");
  append(0, 10);
  append(10, 10);
  delete_by_id("3, 14");
  append(0, 5);  // 3 once more
  delete_rows(2, {0});
  const std::string before = contents();
  ASSERT_THAT(before, ::testing::StartsWith("22:"));
  const auto tasks = plan();
  ASSERT_THAT(tasks, SizeIs(1));
  ASSERT_TRUE(run(tasks[0]));
  EXPECT_EQ(contents(), before);
  ASSERT_EQ(file_count(), 1U);
  EXPECT_FALSE(lake::has_equality_deletes(lake_.catalog->files(*load()).at(0)));
  append(0, 5);
  EXPECT_THAT(contents(), ::testing::StartsWith("27:"));
}

TEST_F(MergeTest, ADeleteByValueMeanwhileStopsTheMerge) {
  lake_.create("edits");
  append(0, 10);
  append(10, 10);
  const auto tasks = plan();
  delete_by_id("7");
  const std::string before = contents();
  EXPECT_FALSE(run(tasks.at(0)));
  EXPECT_EQ(contents(), before);
  EXPECT_THAT(before, ::testing::StartsWith("19:"));
  ASSERT_TRUE(run(plan().at(0)));
  EXPECT_EQ(contents(), before);
}

TEST_F(MergeTest, AFileWithoutALiveRowGoes) {
  lake_.create("edits", {"bucket(2, id)"});
  append(0, 20);
  const auto files = lake_.catalog->files(*load());
  std::vector<int64_t> all;
  for (int64_t i = 0; i < files[0].record_count; ++i) all.push_back(i);
  delete_rows(0, all);
  const std::string before = contents();
  const auto merged = run(plan().at(0));
  ASSERT_TRUE(merged);
  EXPECT_THAT(merged->added, IsEmpty());
  EXPECT_EQ(file_count(), 1U);
  EXPECT_EQ(contents(), before);
}

TEST_F(MergeTest, RowsThatCameBackByARollBackStopTheMerge) {
  lake_.create("edits");
  for (int i = 0; i < 2; ++i) append(i * 10, 10);
  lake::TableChange back;
  back.roll_back_to = load()->metadata.current_snapshot_id;
  delete_rows(0, {3});
  const auto tasks = plan();
  back.base = load();
  lake_.catalog->commit({back});
  EXPECT_FALSE(run(tasks.at(0)));
  EXPECT_THAT(contents(), ::testing::StartsWith("20:"));
}

TEST_F(MergeTest, RowsThatAreMissingStopTheMerge) {
  lake_.create("edits");
  append(0, 10);
  append(10, 10);
  auto task = plan().at(0);
  task.files[0].record_count += 1;
  EXPECT_THROW(run(task), Error);
  EXPECT_EQ(file_count(), 2U);
  EXPECT_THAT(lake_.files->list(lake_.catalog->data_directory(*load())), SizeIs(2));
}

// After each step the table holds exactly what was appended.
TEST_F(MergeTest, RandomAppendsAndMergesKeepTheContents) {
  for (const uint64_t seed : {11, 12}) {
    SCOPED_TRACE(seed);
    SeededRandom steps(seed);
    const bool partitioned = seed % 2 == 0;
    lake_.create("edits",
                 partitioned ? std::vector<std::string>{"day(ts)"} : std::vector<std::string>{});
    int next = 0;
    for (int step = 0; step < 40; ++step) {
      std::vector<MergeTask> tasks = plan();
      if (!tasks.empty() && steps.below(3) == 0) {
        const std::string before = contents();
        ASSERT_TRUE(run(tasks[steps.below(tasks.size())]));
        ASSERT_EQ(contents(), before);
        continue;
      }
      const int count = 1 + static_cast<int>(steps.below(60));
      append(next, count);
      next += count;
      const auto rows =
          connection_->query_rows(format("SELECT count(*), count(DISTINCT id), max(id) FROM ({})",
                                         lake::scan_sql(*load(), lake_.catalog->files(*load()))));
      ASSERT_EQ(rows[0][0], std::to_string(next));
      ASSERT_EQ(rows[0][1], std::to_string(next));
      ASSERT_EQ(rows[0][2], std::to_string(next - 1));
    }
    lake_.catalog->drop({"bronze", "edits"}, true);
  }
}

// Fails the n-th file operation of a merge, for every n: the table holds the same rows before and
// after, and a second try works.
TEST_F(MergeTest, AnyFaultLeavesTheTableAsItWas) {
  lake_.create("edits", {"bucket(2, id)"});
  for (int i = 0; i < 3; ++i) append(i * 10, 10);
  const std::string before = contents();
  lake::TableChange to_small_files;
  to_small_files.roll_back_to = load()->metadata.current_snapshot_id;
  for (const bool stay_broken : {false, true}) {
    bool completed = false;
    for (int fail_at = 1; !completed; ++fail_at) {
      ASSERT_LT(fail_at, 300);
      to_small_files.base = load();
      lake_.catalog->commit({to_small_files});
      const auto tasks = plan();
      ASSERT_THAT(tasks, SizeIs(2));
      FaultyFileSystem faulty(*lake_.files, fail_at, stay_broken);
      const auto catalog =
          lake::Catalog::open(*lake_.store, faulty, lake_.clock, lake_.random,
                              {.warehouse = lake_.directory.path() + "/warehouse"});
      try {
        merge({database_, *catalog, faulty, lake_.random}, tasks[0]);
        completed = !faulty.failed();
      } catch (const Error& error) {
        EXPECT_THAT(error.kind(), AnyOf(ErrorKind::kUnavailable, ErrorKind::kCommitUnknown))
            << error.message();
      }
      ASSERT_EQ(contents(), before) << "operation " << fail_at;
    }
  }
}

}  // namespace
}  // namespace headrace::maintenance
