// Scans by lists of files leave deleted rows out while files are read: whatever the engine makes of
// a query.

#include <gtest/gtest.h>

#include "lake/delete_writer.h"
#include "lake/testing/pruning_fixture.h"

namespace headrace::lake {
namespace {

class DeletedRowsTest : public FilePruningTest {
 protected:
  // Every i-th row of the i-th file goes; of the first one none.
  DeletedRowsTest() {
    table_ = create({{"id", "BIGINT"}, {"name", "VARCHAR"}, {"list", "BIGINT[]"}}, {});
    for (int file = 0; file < 3; ++file) {
      table_ = append(
          table_,
          format("SELECT i AS id, 'n' || i AS name, [i, i + 1] AS list FROM range({}, {}) r(i)",
                 file * 5000, file * 5000 + 5000));
    }
    for (int file = 1; file < 3; ++file) {
      const std::vector<DataFile> files = lake_.catalog->files(*table_);
      TableChange change{.base = table_, .operation = "delete"};
      RowPositions gone;
      for (int64_t row = 0; row < 5000; row += file + 1) gone.add(row);
      change.added = {write_position_deletes(*connection_, *lake_.catalog, *lake_.files,
                                             lake_.random, *table_,
                                             files.at(static_cast<size_t>(file)), gone)};
      table_ = lake_.catalog->commit({change}).at(0);
    }
    take(table_);
  }

  void take(TablePtr table) {
    table_ = std::move(table);
    files_ = std::make_shared<const std::vector<DataFile>>(lake_.catalog->files(*table_));
    scan_ = make_scan(table_, table_->metadata.current_schema(), files_);
    plain_ = scan_sql(*table_, *files_);
  }

  void expect_same(const std::string& query) {
    const auto of = [&](const std::string& relation) {
      std::string sql = query;
      sql.replace(sql.find("{}"), 2, "(" + relation + ")");
      return connection_->query_rows(sql);
    };
    EXPECT_EQ(of(scan_.sql), of(plain_)) << query;
  }

  TablePtr table_;
  DataFilesPtr files_;
  Scan scan_;
  std::string plain_;
};

TEST_F(DeletedRowsTest, AreLeftOutWhateverIsAsked) {
  EXPECT_EQ(connection_->query_integer(format("SELECT count(*) FROM ({})", scan_.sql)),
            5000 + 2500 + 3333);
  for (const char* query :
       {"SELECT count(*) FROM {}", "SELECT count(*), sum(id), max(name) FROM {}",
        "SELECT count(*) FROM {} WHERE id = 5000", "SELECT count(*) FROM {} WHERE id % 2 = 0",
        "SELECT * FROM {} WHERE name = 'n5001'", "SELECT * FROM {} ORDER BY id DESC LIMIT 5",
        "SELECT * FROM {} ORDER BY id LIMIT 3 OFFSET 7000",
        "SELECT min(id), max(id) FROM {} WHERE id >= 10000",
        "SELECT sum(l) FROM (SELECT unnest(list) AS l FROM {})",
        "SELECT count(*) FROM {} WHERE id BETWEEN 4990 AND 5010 OR name LIKE 'n1499%'",
        "SELECT count(DISTINCT id) FROM {} WHERE id IN (5000, 5001, 10000, 10001, 14999)"}) {
    expect_same(query);
  }
}

TEST_F(DeletedRowsTest, AFileOfWhichAllAreGoneGivesNone) {
  const DataFile whole = lake_.catalog->files(*table_).at(0);
  ASSERT_EQ(whole.record_count, 5000);
  RowPositions all;
  for (int64_t row = 0; row < 5000; ++row) all.add(row);
  TableChange change{.base = table_, .operation = "delete"};
  change.added = {write_position_deletes(*connection_, *lake_.catalog, *lake_.files, lake_.random,
                                         *table_, whole, all)};
  take(lake_.catalog->commit({change}).at(0));
  expect_same("SELECT count(*) FROM {}");
  for (int file = 0; file < 3; ++file) {
    expect_same(format("SELECT count(*), sum(id) FROM {{}} WHERE id // 5000 = {}", file));
    expect_same(format("SELECT count(*) FROM {{}} WHERE id >= {} AND id < {}", file * 5000,
                       file * 5000 + 5000));
  }
}

TEST(RowPositionsTest, ListsWhatIsAbsent) {
  const RowPositions some({0, 3, 2047, 2048, 70000});
  std::vector<uint32_t> absent(2048);
  EXPECT_EQ(some.list_absent(0, 5, absent.data()), 3U);
  EXPECT_EQ(std::vector<uint32_t>(absent.begin(), absent.begin() + 3),
            (std::vector<uint32_t>{1, 2, 4}));
  EXPECT_EQ(some.list_absent(2046, 4, absent.data()), 2U);
  EXPECT_EQ(std::vector<uint32_t>(absent.begin(), absent.begin() + 2),
            (std::vector<uint32_t>{0, 3}));
  EXPECT_EQ(some.list_absent(2047, 2, absent.data()), 0U);
  EXPECT_EQ(some.list_absent(4096, 2048, absent.data()), 2048U);
  EXPECT_EQ(absent[2047], 2047U);
  EXPECT_EQ(some.list_absent(5, 0, absent.data()), 0U);
}

}  // namespace
}  // namespace headrace::lake
