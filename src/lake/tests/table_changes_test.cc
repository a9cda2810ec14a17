#include "lake/table_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/delete_reader.h"
#include "lake/delete_writer.h"
#include "lake/testing/error_kind.h"
#include "lake/testing/lake_fixture.h"

namespace headrace::lake {
namespace {

using Rows = std::vector<std::vector<std::optional<std::string>>>;

class TableChangesTest : public testing::Test {
 protected:
  TableChangesTest() { register_delete_function(database_); }

  std::vector<DataFile> write(const std::string& ids) {
    return write_data_files(
        *connection_, *lake_.catalog, *lake_.files, lake_.random, *table_,
        format("SELECT i::BIGINT AS id, 'n' AS name, NULL::TIMESTAMPTZ AS ts FROM {} r(i)", ids));
  }
  DataFile deletes(const DataFile& file, const std::vector<int64_t>& positions) {
    return write_position_deletes(*connection_, *lake_.catalog, *lake_.files, lake_.random, *table_,
                                  file, RowPositions(positions));
  }
  void commit(const std::string& operation, std::vector<DataFile> added,
              std::vector<DataFile> removed = {}) {
    TableChange change;
    change.base = table_;
    change.added = std::move(added);
    change.removed = std::move(removed);
    change.operation = operation;
    table_ = lake_.catalog->commit({change}).at(0);
  }
  SnapshotId now() const { return *table_->metadata.current_snapshot_id; }
  std::vector<DataFile> files() { return lake_.catalog->files(*table_); }

  // Ids with the sum of their signs, where it is not 0.
  Rows changes_since(SnapshotId after) {
    const TableChanges changes = changes_after(*lake_.catalog, *table_, after, reader_.loader());
    return connection_->query_rows(
        format("SELECT id, sum(s) FROM ({}) GROUP BY id HAVING sum(s) <> 0 ORDER BY id",
               changes_sql(*table_, changes, "s")));
  }

  LakeFixture lake_;
  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_ = database_.connect();
  DeleteReader reader_{database_};
  TablePtr table_ = lake_.create("t");
};

TEST_F(TableChangesTest, TellsWhatCameAndWent) {
  const std::vector<DataFile> four = write("range(0, 4)");
  commit("append", four);
  const SnapshotId first = now();
  commit("append", write("range(4, 6)"));
  EXPECT_EQ(changes_since(first), (Rows{{"4", "1"}, {"5", "1"}}));
  const SnapshotId second = now();
  commit("overwrite", {deletes(four[0], {1, 2}), write("range(10, 11)")[0]});
  EXPECT_EQ(changes_since(second).size(), 3U);
  const SnapshotId third = now();
  const Rows since_first = changes_since(first);
  // Moved rows have not changed, and what was deleted before stays deleted.
  const std::vector<DataFile> all = files();
  commit("replace", write(format("(SELECT id FROM ({}))", scan_sql(*table_, all))), all);
  EXPECT_EQ(changes_since(third), Rows{});
  EXPECT_EQ(changes_since(first), since_first);
  commit("delete", {deletes(files()[0], {0})});
  EXPECT_EQ(changes_since(third).size(), 1U);
  EXPECT_EQ(changes_since(third).at(0).at(1), "-1");
  const SnapshotId fourth = now();
  commit("delete", {}, files());
  EXPECT_EQ(changes_since(fourth).size(), 4U);
  EXPECT_EQ(changes_since(now()), Rows{});
}

TEST_F(TableChangesTest, ASnapshotThatIsNotThereCannotBeGoneOnFrom) {
  commit("append", write("range(0, 4)"));
  EXPECT_EQ(kind_thrown_by([&] { changes_since(4711); }), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace headrace::lake
