// Tables of format version 3: deletion vectors, row ids, the way there from version 2.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/database.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/delete_reader.h"
#include "lake/delete_writer.h"
#include "lake/row_deletes.h"
#include "lake/row_lineage.h"
#include "lake/table_changes.h"
#include "lake/testing/error_kind.h"
#include "lake/testing/lake_fixture.h"

namespace headrace::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Format3Test : public ::testing::Test {
 protected:
  Format3Test() { register_delete_function(database_); }

  TablePtr create(int format_version = 3) {
    CreateTable request;
    request.identifier = {"silver", "t"};
    request.schema = make_schema({{"id", "BIGINT"}});
    request.format_version = format_version;
    return lake_.catalog->create(request);
  }

  std::vector<DataFile> write(const TablePtr& table, int begin, int end) {
    return write_data_files(*connection_, *lake_.catalog, *lake_.files, lake_.random, *table,
                            format("SELECT i AS id FROM range({}, {}) r(i)", begin, end));
  }
  TablePtr append(const TablePtr& table, int begin, int end) {
    return lake_.append(table, write(table, begin, end));
  }

  TablePtr commit(TableChange change, const TablePtr& table, const std::string& operation) {
    change.base = table;
    change.operation = operation;
    return lake_.catalog->commit({change}).at(0);
  }

  // Deletes rows of several files in one commit.
  TablePtr delete_rows(const TablePtr& table,
                       const std::map<size_t, std::vector<int64_t>>& positions) {
    const std::vector<DataFile> all = files(table);
    std::vector<DeletedRows> deleted;
    for (const auto& [number, fresh] : positions) {
      const DataFile& file = all.at(number);
      DeletedRows some{file, RowPositions(fresh), RowPositions(fresh)};
      for (const auto& deletes : file.deletes) {
        if (const auto before = reader_.read(*deletes, file.path)) some.all.add(*before);
      }
      deleted.push_back(std::move(some));
    }
    DeleteFiles written = lake::delete_rows(*connection_, *lake_.catalog, *lake_.files,
                                            lake_.random, *table, deleted);
    return commit({.added = written.added, .removed = written.removed}, table, "delete");
  }

  TablePtr upgrade(const TablePtr& table) { return commit({.format_version = 3}, table, "append"); }

  std::vector<DataFile> files(const TablePtr& table) {
    std::vector<DataFile> all = lake_.catalog->files(*table);
    std::sort(all.begin(), all.end(), [](const DataFile& a, const DataFile& b) {
      return a.sequence_number < b.sequence_number;
    });
    return all;
  }

  int64_t sum(const TablePtr& table) {
    return connection_->query_integer(
        format("SELECT coalesce(sum(id), 0)::BIGINT FROM ({})", scan_sql(*table, files(table))));
  }

  // "id: row id, last updated" of each row.
  std::vector<std::string> lineage(const TablePtr& table) {
    std::vector<std::string> rows;
    for (const auto& row : connection_->query_rows(
             format("SELECT id, _row_id, _last_updated_sequence_number FROM ({}) ORDER BY id",
                    scan_moving_rows_sql(*table, files(table))))) {
      rows.push_back(
          format("{}: {}, {}", *row[0], row[1].value_or("NULL"), row[2].value_or("NULL")));
    }
    return rows;
  }

  // As another process reads it.
  TablePtr read_again() {
    CatalogOptions options;
    options.warehouse = lake_.directory.path() + "/warehouse";
    other_ = Catalog::open(*lake_.store, *lake_.files, lake_.clock, lake_.random, options);
    return other_->load({"silver", "t"});
  }

  LakeFixture lake_;
  std::unique_ptr<Catalog> other_;
  engine::Database database_;
  DeleteReader reader_{database_};
  std::unique_ptr<engine::Connection> connection_ = database_.connect();
};

TEST_F(Format3Test, DeletesAreVectorsThatTakeEachOthersPlace) {
  TablePtr table = append(append(create(), 0, 10), 10, 20);
  table = delete_rows(table, {{0, {1, 2}}, {1, {0}}});
  EXPECT_EQ(sum(table), 190 - 1 - 2 - 10);
  const std::vector<DataFile> first = lake_.catalog->delete_files(*table);
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_EQ(first[0].path, first[1].path);  // one Puffin file holds both
  EXPECT_NE(first[0].identity(), first[1].identity());
  EXPECT_EQ(live_rows(files(table)[0]), 8);

  table = delete_rows(table, {{0, {9}}});
  EXPECT_EQ(sum(table), 190 - 1 - 2 - 10 - 9);
  const std::vector<DataFile> second = lake_.catalog->delete_files(*table);
  ASSERT_THAT(second, SizeIs(2));
  EXPECT_NE(second[0].path, second[1].path);
  EXPECT_EQ(live_rows(files(table)[0]), 7);
  const Summary& summary = table->metadata.current_snapshot()->summary;
  EXPECT_EQ(summary.at("added-dvs"), "1");
  EXPECT_EQ(summary.at("removed-dvs"), "1");
  EXPECT_EQ(summary.at("added-delete-files"), "1");
  EXPECT_EQ(summary.count("added-position-delete-files"), 0U);
  EXPECT_EQ(summary.at("total-delete-files"), "2");
  EXPECT_EQ(summary.at("total-position-deletes"), "4");

  // The same through files alone.
  const TablePtr again = read_again();
  EXPECT_EQ(again->metadata.format_version, 3);
  EXPECT_EQ(connection_->query_integer(format("SELECT sum(id)::BIGINT FROM ({})",
                                              scan_sql(*again, other_->files(*again)))),
            sum(table));
}

TEST_F(Format3Test, AVectorGoesWithItsDataFile) {
  TablePtr table = append(append(create(), 0, 10), 10, 20);
  table = delete_rows(table, {{0, {1}}, {1, {0}}});
  table = commit({.removed = {files(table)[0]}}, table, "delete");
  ASSERT_THAT(lake_.catalog->delete_files(*table), SizeIs(1));
  EXPECT_EQ(table->metadata.current_snapshot()->summary.at("removed-dvs"), "1");
  EXPECT_EQ(sum(table), 145 - 10);
}

TEST_F(Format3Test, APuffinFileStaysWhileOneOfItsVectorsIsInUse) {
  TablePtr table = append(append(create(), 0, 10), 10, 20);
  table = delete_rows(table, {{0, {1}}, {1, {0}}});
  const std::string puffin = local_path(lake_.catalog->delete_files(*table)[0].path);
  const auto expire = [&] {
    table = commit({.retention = SnapshotRetention{1, -1}}, table, "append");
  };
  table = delete_rows(table, {{0, {2}}});
  expire();
  EXPECT_TRUE(lake_.files->exists(puffin));
  EXPECT_EQ(sum(table), 190 - 1 - 2 - 10);
  table = delete_rows(table, {{1, {1}}});
  EXPECT_TRUE(lake_.files->exists(puffin));  // the snapshot before needs it
  expire();
  EXPECT_FALSE(lake_.files->exists(puffin));
  EXPECT_EQ(sum(table), 190 - 1 - 2 - 10 - 11);
  EXPECT_THAT(lake_.catalog->referenced_files(*table),
              ::testing::Contains(lake_.catalog->delete_files(*table)[0].path));
}

TEST_F(Format3Test, RowsGetIdsThatStay) {
  TablePtr table = append(create(), 0, 2);
  EXPECT_EQ(table->metadata.next_row_id, 2);
  table = lake_.append(table, [&] {
    std::vector<DataFile> added = write(table, 2, 4);
    for (DataFile& file : write(table, 4, 5)) added.push_back(std::move(file));
    return added;
  }());
  EXPECT_EQ(table->metadata.current_snapshot()->first_row_id, 2);
  EXPECT_EQ(table->metadata.current_snapshot()->added_rows, 3);
  EXPECT_EQ(table->metadata.next_row_id, 5);
  const std::vector<std::string> before = lineage(table);
  EXPECT_THAT(before, ElementsAre("0: 0, 1", "1: 1, 1", "2: 2, 2", "3: 3, 2", "4: 4, 2"));
  // A manifest that is written anew tells the ids that its files had.
  table = commit({.removed = {files(table)[1]}}, table, "delete");
  EXPECT_THAT(lineage(table), SizeIs(testing::AnyOf(3U, 4U)));
  for (const std::string& row : lineage(table)) {
    EXPECT_THAT(before, ::testing::Contains(row));
  }
  EXPECT_EQ(read_again()->metadata.next_row_id, table->metadata.next_row_id);
}

TEST_F(Format3Test, RowsKeepTheirIdsInAnotherFile) {
  TablePtr table = append(append(create(), 0, 3), 3, 6);
  table = delete_rows(table, {{0, {1}}});
  const std::vector<std::string> before = lineage(table);
  const auto move = [&](const std::string& order) {
    const std::vector<DataFile> moved = files(table);
    WriteOptions options;
    options.keeps_row_ids = true;
    TableChange change;
    change.removed = moved;
    change.added =
        write_data_files(*connection_, *lake_.catalog, *lake_.files, lake_.random, *table,
                         format("SELECT * EXCLUDE (_file, _position) FROM ({}) ORDER BY {}",
                                scan_moving_rows_sql(*table, moved), order),
                         options);
    table = commit(std::move(change), table, "replace");
  };
  move("id DESC");
  EXPECT_EQ(lineage(table), before);
  EXPECT_EQ(sum(table), 14);
  move("id");  // and again, of a file that has some of its own
  EXPECT_EQ(lineage(table), before);
  // Those columns are none of the table's.
  EXPECT_EQ(files(table)[0].figures->value_counts.count(kRowIdField), 0U);
}

TEST_F(Format3Test, ChangesAreTheRowsThatANewVectorHasMore) {
  TablePtr table = append(append(create(), 0, 10), 10, 20);
  table = delete_rows(table, {{0, {1}}, {1, {0}}});
  const SnapshotId before = *table->metadata.current_snapshot_id;
  table = delete_rows(table, {{1, {5, 6}}});
  const TableChanges changes = changes_after(*lake_.catalog, *table, before, reader_.loader());
  EXPECT_EQ(connection_->query_rows(
                format("SELECT id, s FROM ({}) ORDER BY id", changes_sql(*table, changes, "s"))),
            (std::vector<std::vector<std::optional<std::string>>>{{"15", "-1"}, {"16", "-1"}}));
  // Rows that only moved, with what is deleted of them, are no change.
  const SnapshotId moved_from = *table->metadata.current_snapshot_id;
  const std::vector<DataFile> moved = files(table);
  TableChange change;
  change.removed = moved;
  change.added = write_data_files(*connection_, *lake_.catalog, *lake_.files, lake_.random, *table,
                                  scan_sql(*table, moved));
  table = commit(std::move(change), table, "replace");
  EXPECT_TRUE(changes_after(*lake_.catalog, *table, moved_from, reader_.loader()).is_empty());
  EXPECT_THAT(lake_.catalog->delete_files(*table), IsEmpty());
}

TEST_F(Format3Test, AnUpgradedTableKeepsItsDeletesUntilTheyAreMerged) {
  TablePtr table = append(append(create(2), 0, 10), 10, 20);
  table = delete_rows(table, {{0, {1}}, {1, {0}}});
  EXPECT_FALSE(lake_.catalog->delete_files(*table)[0].is_deletion_vector());
  table = upgrade(table);
  EXPECT_EQ(table->metadata.format_version, 3);
  EXPECT_EQ(table->metadata.next_row_id, 0);
  EXPECT_THAT(files(table)[0].first_row_id, testing::Eq(std::nullopt));
  EXPECT_THAT(lineage(table), ::testing::Contains("0: NULL, NULL"));
  EXPECT_EQ(sum(read_again()), 190 - 1 - 10);

  table = delete_rows(table, {{0, {2}}});
  EXPECT_EQ(sum(table), 190 - 1 - 2 - 10);
  const std::vector<DataFile> deletes = lake_.catalog->delete_files(*table);
  ASSERT_THAT(deletes, SizeIs(2));
  EXPECT_TRUE(deletes[0].is_deletion_vector() != deletes[1].is_deletion_vector());
  // The first commit after the upgrade has given every row an id.
  EXPECT_EQ(table->metadata.next_row_id, 20);
  std::set<int64_t> first_ids;
  for (const DataFile& file : files(table)) first_ids.insert(file.first_row_id.value());
  EXPECT_EQ(first_ids, (std::set<int64_t>{0, 10}));
  EXPECT_EQ(sum(read_again()), sum(table));
}

TEST_F(Format3Test, AVectorHidesPositionDeletesOfItsDataFile) {
  TablePtr table = append(create(2), 0, 10);
  const DataFile data = files(table)[0];
  // One of several data files, which stays.
  TableChange change;
  change.added = {write_position_deletes(*connection_, *lake_.catalog, *lake_.files, lake_.random,
                                         *table, data, RowPositions({1}))};
  change.added[0].referenced_data_file.reset();
  FileFigures figures = *change.added[0].figures;
  figures.lower_bounds.clear();
  change.added[0].figures = std::move(figures);
  table = upgrade(commit(std::move(change), table, "delete"));
  table = delete_rows(table, {{0, {2}}});
  ASSERT_THAT(lake_.catalog->delete_files(*table), SizeIs(2));
  ASSERT_THAT(files(table)[0].deletes, SizeIs(1));
  EXPECT_TRUE(files(table)[0].deletes[0]->is_deletion_vector());
  EXPECT_EQ(sum(table), 45 - 1 - 2);
}

TEST_F(Format3Test, DeletesOfAnotherVersionAreAConflict) {
  const TablePtr table = append(create(2), 0, 10);
  TableChange change;
  change.added = {write_position_deletes(*connection_, *lake_.catalog, *lake_.files, lake_.random,
                                         *table, files(table)[0], RowPositions({1}))};
  const TablePtr upgraded = upgrade(table);
  EXPECT_EQ(kind_thrown_by([&] { commit(change, table, "delete"); }), ErrorKind::kConflict);
  EXPECT_EQ(kind_thrown_by([&] { commit({.format_version = 2}, upgraded, "append"); }),
            ErrorKind::kInvalid);
  EXPECT_EQ(kind_thrown_by([&] { commit({.format_version = 4}, upgraded, "append"); }),
            ErrorKind::kUnsupported);
  EXPECT_EQ(upgrade(upgraded)->metadata.format_version, 3);
}

TEST_F(Format3Test, DamagedVectorsAreNoticedWhenTheyAreRead) {
  TablePtr table = append(create(), 0, 10);
  table = delete_rows(table, {{0, {1}}});
  const DataFile vector = lake_.catalog->delete_files(*table)[0];
  const std::string path = local_path(vector.path);
  std::string bytes = lake_.files->read(path);
  bytes[static_cast<size_t>(*vector.content_offset) + 12] ^= 1;
  lake_.files->write_atomically(path, bytes);
  DeleteReader reader(database_);
  EXPECT_EQ(kind_thrown_by([&] { reader.read(vector, *vector.referenced_data_file); }),
            ErrorKind::kCorrupt);
  DataFile beyond = vector;
  beyond.content_offset = static_cast<int64_t>(bytes.size()) - 3;
  EXPECT_EQ(kind_thrown_by([&] { reader.read(beyond, *vector.referenced_data_file); }),
            ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace headrace::lake
