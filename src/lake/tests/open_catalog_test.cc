// Commits from outside, beside our own, on real files.

#include "lake/open_catalog.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "lake/snapshot_builder.h"
#include "lake/testing/error_kind.h"
#include "lake/testing/lake_fixture.h"
#include "lake/vector_writer.h"

namespace headrace::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const char* kSchema = R"({"type": "struct", "fields": [
    {"id": 1, "name": "id", "type": "long", "required": false}]})";

// Another engine: writes manifests itself, and asks for the commit.
class Engine {
 public:
  explicit Engine(LakeFixture& lake)
      : lake_(lake), files_(lake.catalog->objects(), lake.random, false) {}

  // The snapshot that the change makes of the table as the engine has loaded it.
  Json snapshot(const TableChange& change) {
    SnapshotBuilder builder(files_, change, ++last_id_, 50);
    const TableMetadata made =
        builder.apply_to(*change.base, millis_since_epoch(lake_.clock.now()));
    return parse_json(*made.snapshots.back().json_text, "a snapshot");
  }

  static TableUpdates commit(const TablePtr& base, const Json& snapshot) {
    const std::optional<SnapshotId> current = base->metadata.current_snapshot_id;
    const JsonArray requirements = {
        JsonObject{{"type", "assert-table-uuid"}, {"uuid", base->metadata.table_uuid}},
        JsonObject{{"type", "assert-ref-snapshot-id"},
                   {"ref", "main"},
                   {"snapshot-id", current ? Json(*current) : Json(nullptr)}}};
    const JsonArray updates = {
        JsonObject{{"action", "add-snapshot"}, {"snapshot", snapshot}},
        JsonObject{{"action", "set-snapshot-ref"},
                   {"ref-name", "main"},
                   {"type", "branch"},
                   {"snapshot-id", integer_member(snapshot, "snapshot-id")}}};
    return table_updates_from_json(
        base->identifier, JsonObject{{"requirements", requirements}, {"updates", updates}});
  }

  TableUpdates append(const TablePtr& base, const std::string& file, int64_t records = 1) {
    return commit(base,
                  snapshot({.base = base, .added = {lake_.named_file(*base, file, records)}}));
  }

 private:
  LakeFixture& lake_;
  TableFiles files_;
  SnapshotId last_id_ = 1000;
};

class OpenCatalogTest : public ::testing::Test {
 protected:
  LakeFixture lake_;
  OpenCatalog& open_ = lake_.catalog->open_side();
  Engine engine_{lake_};

  TablePtr commit(const TableUpdates& updates) { return open_.commit_updates({updates}).at(0); }
  std::vector<std::string> names(const TablePtr& table) {
    std::vector<std::string> result;
    for (const DataFile& file : lake_.catalog->files(*table)) {
      result.push_back(std::filesystem::path(file.path).stem());
    }
    std::sort(result.begin(), result.end());
    return result;
  }
  NewTable new_table(const std::string& database, const std::string& name) {
    return new_table_from_json(
        database, JsonObject{{"name", name}, {"schema", parse_json(kSchema, "a schema")}});
  }
};

TEST_F(OpenCatalogTest, OthersAppendBetweenOurCommitsAndPositionsStay) {
  TablePtr table = lake_.create("t");
  table = lake_.append(table, {lake_.named_file(*table, "a", 1)},
                       {{"headrace.positions", "at 1"}, {"headrace.job", "j"}});
  const TablePtr outside = commit(engine_.append(table, "b"));
  EXPECT_EQ(outside->metadata.current_snapshot()->summary.at("headrace.positions"), "at 1");
  EXPECT_EQ(outside->metadata.current_snapshot()->summary.at("headrace.job"), "j");
  // Ours was computed from the table as it was before.
  TableChange ours{.base = table, .added = {lake_.named_file(*table, "c", 1)}};
  ours.summary = {{"headrace.positions", "at 2"}};
  ours.expected_summary = {{"headrace.positions", "at 1"}};
  table = lake_.catalog->commit({ours}).at(0);
  EXPECT_THAT(names(table), ElementsAre("a", "b", "c"));
  EXPECT_EQ(table->metadata.current_snapshot()->parent_snapshot_id,
            outside->metadata.current_snapshot_id);
}

TEST_F(OpenCatalogTest, PositionsOutliveTheExpiryOfTheSnapshotThatBroughtThem) {
  TablePtr table = lake_.create("t");
  table = lake_.append(table, {lake_.named_file(*table, "a", 1)}, {{"headrace.positions", "at 1"}});
  const SnapshotId brought = *table->metadata.current_snapshot_id;
  for (const char* name : {"b", "c"}) table = commit(engine_.append(table, name));
  table = commit(table_updates_from_json(
      table->identifier,
      JsonObject{{"updates", JsonArray{JsonObject{{"action", "remove-snapshots"},
                                                  {"snapshot-ids", JsonArray{Json(brought)}}}}}}));
  TableChange ours{.base = table, .added = {lake_.named_file(*table, "d", 1)}};
  ours.summary = {{"headrace.positions", "at 2"}};
  ours.expected_summary = {{"headrace.positions", "at 1"}};
  EXPECT_NO_THROW(lake_.catalog->commit({ours}));
}

TEST_F(OpenCatalogTest, ALateAppendIsPutOnTop) {
  TablePtr table = lake_.create("t");
  table = lake_.append(table, {lake_.named_file(*table, "a", 1)});
  const TableUpdates late = engine_.append(table, "late", 5);
  TablePtr meanwhile = lake_.append(table, {lake_.named_file(*table, "b", 2)});
  const TablePtr done = commit(late);
  EXPECT_THAT(names(done), ElementsAre("a", "b", "late"));
  const Snapshot& snapshot = *done->metadata.current_snapshot();
  EXPECT_EQ(snapshot.parent_snapshot_id, meanwhile->metadata.current_snapshot_id);
  EXPECT_EQ(snapshot.sequence_number, 3);
  EXPECT_EQ(snapshot.summary.at("total-records"), "8");
  EXPECT_EQ(snapshot.summary.at("total-data-files"), "3");
  for (const DataFile& file : lake_.catalog->files(*done)) {
    EXPECT_EQ(file.sequence_number, file.path.ends_with("late.parquet") ? 3
                                    : file.path.ends_with("b.parquet")  ? 2
                                                                        : 1);
  }
}

TEST_F(OpenCatalogTest, ALateRewriteConflicts) {
  TablePtr table = lake_.create("t");
  const DataFile a = lake_.named_file(*table, "a", 1);
  table = lake_.append(table, {a});
  TableChange rewrite{.base = table, .added = {lake_.named_file(*table, "a2", 1)}, .removed = {a}};
  rewrite.operation = "overwrite";
  const TableUpdates late = Engine::commit(table, engine_.snapshot(rewrite));
  lake_.append(table, {lake_.named_file(*table, "b", 1)});
  EXPECT_EQ(kind_thrown_by([&] { commit(late); }), ErrorKind::kConflict);
  EXPECT_THAT(names(lake_.catalog->load(table->identifier)), ElementsAre("a", "b"));
}

TEST_F(OpenCatalogTest, SeveralTablesMoveTogetherOrNotAtAll) {
  const TablePtr one = lake_.create("one");
  const TablePtr two = lake_.create("two");
  open_.commit_updates({engine_.append(one, "a"), engine_.append(two, "b")});
  EXPECT_THAT(names(lake_.catalog->load(one->identifier)), ElementsAre("a"));
  EXPECT_THAT(names(lake_.catalog->load(two->identifier)), ElementsAre("b"));
  TableUpdates wrong = engine_.append(lake_.catalog->load(two->identifier), "d");
  wrong.requirements.push_back(requirement_from_json(
      parse_json(R"({"type": "assert-default-spec-id", "default-spec-id": 7})", "test")));
  const TableUpdates right = engine_.append(lake_.catalog->load(one->identifier), "c");
  EXPECT_EQ(kind_thrown_by([&] { open_.commit_updates({right, wrong}); }), ErrorKind::kConflict);
  EXPECT_THAT(names(lake_.catalog->load(one->identifier)), ElementsAre("a"));
}

TEST_F(OpenCatalogTest, TheFilesOfASnapshotMustBeThere) {
  const TablePtr table = lake_.create("t");
  Json snapshot = engine_.snapshot({.base = table, .added = {lake_.named_file(*table, "a", 1)}});
  Json missing = snapshot;
  missing.as_object()["manifest-list"] = table->metadata.location + "/metadata/none.avro";
  EXPECT_EQ(kind_thrown_by([&] { commit(Engine::commit(table, missing)); }), ErrorKind::kInvalid);
  Json garbage = snapshot;
  const std::string path = local_path(table->metadata.location) + "/metadata/garbage.avro";
  lake_.files->write_new(path, "this is no Avro");
  garbage.as_object()["manifest-list"] = file_uri(path);
  EXPECT_EQ(kind_thrown_by([&] { commit(Engine::commit(table, garbage)); }), ErrorKind::kInvalid);
  for (const FileInfo& file :
       lake_.files->list(local_path(table->metadata.location) + "/metadata")) {
    if (file.name.ends_with("-m0.avro")) {
      lake_.files->remove(local_path(table->metadata.location) + "/metadata/" + file.name);
    }
  }
  EXPECT_EQ(kind_thrown_by([&] { commit(Engine::commit(table, snapshot)); }), ErrorKind::kInvalid);
}

class OpenCatalogFormat3Test : public OpenCatalogTest {
 protected:
  OpenCatalogFormat3Test() {
    TableChange upgrade{.base = lake_.create("t")};
    upgrade.format_version = 3;
    table_ = lake_.catalog->commit({upgrade}).at(0);
    table_ = commit(engine_.append(table_, "a", 10));
  }

  DataFile vector_of(const std::string& file, const RowPositions& positions) {
    const DataFile data = lake_.named_file(*table_, file, 10);
    return write_deletion_vectors(*lake_.catalog, *lake_.files, lake_.random, *table_,
                                  {{&data, &positions}})
        .at(0);
  }

  // What an engine sends that adds this as if the table had another format version.
  Json snapshot_of_format_2(const DataFile& added) {
    auto other = std::make_shared<Table>(*table_);
    other->metadata.format_version = 2;
    Json snapshot = engine_.snapshot({.base = other, .added = {added}});
    snapshot.as_object()["first-row-id"] = table_->metadata.next_row_id;
    snapshot.as_object()["added-rows"] = 10;
    return snapshot;
  }

  void expect_refused(const Json& snapshot, const std::string& why) {
    try {
      commit(Engine::commit(table_, snapshot));
      ADD_FAILURE() << why;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << error.message();
      EXPECT_THAT(error.message(), ::testing::HasSubstr(why));
    }
  }

  TablePtr table_;
};

TEST_F(OpenCatalogFormat3Test, ALateAppendTakesTheRowIdsThatAreLeft) {
  EXPECT_EQ(table_->metadata.next_row_id, 10);
  const TableUpdates late = engine_.append(table_, "late", 5);
  lake_.append(table_, {lake_.named_file(*table_, "b", 2)});
  const TablePtr done = commit(late);
  std::map<std::string, int64_t> first_ids;
  for (const DataFile& file : lake_.catalog->files(*done)) {
    first_ids[std::filesystem::path(file.path).stem()] = file.first_row_id.value();
  }
  EXPECT_EQ(first_ids, (std::map<std::string, int64_t>{{"a", 0}, {"b", 10}, {"late", 12}}));
  EXPECT_EQ(done->metadata.current_snapshot()->first_row_id, 12);
  EXPECT_EQ(done->metadata.next_row_id, 17);
}

TEST_F(OpenCatalogFormat3Test, VectorsMustBeThoseThatReadersFind) {
  const DataFile vector = vector_of("a", RowPositions({1, 2}));
  DataFile elsewhere = vector;
  elsewhere.content_offset = 5;
  expect_refused(engine_.snapshot({.base = table_, .added = {elsewhere}}), "no deletion vector");
  DataFile of_another = vector;
  of_another.referenced_data_file = "file:///another.parquet";
  expect_refused(engine_.snapshot({.base = table_, .added = {of_another}}), "is not of");
  DataFile missing = vector;
  missing.path += ".not";
  expect_refused(engine_.snapshot({.base = table_, .added = {missing}}), ".not");

  table_ = commit(Engine::commit(
      table_, engine_.snapshot({.base = table_, .added = {vector}, .operation = "delete"})));
  EXPECT_EQ(live_rows(lake_.catalog->files(*table_)[0]), 8);
  const DataFile second = vector_of("a", RowPositions({1, 2, 3}));
  expect_refused(engine_.snapshot({.base = table_, .added = {second}}), "two deletion vectors");
  table_ = commit(Engine::commit(
      table_, engine_.snapshot({.base = table_, .added = {second}, .removed = {vector}})));
  EXPECT_EQ(live_rows(lake_.catalog->files(*table_)[0]), 7);
}

TEST_F(OpenCatalogFormat3Test, WhatBelongsToFormat2IsRefused) {
  DataFile deletes = lake_.named_file(*table_, "deletes", 1);
  deletes.content = FileContent::kPositionDeletes;
  expect_refused(snapshot_of_format_2(deletes), "position delete file");
  expect_refused(snapshot_of_format_2(lake_.named_file(*table_, "b", 10)), "first_row_id");
}

TEST_F(OpenCatalogFormat3Test, RowIdsBeyondThoseOfTheSnapshotAreRefused) {
  Json snapshot = engine_.snapshot({.base = table_, .added = {lake_.named_file(*table_, "b", 10)}});
  snapshot.as_object()["added-rows"] = 9;
  expect_refused(snapshot, "ids beyond");
}

TEST_F(OpenCatalogTest, StagedTablesAreThereWhenTheyAreCommitted) {
  open_.create_namespace("db", {});
  const TablePtr staged = open_.create(new_table("db", "t"), true);
  EXPECT_TRUE(lake_.files->exists(local_path(staged->metadata.location) + "/data"));
  EXPECT_EQ(lake_.catalog->find({"db", "t"}), nullptr);
  const auto create = [&](const std::string& location) {
    return table_updates_from_json(
        {"db", "t"},
        JsonObject{
            {"requirements", JsonArray{JsonObject{{"type", "assert-create"}}}},
            {"updates",
             JsonArray{JsonObject{{"action", "assign-uuid"}, {"uuid", staged->metadata.table_uuid}},
                       JsonObject{{"action", "add-schema"},
                                  {"schema", to_json(staged->metadata.current_schema())}},
                       JsonObject{{"action", "set-current-schema"}, {"schema-id", -1}},
                       JsonObject{{"action", "set-location"}, {"location", location}}}}});
  };
  for (const std::string& elsewhere :
       {std::string("file:///tmp/elsewhere"), "file://" + lake_.directory.path() + "/warehouse",
        "file://" + lake_.directory.path() + "/warehouse/db",
        "file://" + lake_.directory.path() + "/warehouse/db/../../x/y"}) {
    EXPECT_EQ(kind_thrown_by([&] { commit(create(elsewhere)); }), ErrorKind::kInvalid) << elsewhere;
  }
  const TablePtr table = commit(create(staged->metadata.location));
  EXPECT_EQ(lake_.catalog->load({"db", "t"})->metadata.table_uuid, staged->metadata.table_uuid);
  EXPECT_EQ(table->metadata.default_spec().fields.size(), 0u);
  EXPECT_EQ(kind_thrown_by([&] { commit(create(staged->metadata.location)); }),
            ErrorKind::kAlreadyExists);
  EXPECT_EQ(kind_thrown_by([&] { open_.create(new_table("none", "t"), false); }),
            ErrorKind::kNotFound);
}

TEST_F(OpenCatalogTest, Namespaces) {
  open_.create_namespace("db", {{"owner", "me"}});
  EXPECT_EQ(kind_thrown_by([&] { open_.create_namespace("db", {}); }), ErrorKind::kAlreadyExists);
  EXPECT_EQ(kind_thrown_by([&] { open_.create_namespace("hot", {}); }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_thrown_by([&] { open_.create_namespace("a/b", {}); }), ErrorKind::kInvalid);
  EXPECT_EQ(open_.find_namespace("db")->at("owner"), "me");
  EXPECT_TRUE(open_.find_namespace("db")->at("location").ends_with("/warehouse/db"));
  lake_.create("t");  // in bronze, which nobody has created
  EXPECT_THAT(lake_.catalog->databases(), ElementsAre("bronze", "db"));
  EXPECT_EQ(kind_thrown_by([&] { open_.drop_namespace("bronze"); }), ErrorKind::kConflict);
  open_.drop_namespace("db");
  EXPECT_EQ(open_.find_namespace("db"), std::nullopt);
  EXPECT_EQ(kind_thrown_by([&] { open_.drop_namespace("db"); }), ErrorKind::kNotFound);
}

TEST_F(OpenCatalogTest, RenamesRegistersAndPurges) {
  TablePtr table = lake_.create("t");
  table = lake_.append(table, {lake_.named_file(*table, "a", 1)});
  open_.rename(table->identifier, {"bronze", "u"});
  EXPECT_EQ(lake_.catalog->find(table->identifier), nullptr);
  EXPECT_THAT(names(lake_.catalog->load({"bronze", "u"})), ElementsAre("a"));
  EXPECT_EQ(kind_thrown_by([&] { lake_.append(table, {lake_.named_file(*table, "b", 1)}); }),
            ErrorKind::kNotFound);
  const TablePtr other = lake_.create("t");  // the name is free, the folder is not
  EXPECT_NE(other->metadata.location, table->metadata.location);
  EXPECT_EQ(kind_thrown_by([&] { open_.rename({"bronze", "u"}, other->identifier); }),
            ErrorKind::kAlreadyExists);
  EXPECT_EQ(kind_thrown_by([&] { open_.rename({"bronze", "u"}, {"none", "u"}); }),
            ErrorKind::kNotFound);
  EXPECT_EQ(kind_thrown_by(
                [&] { open_.register_table({"bronze", "w"}, table->metadata_location, false); }),
            ErrorKind::kInvalid);  // u has these files
  lake_.catalog->drop({"bronze", "u"}, false);
  open_.register_table({"bronze", "w"}, table->metadata_location, false);
  EXPECT_THAT(names(lake_.catalog->load({"bronze", "w"})), ElementsAre("a"));
  EXPECT_EQ(
      kind_thrown_by([&] { open_.register_table({"bronze", "x"}, "file:///none.json", false); }),
      ErrorKind::kInvalid);
  lake_.catalog->drop({"bronze", "w"}, true);
  EXPECT_FALSE(lake_.files->exists(local_path(table->metadata.location)));
  EXPECT_TRUE(lake_.files->exists(local_path(other->metadata.location)));
}

TEST_F(OpenCatalogTest, PurgingARegisteredTableElsewhereLeavesWhatIsNotItsOwn) {
  LakeFixture elsewhere;
  const TablePtr table = elsewhere.create("t");
  const std::string folder = local_path(table->metadata.location);
  elsewhere.files->write_new(folder + "/notes.txt", "mine");
  open_.create_namespace("db", {});
  open_.register_table({"db", "t"}, table->metadata_location, false);
  lake_.catalog->drop({"db", "t"}, true);
  EXPECT_FALSE(lake_.files->exists(local_path(table->metadata_location)));
  EXPECT_TRUE(lake_.files->exists(folder + "/notes.txt"));
}

TEST_F(OpenCatalogTest, Views) {
  open_.create_namespace("db", {});
  const auto version = [](const std::string& sql) {
    return JsonObject{{"version-id", 1},
                      {"schema-id", 0},
                      {"timestamp-ms", 1},
                      {"summary", JsonObject()},
                      {"default-namespace", JsonArray{"db"}},
                      {"representations",
                       JsonArray{JsonObject{{"type", "sql"}, {"sql", sql}, {"dialect", "spark"}}}}};
  };
  const JsonObject request{{"name", "v"},
                           {"schema", parse_json(kSchema, "a schema")},
                           {"view-version", version("SELECT 1")},
                           {"properties", JsonObject{{"a", "1"}}}};
  const View view = open_.create_view("db", request);
  EXPECT_EQ(kind_thrown_by([&] { open_.create_view("db", request); }), ErrorKind::kAlreadyExists);
  EXPECT_EQ(kind_thrown_by([&] { open_.create(new_table("db", "v"), false); }),
            ErrorKind::kAlreadyExists);
  EXPECT_THAT(open_.list_views("db"), ElementsAre(TableIdentifier{"db", "v"}));
  EXPECT_THAT(lake_.catalog->list("db"), IsEmpty());
  JsonObject replace{
      {"requirements", JsonArray{JsonObject{{"type", "assert-view-uuid"},
                                            {"uuid", string_member(view.metadata, "view-uuid")}}}},
      {"updates",
       JsonArray{JsonObject{{"action", "add-view-version"}, {"view-version", version("SELECT 2")}},
                 JsonObject{{"action", "set-current-view-version"}, {"view-version-id", -1}}}}};
  EXPECT_EQ(integer_member(open_.commit_view({"db", "v"}, replace).metadata, "current-version-id"),
            2);
  replace["requirements"].as_array()[0].as_object()["uuid"] = "another";
  EXPECT_EQ(kind_thrown_by([&] { open_.commit_view({"db", "v"}, replace); }), ErrorKind::kConflict);
  EXPECT_EQ(kind_thrown_by([&] { open_.drop_namespace("db"); }), ErrorKind::kConflict);
  open_.rename_view({"db", "v"}, {"db", "w"});
  EXPECT_THAT(member(open_.find_view({"db", "w"})->metadata, "versions").as_array(), SizeIs(2));
  open_.drop_view({"db", "w"});
  EXPECT_EQ(open_.find_view({"db", "w"}), std::nullopt);
  open_.drop_namespace("db");
}

}  // namespace
}  // namespace headrace::lake
