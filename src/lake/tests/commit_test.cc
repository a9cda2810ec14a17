// Commits under faults, races and in large numbers.

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/faulty_file_system.h"
#include "lake/open_catalog.h"
#include "lake/testing/error_kind.h"
#include "lake/testing/lake_fixture.h"
#include "store/testing/postgres_server.h"

namespace headrace::lake {
namespace {

using ::testing::AnyOf;
using ::testing::SizeIs;

std::unique_ptr<Catalog> open_catalog(LakeFixture& lake, FileSystem& files,
                                      store::MetadataStore& store, CatalogOptions options = {}) {
  options.warehouse = lake.directory.path() + "/warehouse";
  return Catalog::open(store, files, lake.clock, lake.random, options);
}

void append_many(LakeFixture& lake, Catalog& catalog, const TableIdentifier& identifier,
                 const std::string& prefix, int commits) {
  for (int i = 0; i < commits; ++i) {
    const TablePtr table = catalog.load(identifier);
    TableChange change;
    change.base = table;
    change.added = {lake.named_file(*table, prefix + std::to_string(i), 1)};
    catalog.commit({change});
  }
}

TEST(CommitTest, TwoCatalogsLoseNoAppend) {
  LakeFixture lake;
  const TablePtr table = lake.create("edits");
  const auto other_store = store::open_sqlite_store(lake.directory.path() + "/metadata.db");
  const auto other = open_catalog(lake, *lake.files, *other_store);
  {
    const std::jthread one([&] { append_many(lake, *lake.catalog, table->identifier, "a", 15); });
    const std::jthread two([&] { append_many(lake, *other, table->identifier, "b", 15); });
  }
  const TablePtr last = lake.catalog->load(table->identifier);
  EXPECT_THAT(lake.catalog->files(*last), SizeIs(30));
  EXPECT_EQ(last->metadata.current_snapshot()->summary.at("total-records"), "30");
  EXPECT_EQ(last->metadata.last_sequence_number, 30);
}

class SharedCatalogTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "postgres" && store::test_postgres_url().empty()) {
      GTEST_SKIP() << store::kNoPostgres;
    }
  }
  // A connection must not be carried into another process.
  std::unique_ptr<store::MetadataStore> open_store() {
    if (GetParam() == "sqlite") {
      return store::open_sqlite_store(lake_.directory.path() + "/metadata.db");
    }
    store::PostgresOptions options;
    options.url = store::test_postgres_url();
    options.schema = schema_;
    return store::open_postgres_store(options, lake_.clock);
  }
  // Commits to a table of its own and to one that all share. Returns the exit code.
  int work(const std::string& name, int commits) {
    try {
      const auto store = open_store();
      SeededRandom random;  // nor a random state
      const auto catalog = Catalog::open(*store, *lake_.files, lake_.clock, random,
                                         {.warehouse = lake_.directory.path() + "/warehouse"});
      append_many(lake_, *catalog, {"bronze", "own_" + name}, name, commits);
      append_many(lake_, *catalog, {"bronze", "shared"}, name, commits);
      // Both in one commit, as a job does.
      append_to_both(*catalog, name);
      return 0;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return 1;
    }
  }
  void append_to_both(Catalog& catalog, const std::string& name) {
    std::vector<TableChange> changes(2);
    changes[0].base = catalog.load({"bronze", "own_" + name});
    changes[1].base = catalog.load({"bronze", "shared"});
    for (TableChange& change : changes) {
      change.added = {lake_.named_file(*change.base, name + "_both", 1)};
    }
    catalog.commit(changes);
  }
  LakeFixture lake_;
  const std::string schema_ = store::fresh_schema();
};

INSTANTIATE_TEST_SUITE_P(Stores, SharedCatalogTest, ::testing::Values("sqlite", "postgres"),
                         [](const auto& store) { return store.param; });

TEST_P(SharedCatalogTest, ProcessesLoseNoCommitToTheSameAndToOtherTables) {
  const auto store = open_store();
  const auto catalog = open_catalog(lake_, *lake_.files, *store);
  for (const char* name : {"shared", "own_a", "own_b", "own_c"}) {
    CreateTable request;
    request.identifier = {"bronze", name};
    request.schema = make_schema({{"id", "BIGINT"}});
    catalog->create(request);
  }
  std::vector<pid_t> children;
  for (const char* name : {"a", "b", "c"}) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(work(name, 10));
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_THAT(catalog->files(*catalog->load({"bronze", "shared"})), SizeIs(33));
  for (const char* name : {"own_a", "own_b", "own_c"}) {
    EXPECT_THAT(catalog->files(*catalog->load({"bronze", name})), SizeIs(11));
    EXPECT_EQ(catalog->versions().at({"bronze", name}), 12);
  }
}

TEST_P(SharedCatalogTest, WhoLostItsLeaseCannotCommit) {
  const auto store = open_store();
  const auto catalog = open_catalog(lake_, *lake_.files, *store);
  CreateTable request;
  request.identifier = {"bronze", "edits"};
  request.schema = make_schema({{"id", "BIGINT"}});
  TablePtr table = catalog->create(request);
  store::Leases leases(*store);
  TableChange change;
  change.base = table;
  change.lease = leases.try_acquire("job/x", "one", milliseconds(1));
  change.added = {lake_.named_file(*table, "first", 1)};
  EXPECT_THAT(catalog->commit({change}), SizeIs(1));
  leases.release(*change.lease);
  ASSERT_TRUE(leases.try_acquire("job/x", "two", milliseconds(1000)));
  change.added = {lake_.named_file(*table, "late", 1)};
  EXPECT_EQ(kind_thrown_by([&] { catalog->commit({change}); }), ErrorKind::kConflict);
  EXPECT_THAT(catalog->files(*catalog->load(table->identifier)), SizeIs(1));
}

// A create, an append, a replacement; everything that was reported done must be there.
int64_t run_until_fault(LakeFixture& lake, Catalog& catalog, int64_t& acknowledged) {
  CreateTable request;
  request.identifier = {"bronze", "edits"};
  request.schema = make_schema({{"id", "BIGINT"}});
  TablePtr table = catalog.create(request);
  for (int i = 0; i < 3; ++i) {
    TableChange change;
    change.base = table;
    change.added = {lake.named_file(*table, "f" + std::to_string(i), 1)};
    table = catalog.commit({change}).at(0);
    ++acknowledged;
  }
  TableChange change;
  change.base = table;
  change.removed = catalog.files(*table);
  change.added = {lake.named_file(*table, "all", 3)};
  change.operation = "replace";
  table = catalog.commit({change}).at(0);
  return static_cast<int64_t>(catalog.files(*table).size());
}

void check_after_fault(LakeFixture& lake, int64_t acknowledged) {
  const auto fresh = open_catalog(lake, *lake.files, *lake.store);
  const TablePtr table = fresh->find({"bronze", "edits"});
  if (table == nullptr) {
    EXPECT_EQ(acknowledged, 0);
    return;
  }
  int64_t records = 0;
  for (const DataFile& file : fresh->files(*table)) records += file.record_count;
  // The commit that failed may have taken place or not, the others have.
  EXPECT_THAT(records, AnyOf(acknowledged, acknowledged + 1));
}

TEST(CommitTest, AnyFaultLeavesTheOldOrTheNewTable) {
  for (const bool stay_broken : {false, true}) {
    bool completed = false;
    for (int fail_at = 1; !completed; ++fail_at) {
      ASSERT_LT(fail_at, 500);
      LakeFixture lake({.merge_manifests_at = 2});
      FaultyFileSystem faulty(*lake.files, fail_at, stay_broken);
      const auto catalog = open_catalog(lake, faulty, *lake.store, {.merge_manifests_at = 2});
      int64_t acknowledged = 0;
      try {
        EXPECT_EQ(run_until_fault(lake, *catalog, acknowledged), 1);
        completed = !faulty.failed();
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kUnavailable) << error.message();
      }
      check_after_fault(lake, acknowledged);
    }
  }
}

// A store whose apply() does its work, or not, and then fails.
class UncertainStore final : public store::MetadataStore {
 public:
  explicit UncertainStore(store::MetadataStore& inner) : inner_(inner) {}
  std::optional<store::Entry> get(std::string_view space, std::string_view key) override {
    if (is_gone) fail(ErrorKind::kUnavailable, "reading: connection lost");
    return inner_.get(space, key);
  }
  std::vector<store::Entry> list(std::string_view space, std::string_view prefix) override {
    return inner_.list(space, prefix);
  }
  void apply(const std::vector<store::Change>& changes) override {
    if (failures == 0 && !fails) return inner_.apply(changes);
    if (failures > 0) --failures;
    if (applies) inner_.apply(changes);
    if (!applies) late = changes;
    is_gone = stays_gone;
    fail(kind, "writing: connection lost");
  }
  int64_t now_ms() override { return inner_.now_ms(); }
  ErrorKind kind = ErrorKind::kUnavailable;
  bool applies = true;
  bool fails = false;
  int failures = 0;  // as many calls fail
  bool stays_gone = false;
  bool is_gone = false;
  std::vector<store::Change> late;

 private:
  store::MetadataStore& inner_;
};

TEST(CommitTest, AnUncertainOutcomeIsLookedUpBySnapshot) {
  LakeFixture lake;
  const TablePtr table = lake.create("edits");
  UncertainStore uncertain(*lake.store);
  const auto catalog = open_catalog(lake, *lake.files, uncertain);
  TableChange change;
  change.base = table;
  change.added = {lake.named_file(*table, "a", 1)};
  uncertain.fails = true;
  EXPECT_THAT(catalog->commit({change}), SizeIs(1));
  uncertain.applies = false;
  EXPECT_EQ(kind_thrown_by([&] { catalog->commit({change}); }), ErrorKind::kUnavailable);
  uncertain.stays_gone = true;
  EXPECT_EQ(kind_thrown_by([&] { catalog->commit({change}); }), ErrorKind::kCommitUnknown);
  EXPECT_THAT(lake.catalog->files(*lake.catalog->load(table->identifier)), SizeIs(1));
}

// The commit is on its way while the catalog looks: it must not arrive after its files are gone.
TEST(CommitTest, ACommitThatIsUnknownAndNotThereCannotArriveLater) {
  LakeFixture lake;
  const TablePtr table = lake.create("edits");
  UncertainStore uncertain(*lake.store);
  const auto catalog = open_catalog(lake, *lake.files, uncertain);
  TableChange change;
  change.base = table;
  change.added = {lake.named_file(*table, "a", 1)};
  uncertain.kind = ErrorKind::kCommitUnknown;
  uncertain.failures = 1;
  uncertain.applies = false;
  EXPECT_EQ(kind_thrown_by([&] { catalog->commit({change}); }), ErrorKind::kUnavailable);
  ASSERT_THAT(uncertain.late, SizeIs(1));
  EXPECT_EQ(kind_thrown_by([&] { lake.store->apply(uncertain.late); }), ErrorKind::kConflict);
  uncertain.failures = 1;
  uncertain.applies = true;
  EXPECT_THAT(catalog->commit({change}), SizeIs(1));
  EXPECT_THAT(lake.catalog->files(*lake.catalog->load(table->identifier)), SizeIs(1));
}

TEST(CommitTest, NorCanOneFromOutsideThatIsUnknownAndNotThere) {
  LakeFixture lake;
  const TablePtr table = lake.create("edits");
  UncertainStore uncertain(*lake.store);
  const auto catalog = open_catalog(lake, *lake.files, uncertain);
  const auto updates = [](const TableIdentifier& identifier, const std::string& text) {
    return table_updates_from_json(identifier, parse_json(text, "test"));
  };
  const std::string location = table->metadata.location + "-new";
  for (const TableUpdates& commit :
       {updates(table->identifier,
                R"({"updates": [{"action": "set-properties", "updates": {"a": "b"}}]})"),
        updates({table->identifier.database, "new"},
                R"({"requirements": [{"type": "assert-create"}], "updates": [
                    {"action": "assign-uuid", "uuid": "0-1"},
                    {"action": "add-schema", "schema": {"type": "struct", "fields": []}},
                    {"action": "set-current-schema", "schema-id": -1},
                    {"action": "set-location", "location": ")" +
                    location + R"("}]})")}) {
    SCOPED_TRACE(commit.identifier.name);
    uncertain.kind = ErrorKind::kCommitUnknown;
    uncertain.failures = 1;
    uncertain.applies = false;
    EXPECT_EQ(kind_thrown_by([&] { catalog->open_side().commit_updates({commit}); }),
              ErrorKind::kUnavailable);
    ASSERT_THAT(uncertain.late, SizeIs(1));
    EXPECT_EQ(kind_thrown_by([&] { lake.store->apply(uncertain.late); }), ErrorKind::kConflict);
    EXPECT_THAT(catalog->open_side().commit_updates({commit}), SizeIs(1));
  }
}

TEST(CommitTest, WhatATableIncludesIsSaidByEverySnapshot) {
  LakeFixture lake;
  TablePtr table = lake.create("edits");
  table = lake.append(table, {lake.named_file(*table, "a", 1)},
                      {{"headrace.positions", "p1"}, {"other", "x"}});
  table = lake.append(table, {lake.named_file(*table, "b", 1)});
  const Summary& kept = table->metadata.current_snapshot()->summary;
  EXPECT_EQ(kept.at("headrace.positions"), "p1");
  EXPECT_FALSE(kept.contains("other"));
  table = lake.append(table, {}, {{"headrace.positions", "p2"}});
  EXPECT_EQ(table->metadata.current_snapshot()->summary.at("headrace.positions"), "p2");
}

TEST(CommitTest, ManifestsAreMergedAndKeepWhatTheirEntriesSay) {
  LakeFixture lake({.merge_manifests_at = 3});
  const TablePtr base = lake.create("edits");
  std::vector<SnapshotId> ids;
  TablePtr table = base;
  for (int i = 0; i < 30; ++i) {
    table = lake.append(table, {lake.named_file(*table, std::to_string(i), 1)});
    ids.push_back(*table->metadata.current_snapshot_id);
  }
  const auto fresh = open_catalog(lake, *lake.files, *lake.store);
  const std::vector<DataFile> files = fresh->files(*table);
  ASSERT_THAT(files, SizeIs(30));
  for (const DataFile& file : files) {
    const int index = std::stoi(std::filesystem::path(file.path).stem().string());
    EXPECT_EQ(file.sequence_number, index + 1);
    EXPECT_EQ(file.added_snapshot_id, ids[static_cast<size_t>(index)]);
  }
  EXPECT_THAT(fresh->files_added_after(*table, ids[9]), SizeIs(20));
}

class ExpiryTest : public ::testing::TestWithParam<bool> {};

TEST_P(ExpiryTest, ExpiredSnapshotsTakeTheirFilesWithThem) {
  LakeFixture lake({.keep_snapshots = 3,
                    .keep_snapshots_ms = -1,
                    .max_snapshots = 5,
                    .keep_metadata_files = 4,
                    .merge_manifests_at = 4,
                    .removes_in_background = GetParam()});
  TablePtr table = lake.create("edits");
  const std::string data = lake.catalog->data_directory(*table);
  const auto real_file = [&](const std::string& name) {
    lake.files->write_new(data + "/" + name + ".parquet", "x");
    return lake.named_file(*table, name, 1);
  };
  const DataFile replaced = real_file("replaced");
  table = lake.append(table, {replaced});
  TableChange change;
  change.base = table;
  change.removed = {replaced};
  change.added = {real_file("replacement")};
  change.operation = "replace";
  table = lake.catalog->commit({change}).at(0);
  for (int i = 0; i < 20; ++i) table = lake.append(table, {real_file(std::to_string(i))});

  EXPECT_THAT(table->metadata.snapshots, SizeIs(3));
  EXPECT_THAT(table->metadata.snapshot_log, SizeIs(3));
  EXPECT_THAT(table->metadata.metadata_log, SizeIs(3));
  const auto fresh = open_catalog(lake, *lake.files, *lake.store);
  EXPECT_THAT(fresh->files(*table), SizeIs(21));
  for (const Snapshot& snapshot : table->metadata.snapshots) {
    EXPECT_NO_THROW(fresh->files(*table, snapshot.snapshot_id));
  }
  lake.catalog.reset();  // what is to go by now is gone then
  EXPECT_FALSE(lake.files->exists(local_path(replaced.path)));
  EXPECT_THAT(lake.files->list(data), SizeIs(21));
  int metadata_files = 0;
  int lists = 0;
  for (const FileInfo& file :
       lake.files->list(local_path(table->metadata.location) + "/metadata")) {
    metadata_files += file.name.ends_with(".metadata.json") ? 1 : 0;
    lists += file.name.starts_with("snap-") ? 1 : 0;
  }
  EXPECT_EQ(metadata_files, 4);
  EXPECT_EQ(lists, 3);
}

INSTANTIATE_TEST_SUITE_P(Removal, ExpiryTest, ::testing::Bool(), [](const auto& in_background) {
  return in_background.param ? "InTheBackground" : "AtOnce";
});

TEST(CommitTest, SnapshotsThatATagPointsToStay) {
  LakeFixture lake({.keep_snapshots = 1, .keep_snapshots_ms = -1, .max_snapshots = 1});
  TablePtr table = lake.create("edits");
  table = lake.append(table, {lake.named_file(*table, "a", 1)});
  const SnapshotId tagged = *table->metadata.current_snapshot_id;
  // As another engine would: the tag is put into the metadata file itself.
  auto metadata = table->metadata;
  metadata.refs["release"] = JsonObject{{"snapshot-id", tagged}, {"type", "tag"}};
  lake.files->write_atomically(local_path(table->metadata_location), to_text(to_json(metadata)));
  const auto fresh =
      open_catalog(lake, *lake.files, *lake.store,
                   {.keep_snapshots = 1, .keep_snapshots_ms = -1, .max_snapshots = 1});
  table = fresh->load(table->identifier);
  for (int i = 0; i < 3; ++i) {
    TableChange change;
    change.base = table;
    change.added = {lake.named_file(*table, "b" + std::to_string(i), 1)};
    table = fresh->commit({change}).at(0);
  }
  EXPECT_THAT(table->metadata.snapshots, SizeIs(2));
  EXPECT_THAT(fresh->files(*table, tagged), SizeIs(1));
}

}  // namespace
}  // namespace headrace::lake
