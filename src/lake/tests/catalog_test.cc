#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "lake/table.h"
#include "lake/testing/error_kind.h"
#include "lake/testing/lake_fixture.h"

namespace headrace::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(CatalogTest, CreatesFindsListsAndDrops) {
  LakeFixture lake;
  const TablePtr edits = lake.create("edits");
  EXPECT_EQ(edits->metadata.location,
            "file://" + lake.directory.path() + "/warehouse/bronze/edits");
  EXPECT_EQ(kind_thrown_by([&] { lake.create("edits"); }), ErrorKind::kAlreadyExists);
  lake.create("clicks");
  EXPECT_THAT(lake.catalog->databases(), ElementsAre("bronze"));
  EXPECT_THAT(lake.catalog->list("bronze"),
              ElementsAre(TableIdentifier{"bronze", "clicks"}, TableIdentifier{"bronze", "edits"}));
  EXPECT_THAT(lake.catalog->list("bron"), IsEmpty());
  lake.catalog->drop({"bronze", "edits"}, true);
  EXPECT_EQ(lake.catalog->find({"bronze", "edits"}), nullptr);
  EXPECT_EQ(kind_thrown_by([&] { lake.catalog->load({"bronze", "edits"}); }), ErrorKind::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(local_path(edits->metadata.location)));
  EXPECT_THAT(lake.catalog->list(""), SizeIs(1));
}

TEST(CatalogTest, ACommitThatBeganBeforeADropDoesNotHitTheNewTable) {
  LakeFixture lake;
  const TablePtr old = lake.create("edits");
  lake.catalog->drop(old->identifier, false);
  const TablePtr fresh = lake.create("edits");
  EXPECT_EQ(kind_thrown_by([&] { lake.append(old, {lake.named_file(*old, "a", 1)}); }),
            ErrorKind::kConflict);
  EXPECT_EQ(lake.catalog->load(old->identifier)->metadata.table_uuid, fresh->metadata.table_uuid);
}

TEST(CatalogTest, AppendsBuildSnapshotsWithCounts) {
  LakeFixture lake;
  TablePtr table = lake.create("edits");
  EXPECT_THAT(lake.catalog->files(*table), IsEmpty());
  table = lake.append(table, {lake.named_file(*table, "a", 10)}, {{"headrace.positions", "1"}});
  table = lake.append(table, {lake.named_file(*table, "b", 5), lake.named_file(*table, "c", 1)});
  const Snapshot& snapshot = *table->metadata.current_snapshot();
  EXPECT_EQ(snapshot.sequence_number, 2);
  EXPECT_EQ(snapshot.summary.at("operation"), "append");
  EXPECT_EQ(snapshot.summary.at("added-data-files"), "2");
  EXPECT_EQ(snapshot.summary.at("added-records"), "6");
  EXPECT_EQ(snapshot.summary.at("total-records"), "16");
  EXPECT_EQ(snapshot.summary.at("total-data-files"), "3");
  EXPECT_EQ(snapshot.summary.at("headrace.positions"), "1");  // they stay true
  EXPECT_THAT(lake.catalog->files(*table), SizeIs(3));
  EXPECT_THAT(lake.catalog->files(*table, snapshot.parent_snapshot_id), SizeIs(1));
}

// Of threads that read a manifest at once, one puts it into the cache; the others have their own.
TEST(CatalogTest, ThreadsThatReadTheSameSnapshotAtOnceSeeTheSame) {
  LakeFixture lake;
  TablePtr table = lake.create("edits");
  for (int i = 0; i < 8; ++i) {
    table = lake.append(table, {lake.named_file(*table, "file" + std::to_string(i), 1)});
  }
  const std::vector<std::string> expected = paths_of(lake.catalog->files(*table));
  for (int round = 0; round < 30; ++round) {
    const auto fresh = Catalog::open(*lake.store, *lake.files, lake.clock, lake.random,
                                     {.warehouse = lake.directory.path() + "/warehouse"});
    std::vector<std::vector<std::string>> seen(4);
    {
      std::vector<std::jthread> threads;
      for (auto& paths : seen) {
        threads.emplace_back([&] { paths = paths_of(fresh->files(*table)); });
      }
    }
    for (const auto& paths : seen) ASSERT_EQ(paths, expected);
  }
}

TEST(CatalogTest, WhatIsReadBackFromDiskIsWhatWasCommitted) {
  LakeFixture lake;
  TablePtr table = lake.create("edits", {"day(ts)", "bucket(4, id)", "name"});
  DataFile file = lake.named_file(*table, "a", 10);
  file.partition = {"2015-09-12", "3", std::nullopt};
  file.figures = FileFigures{.column_sizes = {{1, 40}},
                             .value_counts = {{1, 10}},
                             .null_value_counts = {{1, 0}},
                             .lower_bounds = {{1, std::string("\1\0\0\0\0\0\0\0", 8)}},
                             .split_offsets = {4}};
  table = lake.append(table, {file});
  const auto other = Catalog::open(*lake.store, *lake.files, lake.clock, lake.random,
                                   {.warehouse = lake.directory.path() + "/warehouse"});
  const TablePtr read = other->load(table->identifier);
  EXPECT_EQ(to_text(to_json(read->metadata)), to_text(to_json(table->metadata)));
  const std::vector<DataFile> files = other->files(*read);
  ASSERT_THAT(files, SizeIs(1));
  EXPECT_EQ(files[0].path, file.path);
  EXPECT_EQ(files[0].partition, file.partition);
  EXPECT_EQ(files[0].figures->lower_bounds, file.figures->lower_bounds);
  EXPECT_EQ(files[0].figures->column_sizes, file.figures->column_sizes);
  EXPECT_EQ(files[0].figures->value_counts, file.figures->value_counts);
  EXPECT_EQ(files[0].figures->null_value_counts, file.figures->null_value_counts);
  EXPECT_EQ(files[0].figures->split_offsets, file.figures->split_offsets);
  EXPECT_EQ(files[0].sequence_number, 1);
  EXPECT_EQ(files[0].added_snapshot_id, *read->metadata.current_snapshot_id);
}

TEST(CatalogTest, RemovedFilesGoAndTheOthersKeepTheirSequenceNumbers) {
  LakeFixture lake;
  TablePtr table = lake.create("edits");
  const DataFile a = lake.named_file(*table, "a", 1);
  const DataFile b = lake.named_file(*table, "b", 2);
  const DataFile c = lake.named_file(*table, "c", 3);
  table = lake.append(table, {a, b});
  TableChange change{.base = table, .added = {c}, .removed = {a}, .operation = "replace"};
  table = lake.catalog->commit({change}).at(0);
  const std::vector<DataFile> files = lake.catalog->files(*table);
  EXPECT_THAT(paths_of(files), ElementsAre(b.path, c.path));
  for (const DataFile& file : files) EXPECT_EQ(file.sequence_number, file.path == b.path ? 1 : 2);
  EXPECT_EQ(table->metadata.current_snapshot()->summary.at("total-records"), "5");
  EXPECT_EQ(table->metadata.current_snapshot()->summary.at("deleted-records"), "1");
  change.base = table;
  EXPECT_EQ(kind_thrown_by([&] { lake.catalog->commit({change}); }), ErrorKind::kConflict);
}

TEST(CatalogTest, FilesAddedAfterASnapshotLeaveOutReplacements) {
  LakeFixture lake;
  TablePtr table = lake.create("edits");
  const DataFile a = lake.named_file(*table, "a", 1);
  const DataFile b = lake.named_file(*table, "b", 2);
  table = lake.append(table, {a});
  const SnapshotId first = *table->metadata.current_snapshot_id;
  table = lake.append(table, {b});
  table = lake.catalog
              ->commit({{.base = table,
                         .added = {lake.named_file(*table, "ab", 3)},
                         .removed = {a, b},
                         .operation = "replace"}})
              .at(0);
  const DataFile c = lake.named_file(*table, "c", 4);
  table = lake.append(table, {c});
  EXPECT_THAT(paths_of(lake.catalog->files_added_after(*table, first)),
              ElementsAre(b.path, c.path));
  EXPECT_THAT(lake.catalog->files_added_after(*table, *table->metadata.current_snapshot_id),
              IsEmpty());
  EXPECT_THAT(lake.catalog->files_added_after(*table, std::nullopt), SizeIs(2));
  EXPECT_EQ(kind_thrown_by([&] { lake.catalog->files_added_after(*table, 12345); }),
            ErrorKind::kNotFound);
}

TEST(CatalogTest, AnAppendIsRebasedOnWhatCameBetween) {
  LakeFixture lake;
  const TablePtr base = lake.create("edits");
  lake.append(base, {lake.named_file(*base, "a", 1)});
  const TablePtr table = lake.append(base, {lake.named_file(*base, "b", 1)});
  EXPECT_THAT(lake.catalog->files(*table), SizeIs(2));
}

TEST(CatalogTest, TheSummaryGuardKeepsASecondWriterOut) {
  LakeFixture lake;
  const TablePtr base = lake.create("edits");
  TableChange change{.base = base,
                     .added = {lake.named_file(*base, "a", 1)},
                     .summary = {{"headrace.positions", "1"}},
                     .expected_summary = {{"headrace.positions", std::nullopt}}};
  TablePtr table = lake.catalog->commit({change}).at(0);
  EXPECT_EQ(kind_thrown_by([&] { lake.catalog->commit({change}); }), ErrorKind::kConflict);
  change.expected_summary = {{"headrace.positions", "1"}};
  EXPECT_NO_THROW(lake.catalog->commit({change}));
}

TEST(CatalogTest, SeveralTablesMoveTogetherOrNotAtAll) {
  LakeFixture lake;
  const TablePtr one = lake.create("one");
  const TablePtr two = lake.create("two");
  const TableChange first{.base = one, .added = {lake.named_file(*one, "a", 1)}};
  TableChange second{.base = two, .added = {lake.named_file(*two, "b", 1)}};
  second.expected_summary = {{"headrace.positions", "elsewhere"}};
  EXPECT_EQ(kind_thrown_by([&] { lake.catalog->commit({first, second}); }), ErrorKind::kConflict);
  EXPECT_EQ(lake.catalog->load(one->identifier)->metadata.current_snapshot(), nullptr);
  second.expected_summary = {};
  EXPECT_THAT(lake.catalog->commit({first, second}), SizeIs(2));
  EXPECT_THAT(lake.catalog->files(*lake.catalog->load(one->identifier)), SizeIs(1));
  EXPECT_THAT(lake.catalog->files(*lake.catalog->load(two->identifier)), SizeIs(1));
}

TEST(CatalogTest, NamesAndPathsThatReadersWouldMisreadAreRefused) {
  LakeFixture lake;
  for (const char* name : {"", "a.b", "a/b", "..", "a%b", "a\nb"}) {
    EXPECT_EQ(kind_thrown_by([&] { lake.create(name); }), ErrorKind::kInvalid) << name;
  }
  EXPECT_EQ(kind_thrown_by([&] {
              Catalog::open(*lake.store, *lake.files, lake.clock, lake.random,
                            {.warehouse = lake.directory.path() + "/a*b"});
            }),
            ErrorKind::kInvalid);
}

TEST(CatalogTest, ColumnsAreAddedWidenedAndRenamed) {
  LakeFixture lake;
  TablePtr table = lake.create("edits");
  TableChange change{.base = table};
  change.new_schema = table->metadata.current_schema();
  change.new_schema->fields[1].name = "user";
  change.new_schema->fields.push_back({0, "delta", type_from_duckdb("INTEGER"), false, ""});
  table = lake.catalog->commit({change}).at(0);
  EXPECT_EQ(table->metadata.current_snapshot(), nullptr);
  EXPECT_EQ(table->metadata.current_schema().find("delta")->id, 4);
  EXPECT_EQ(table->metadata.current_schema().find("user")->id, 2);
  EXPECT_EQ(table->metadata.last_column_id, 4);
  EXPECT_THAT(table->metadata.schemas, SizeIs(2));
  EXPECT_EQ(kind_thrown_by([&] { lake.catalog->commit({change}); }), ErrorKind::kConflict);
  change.base = table;
  change.new_schema = table->metadata.current_schema();
  change.new_schema->fields[0].type = type_from_duckdb("INTEGER");
  EXPECT_EQ(kind_thrown_by([&] { lake.catalog->commit({change}); }), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace headrace::lake
