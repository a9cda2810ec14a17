// Deleted rows: delete files written, read, carried through commits and expiry.

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/database.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/delete_set.h"
#include "lake/delete_writer.h"
#include "lake/testing/error_kind.h"
#include "lake/testing/lake_fixture.h"

namespace headrace::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class DeletesTest : public ::testing::Test {
 protected:
  DeletesTest() { register_delete_function(database_); }

  // Ids from `begin` to before `end`, in a file of its own.
  TablePtr append(const TablePtr& table, int begin, int end) {
    const std::string select =
        format("SELECT i AS id, 'n' || i AS name, NULL::TIMESTAMPTZ AS ts FROM range({}, {}) r(i)",
               begin, end);
    return lake_.append(table, write_data_files(*connection_, *lake_.catalog, *lake_.files,
                                                lake_.random, *table, select));
  }

  DataFile deletes_of(const Table& table, const DataFile& file,
                      const std::vector<int64_t>& positions) {
    return write_position_deletes(*connection_, *lake_.catalog, *lake_.files, lake_.random, table,
                                  file, RowPositions(positions));
  }

  TablePtr commit_files(const TablePtr& table, std::vector<DataFile> added,
                        std::vector<DataFile> removed = {}) {
    TableChange change;
    change.base = table;
    change.added = std::move(added);
    change.removed = std::move(removed);
    change.operation = "overwrite";
    return lake_.catalog->commit({change}).at(0);
  }

  std::vector<DataFile> files(const TablePtr& table) { return lake_.catalog->files(*table); }

  int64_t count(const TablePtr& table, const std::string& where = "true") {
    return connection_->query_integer(
        format("SELECT count(*) FROM ({}) WHERE {}", scan_sql(*table, files(table)), where));
  }

  LakeFixture lake_;
  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_ = database_.connect();
};

TEST_F(DeletesTest, ScansLeaveOutDeletedRowsOfTheirFile) {
  TablePtr table = append(append(lake_.create("t"), 0, 5000), 5000, 10000);
  const std::vector<DataFile> before = files(table);
  table = commit_files(table, {deletes_of(*table, before[0], {0, 2047, 2048, 4999})});
  EXPECT_EQ(count(table), 9996);
  EXPECT_EQ(count(table, "id % 5000 IN (0, 2047, 2048, 4999)"), 4);
  // Positions in the files stay what they are for filters and for further deletes.
  const auto rows = connection_->query_rows(
      format("SELECT _file, _position, id FROM ({}) WHERE id % 5000 = 2049 ORDER BY ALL",
             scan_rows_sql(*table, files(table))));
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0][1], "2049");
  EXPECT_EQ(rows[1][1], "2049");

  const auto& summary = table->metadata.current_snapshot()->summary;
  EXPECT_EQ(summary.at("added-delete-files"), "1");
  EXPECT_EQ(summary.at("added-position-deletes"), "4");
  EXPECT_EQ(summary.at("total-delete-files"), "1");
  EXPECT_EQ(summary.at("total-position-deletes"), "4");
  EXPECT_EQ(summary.at("total-records"), "10000");
}

TEST_F(DeletesTest, ApplyToTheRowsThatWereThereAndGoWithTheirFile) {
  TablePtr table = append(lake_.create("t"), 0, 10);
  const DataFile data = files(table)[0];
  table = commit_files(table, {deletes_of(*table, data, {1}), deletes_of(*table, data, {2, 3})});
  ASSERT_THAT(files(table)[0].deletes, SizeIs(2));
  EXPECT_EQ(live_rows(files(table)[0]), 7);
  EXPECT_EQ(count(table), 7);
  // One file in the place of both, and the data file is still the same.
  std::vector<DataFile> old;
  const DataFile with_both = files(table)[0];
  for (const auto& deletes : with_both.deletes) old.push_back(*deletes);
  table = commit_files(table, {deletes_of(*table, data, {1, 2, 3})}, old);
  EXPECT_EQ(count(table), 7);
  EXPECT_EQ(table->metadata.current_snapshot()->summary.at("total-delete-files"), "1");
  EXPECT_EQ(table->metadata.current_snapshot()->summary.at("removed-position-deletes"), "3");
  // A compaction takes the data file and its deletes away together.
  std::vector<DataFile> gone = files(table);
  gone.push_back(*gone[0].deletes[0]);
  const auto rewritten = write_data_files(*connection_, *lake_.catalog, *lake_.files, lake_.random,
                                          *table, scan_sql(*table, files(table)));
  table = commit_files(table, rewritten, gone);
  EXPECT_EQ(count(table), 7);
  EXPECT_THAT(files(table)[0].deletes, SizeIs(0));
  EXPECT_EQ(table->metadata.current_snapshot()->summary.at("total-position-deletes"), "0");
}

TEST_F(DeletesTest, ColumnsMayBeNamedLikeTheEnginesOwn) {
  CreateTable request;
  request.identifier = {"silver", "named"};
  request.schema = make_schema({{"file_index", "BIGINT"}, {"File_Row_Number", "VARCHAR"}});
  TablePtr table = lake_.catalog->create(request);
  table = lake_.append(
      table, write_data_files(*connection_, *lake_.catalog, *lake_.files, lake_.random, *table,
                              "SELECT 7 + i AS file_index, 'a' AS "
                              "\"File_Row_Number\" FROM range(3) r(i)"));
  table = commit_files(table, {deletes_of(*table, files(table)[0], {0})});
  EXPECT_EQ(count(table, "file_index IN (8, 9) AND \"File_Row_Number\" = 'a'"), 2);
  EXPECT_EQ(count(table), 2);
}

TEST_F(DeletesTest, OlderSnapshotsKeepTheirRows) {
  TablePtr table = append(lake_.create("t"), 0, 10);
  const SnapshotId before = *table->metadata.current_snapshot_id;
  table = commit_files(table, {deletes_of(*table, files(table)[0], {4})});
  EXPECT_EQ(
      connection_->query_integer(format("SELECT count(*) FROM ({})",
                                        scan_sql(*table, lake_.catalog->files(*table, before)))),
      10);
  EXPECT_EQ(count(table), 9);
}

TEST_F(DeletesTest, ManyCommitsMergeManifestsOfDeletes) {
  LakeFixture lake(
      {.keep_snapshots = 3, .keep_snapshots_ms = -1, .max_snapshots = 3, .merge_manifests_at = 3});
  TablePtr table = lake.create("t");
  table = lake.append(
      table, write_data_files(*connection_, *lake.catalog, *lake.files, lake.random, *table,
                              "SELECT i AS id, '' AS name, NULL::TIMESTAMPTZ AS ts "
                              "FROM range(100) r(i)"));
  std::string first_deletes;
  for (int64_t i = 0; i < 20; ++i) {
    const DataFile data = lake.catalog->files(*table)[0];
    TableChange change;
    change.base = table;
    RowPositions positions({i});
    if (data.deletes.size() == 4) {
      for (const auto& deletes : data.deletes) change.removed.push_back(*deletes);
      for (int64_t earlier = 0; earlier < i; ++earlier) positions.add(earlier);
    }
    change.added = {write_position_deletes(*connection_, *lake.catalog, *lake.files, lake.random,
                                           *table, data, positions)};
    change.operation = "delete";
    if (i == 0) first_deletes = local_path(change.added[0].path);
    table = lake.catalog->commit({change}).at(0);
  }
  const auto files = lake.catalog->files(*table);
  EXPECT_EQ(
      connection_->query_integer(format("SELECT count(*) FROM ({})", scan_sql(*table, files))), 80);
  // What no snapshot needs any more is gone from the disk, and nothing else.
  EXPECT_FALSE(lake.files->exists(first_deletes));
  for (const auto& deletes : files[0].deletes) {
    EXPECT_TRUE(lake.files->exists(local_path(deletes->path)));
  }
}

TEST_F(DeletesTest, AChangeByPositionIsRefusedWhenAnybodyCommittedMeanwhile) {
  const TablePtr table = append(lake_.create("t"), 0, 10);
  TableChange change;
  change.base = table;
  change.added = {deletes_of(*table, files(table)[0], {4})};
  change.only_on_base = true;
  append(table, 10, 20);
  EXPECT_EQ(kind_thrown_by([&] { lake_.catalog->commit({change}); }), ErrorKind::kConflict);
}

// Only other engines write these.
TEST_F(DeletesTest, DeletesByValueApplyToEarlierRows) {
  TablePtr table = append(lake_.create("t"), 0, 10);
  const std::string path = lake_.catalog->data_directory(*table) + "/by-value.parquet";
  connection_->execute(format(
      "COPY (SELECT unnest(['n3', 'n4']) AS name) TO '{}' (FORMAT parquet, FIELD_IDS {{name: 2}})",
      path));
  DataFile by_value;
  by_value.content = FileContent::kEqualityDeletes;
  by_value.equality_ids = {2};
  by_value.path = file_uri(path);
  by_value.record_count = 2;
  by_value.file_size_bytes = static_cast<int64_t>(lake_.files->info(path).size_bytes);
  table = commit_files(table, {by_value, deletes_of(*table, files(table)[0], {9})});
  table = append(table, 3, 4);  // the same again, later
  EXPECT_EQ(count(table), 8);
  EXPECT_EQ(count(table, "id = 3"), 1);
  EXPECT_EQ(count(table, "id IN (4, 9)"), 0);
}

TEST_F(DeletesTest, LayersAreSeenFromTheirVersionOn) {
  const auto no_loader = [](const DataFile&, const std::string&) { return RowPositionsPtr(); };
  const auto set = DeleteSet::make();
  set->add_file("a", {}, std::make_shared<const RowPositions>(std::vector<int64_t>{1}));
  set->add_file("b", {});
  const auto positions = [&](size_t file, int64_t version) {
    const RowPositionsPtr found = set->deleted(file, version, no_loader);
    return found ? found->sorted() : std::vector<int64_t>{};
  };
  set->add_layer(1, {{0, RowPositions({5})}});
  set->add_layer(2, {{0, RowPositions({6})}, {1, RowPositions({0})}});
  EXPECT_THAT(positions(0, 2), ElementsAre(1, 5, 6));
  EXPECT_THAT(positions(0, 1), ElementsAre(1, 5));
  EXPECT_THAT(positions(0, 0), ElementsAre(1));
  EXPECT_THAT(positions(1, 1), ElementsAre());
  EXPECT_THAT(positions(1, 9), ElementsAre(0));
  set->remove_layers_from(2);
  EXPECT_THAT(positions(0, 9), ElementsAre(1, 5));
  set->add_layer(2, {{0, RowPositions({7})}});
  EXPECT_THAT(positions(0, 2), ElementsAre(1, 5, 7));
  EXPECT_EQ(DeleteSet::find(set->id()), set);
  EXPECT_EQ(kind_thrown_by([] { DeleteSet::find(-1); }), ErrorKind::kUnavailable);
}

TEST(RowPositionsTest, MarksWhatIsAbsentInRunsAndOutOfOrder) {
  const RowPositions some({0, 3, 2048, 70000});
  std::vector<int64_t> run(10);
  for (size_t i = 0; i < run.size(); ++i) run[i] = static_cast<int64_t>(i) + 2;
  bool flags[10];
  some.mark_absent(run.data(), run.size(), flags);
  EXPECT_THAT(flags, ElementsAre(true, false, true, true, true, true, true, true, true, true));
  const std::vector<int64_t> scattered{70000, 1, 3};
  some.mark_absent(scattered.data(), scattered.size(), flags);
  EXPECT_FALSE(flags[0]);
  EXPECT_TRUE(flags[1]);
  EXPECT_FALSE(flags[2]);
  EXPECT_EQ(to_ranges({0, 1, 2, 5, 7, 8}), "0-2,5,7-8");
  EXPECT_THAT(from_ranges("0-2,5,7-8"), ElementsAre(0, 1, 2, 5, 7, 8));
  EXPECT_THAT(from_ranges(""), SizeIs(0));
}

}  // namespace
}  // namespace headrace::lake
