#include "key_index/key_index.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/delete_writer.h"
#include "lake/testing/error_kind.h"
#include "lake/testing/lake_fixture.h"

namespace headrace::key_index {
namespace {

using lake::DataFile;
using lake::TablePtr;
using ::testing::ElementsAre;

class KeyIndexTest : public ::testing::Test {
 protected:
  KeyIndexTest() { lake::register_delete_function(database_); }

  std::string directory() { return lake_.directory.path() + "/keys"; }

  std::unique_ptr<KeyIndex> open(const TablePtr& table, std::vector<std::string> keys = {"id"},
                                 std::optional<std::string> sequence = {}) {
    return KeyIndex::open(directory(), *table,
                          KeyColumns(table->metadata.current_schema(), std::move(keys), sequence));
  }

  TablePtr append(const TablePtr& table, const std::string& range) {
    const auto files = lake::write_data_files(
        *connection_, *lake_.catalog, *lake_.files, lake_.random, *table,
        format(
            "SELECT i AS id, 'n' || i AS name, TIMESTAMPTZ '2024-01-01' + i * INTERVAL 1 HOUR AS "
            "ts FROM {} r(i)",
            range));
    return lake_.append(table, files);
  }

  void catch_up(KeyIndex& index, const TablePtr& table) {
    index.catch_up(*connection_, *table, lake_.catalog->files(*table));
  }

  // The ids of 0 … 9 that the index finds, as "id@position".
  std::vector<std::string> found(KeyIndex& index) {
    std::vector<std::string> keys;
    for (int id = 0; id < 10; ++id) keys.push_back(key_of(index, format("{}", id)));
    std::vector<std::string> result;
    const auto entries = index.find({keys.begin(), keys.end()});
    for (int id = 0; id < 10; ++id) {
      const auto& entry = entries[static_cast<size_t>(id)];
      if (entry) result.push_back(format("{}@{}", id, entry->position));
    }
    return result;
  }

  std::string key_of(const KeyIndex& index, const std::string& id) {
    engine::Result result = connection_->query(
        format("SELECT {} FROM (SELECT {}::BIGINT AS id) r", index.columns().key_sql("r"), id));
    return std::string(result.next()->column(0).string(0));
  }

  lake::LakeFixture lake_;
  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_ = database_.connect();
};

TEST_F(KeyIndexTest, FindsTheRowsOfFilesThatAreNew) {
  TablePtr table = append(lake_.create("t"), "range(0, 3)");
  auto index = open(table);
  catch_up(*index, table);
  EXPECT_THAT(found(*index), ElementsAre("0@0", "1@1", "2@2"));
  table = append(table, "range(5, 7)");
  catch_up(*index, table);
  EXPECT_THAT(found(*index), ElementsAre("0@0", "1@1", "2@2", "5@0", "6@1"));
  EXPECT_EQ(index->snapshot(), table->metadata.current_snapshot_id);
  index.reset();
  index = open(table);
  EXPECT_EQ(index->snapshot(), table->metadata.current_snapshot_id);
  EXPECT_THAT(found(*index), ElementsAre("0@0", "1@1", "2@2", "5@0", "6@1"));
}

TEST_F(KeyIndexTest, FollowsRowsThatMovedAndLeavesOutDeletedOnes) {
  TablePtr table = append(lake_.create("t"), "range(0, 4)");
  auto index = open(table);
  catch_up(*index, table);
  const DataFile old = lake_.catalog->files(*table)[0];
  lake::TableChange change;
  change.base = table;
  change.removed = {old};
  change.operation = "replace";
  change.added = lake::write_data_files(
      *connection_, *lake_.catalog, *lake_.files, lake_.random, *table,
      "SELECT i AS id, '' AS name, NULL::TIMESTAMPTZ AS ts FROM unnest([3, 2]) r(i)");
  table = lake_.catalog->commit({change})[0];
  change = {};
  change.base = table;
  change.added = {
      lake::write_position_deletes(*connection_, *lake_.catalog, *lake_.files, lake_.random, *table,
                                   lake_.catalog->files(*table)[0], lake::RowPositions({1}))};
  table = lake_.catalog->commit({change})[0];
  catch_up(*index, table);
  EXPECT_FALSE(index->file_number(old.path));
  const auto number = index->file_number(lake_.catalog->files(*table)[0].path);
  ASSERT_TRUE(number);
  const std::string moved = key_of(*index, "3");
  const std::string deleted = key_of(*index, "2");
  const auto entries = index->find({moved, deleted});
  EXPECT_EQ(entries[0]->file, number);
  EXPECT_EQ(entries[0]->position, 0u);
  EXPECT_NE(entries[1]->file, number);  // of a file that is gone: the key is absent
}

TEST_F(KeyIndexTest, IsMadeAnewWhenItDoesNotFit) {
  const TablePtr first = append(lake_.create("t"), "range(0, 2)");
  const TablePtr second = append(first, "range(2, 3)");
  {
    auto index = open(second);
    catch_up(*index, second);
  }
  {  // of another key
    auto index = open(second, {"name"});
    EXPECT_FALSE(index->snapshot());
    catch_up(*index, second);
  }
  {  // the table went back to an earlier snapshot
    auto index = open(second);
    catch_up(*index, second);
    auto back = std::make_shared<lake::Table>(*second);
    back->metadata.current_snapshot_id = first->metadata.current_snapshot_id;
    index->catch_up(*connection_, *back, lake_.catalog->files(*first));
    EXPECT_THAT(found(*index), ElementsAre("0@0", "1@1"));
  }
  // damaged
  for (const auto& file : std::filesystem::directory_iterator(directory())) {
    if (file.path().filename() == "CURRENT") std::ofstream(file.path()) << "nonsense\n";
  }
  auto index = open(second);
  EXPECT_FALSE(index->snapshot());
  catch_up(*index, second);
  EXPECT_THAT(found(*index), ElementsAre("0@0", "1@1", "2@0"));
}

TEST_F(KeyIndexTest, TakesUpCommitsAndRemembersTheSequenceOfDeletes) {
  TablePtr table = append(lake_.create("t"), "range(0, 2)");
  auto index = open(table, {"id"}, "ts");
  catch_up(*index, table);
  const std::vector<DataFile> before = lake_.catalog->files(*table);
  table = append(table, "range(4, 5)");
  std::vector<DataFile> added;
  for (const DataFile& file : lake_.catalog->files(*table)) {
    if (file.path != before[0].path) added.push_back(file);
  }
  const std::string gone =
      format("SELECT {}, {} FROM (SELECT 1::BIGINT AS id, TIMESTAMPTZ '2025-01-01' AS ts) r",
             index->columns().key_sql("r"), index->columns().sequence_sql("r"));
  index->take_up(*connection_, *table, added, gone);
  EXPECT_EQ(index->snapshot(), table->metadata.current_snapshot_id);
  const std::string kept = key_of(*index, "0");
  const std::string deleted = key_of(*index, "1");
  const auto entries = index->find({kept, deleted});
  EXPECT_EQ(entries[1]->file, KeyEntry::kNoFile);
  EXPECT_GT(entries[1]->sequence, entries[0]->sequence);
}

TEST(KeyColumnsTest, RefuseWhatHasNoEqualityOrOrder) {
  const lake::Schema schema = lake::make_schema(
      {{"id", "BIGINT"}, {"ratio", "DOUBLE"}, {"list", "INTEGER[]"}, {"name", "VARCHAR"}});
  EXPECT_NO_THROW(KeyColumns(schema, {"id", "name"}, "ratio"));
  const auto kind = [&](std::vector<std::string> keys, std::optional<std::string> sequence) {
    return lake::kind_thrown_by([&] { KeyColumns(schema, keys, sequence); });
  };
  EXPECT_EQ(kind({"ratio"}, {}), ErrorKind::kInvalid);
  EXPECT_EQ(kind({"list"}, {}), ErrorKind::kInvalid);
  EXPECT_EQ(kind({"id", "id"}, {}), ErrorKind::kInvalid);
  EXPECT_EQ(kind({"nope"}, {}), ErrorKind::kInvalid);
  EXPECT_EQ(kind({"id"}, "list"), ErrorKind::kInvalid);
}

// Keys are different bytes whenever they are different values, however these are put together.
TEST(KeyColumnsTest, GiveBytesThatCompareLikeTheValues) {
  const lake::Schema schema =
      lake::make_schema({{"a", "VARCHAR"}, {"b", "BLOB"}, {"n", "INTEGER"}});
  const KeyColumns columns(schema, {"a", "b", "n"}, {});
  engine::Database database;
  const auto connection = database.connect();
  connection->execute(
      "CREATE TABLE v AS SELECT a, b::BLOB AS b, n::INTEGER AS n FROM "
      "(SELECT unnest(['', 'a', 'ab', 'b', chr(1), 'a' || chr(1)]) AS a), "
      "(SELECT unnest(['', '\\x00', '\\x00\\x00', '\\x01', 'b', '\\xFF']) AS b), "
      "(SELECT unnest([-2147483648, -1, 0, 1, 2147483647]) AS n)");
  EXPECT_EQ(
      connection->query_integer(format(
          "SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY a, b, n) AS x, row_number() "
          "OVER (ORDER BY {}) AS y FROM v r) WHERE x <> y",
          columns.key_sql("r"))),
      0);
  EXPECT_EQ(connection->query_integer(
                format("SELECT count(*) - count(DISTINCT {}) FROM v r", columns.key_sql("r"))),
            0);
}

}  // namespace
}  // namespace headrace::key_index
