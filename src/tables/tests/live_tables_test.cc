#include "tables/live_tables.h"

#include <thread>

#include <gmock/gmock.h>

#include "tables/tests/tables_fixture.h"

namespace headrace::tables {
namespace {

using stream::kind_of_failure;
using stream::message_of_failure;
using testing::ElementsAre;
using testing::HasSubstr;

const lake::TableIdentifier kA{"silver", "a"};
const lake::TableIdentifier kB{"silver", "b"};

TEST_F(TablesTest, ATargetIsCreatedAndEmpty) {
  const TableState state = tables().open_target(target("a"));
  EXPECT_TRUE(state.is_target);
  EXPECT_EQ(state.generations.size(), 1U);
  EXPECT_EQ(count("silver.a"), 0);
  EXPECT_NE(lake_.catalog->find(kA), nullptr);
  EXPECT_THAT(tables().list(), ElementsAre(kA));
}

TEST_F(TablesTest, HotRowsAreVisibleAtOnceAndCounted) {
  tables().open_target(target("a"));
  const int64_t version = tables().find(kA)->version;
  insert({kA}, 0, 3);
  EXPECT_EQ(count("silver.a"), 3);
  EXPECT_EQ(tables().find(kA)->hot_rows, 3);
  EXPECT_GT(tables().find(kA)->version, version);
}

TEST_F(TablesTest, ATableHasOneWriter) {
  tables().open_target(target("a"));
  EXPECT_EQ(kind_of_failure([&] { tables().open_target(target("a")); }), ErrorKind::kConflict);
  tables().close_target(kA);
  EXPECT_NO_THROW(tables().open_target(target("a")));
}

TEST_F(TablesTest, RefusesColumnsThatDoNotFit) {
  tables().open_target(target("a"));
  tables().close_target(kA);
  TargetSpec other = target("a");
  other.columns[1].type = "INTEGER";
  EXPECT_EQ(kind_of_failure([&] { tables().open_target(other); }), ErrorKind::kInvalid);
  EXPECT_THAT(message_of_failure([&] { tables().open_target(other); }),
              testing::AllOf(HasSubstr("silver.a"), HasSubstr("\"name\" is VARCHAR"),
                             HasSubstr("cannot take INTEGER")));
}

TEST_F(TablesTest, HotRowsOfOldColumnsAndOfNewOnesAreOneTable) {
  tables().open_target(target("a"));
  insert({kA}, 0, 2);
  commit({kA});
  insert({kA}, 2, 2);
  tables().evolve_target(kA, {{"more", "STRUCT(x BIGINT)"}, {"id", "BIGINT"}, {"name", "VARCHAR"}});
  connection().execute("INSERT INTO " + tables().hot_name(kA) + " SELECT {'x': 7}, 4, NULL");
  tables().evolve_target(
      kA, {{"more", "STRUCT(y VARCHAR, x BIGINT)"}, {"id", "BIGINT"}, {"name", "VARCHAR"}});
  connection().execute("INSERT INTO " + tables().hot_name(kA) +
                       " SELECT {'x': 8, 'y': 'z'}, 5, NULL");
  tables().rows_added(kA, 2);
  const Rows expected = {{"0", "n0", {}, {}}, {"1", "n1", {}, {}}, {"2", "n2", {}, {}},
                         {"3", "n3", {}, {}}, {"4", {}, "7", {}},  {"5", {}, "8", "z"}};
  EXPECT_EQ(rows("SELECT id, name, more.x, more.y FROM silver.a ORDER BY id"), expected);
  EXPECT_EQ(tables().find(kA)->table->metadata.schemas.size(), 1u);  // nothing is committed yet
  EXPECT_EQ(hot_tables(), 1);
}

// Another engine has added it, and the job goes on without it.
TEST_F(TablesTest, AColumnThatAWriterDoesNotGiveIsEmpty) {
  tables().open_target(target("a"));
  tables().close_target(kA);
  TargetSpec narrow = target("a");
  narrow.columns = {{"id", "BIGINT"}};
  tables().open_target(narrow);
  connection().execute("INSERT INTO " + tables().hot_name(kA) + " VALUES (7)");
  EXPECT_EQ(count("silver.a WHERE id = 7 AND name IS NULL"), 1);
}

TEST_F(TablesTest, NamesWhatIsNotThere) {
  EXPECT_EQ(tables().find(kA), std::nullopt);
  EXPECT_EQ(kind_of_failure([&] { tables().rows_added(kA, 1); }), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of_failure([&] { tables().seal({kA}, {}); }), ErrorKind::kNotFound);
  EXPECT_THAT(message_of_failure([&] { tables().close_target(kA); }), HasSubstr("silver.a"));
}

TEST_F(TablesTest, ASealedGenerationStaysVisibleWhileTheNextTakesRows) {
  tables().open_target(target("a"));
  insert({kA}, 0, 3);
  const std::string before = tables().hot_name(kA);
  const SealedGeneration sealed = tables().seal({kA}, {}).at(0);
  EXPECT_EQ(sealed.rows, 3);
  EXPECT_EQ(LiveTables::hot_name(kA, sealed.number), before);
  EXPECT_NE(tables().hot_name(kA), before);
  EXPECT_EQ(engine::quote_name("hot", tables().hot_table(kA)), tables().hot_name(kA));
  insert({kA}, 3, 2);
  EXPECT_EQ(count("silver.a"), 5);
  EXPECT_EQ(tables().find(kA)->sealed_rows, 3);
  EXPECT_EQ(tables().find(kA)->hot_rows, 5);

  tables().replace_committed(write_and_commit({kA}, {sealed}));
  EXPECT_EQ(count("silver.a"), 5);
  EXPECT_EQ(tables().find(kA)->sealed_rows, 0);
  EXPECT_EQ(tables().find(kA)->hot_rows, 2);
  EXPECT_EQ(tables().find(kA)->files->size(), 1U);
  EXPECT_EQ(hot_tables(), 1);
}

TEST_F(TablesTest, SealingCountsTheRowsOfItsGenerationAlone) {
  tables().open_target(target("a"));
  insert({kA}, 0, 3);
  const SealedGeneration first = tables().seal({kA}, {}).at(0);
  insert({kA}, 3, 2);
  const SealedGeneration second = tables().seal({kA}, {}).at(0);
  EXPECT_EQ(second.rows, 2);
  EXPECT_EQ(tables().find(kA)->generations.size(), 3U);
  tables().replace_committed(write_and_commit({kA}, {first}));
  tables().replace_committed(write_and_commit({kA}, {second}));
  EXPECT_EQ(count("silver.a"), 5);
  EXPECT_EQ(tables().find(kA)->hot_rows, 0);
}

TEST_F(TablesTest, ACommitMayReplaceFiles) {
  tables().open_target(target("a"));
  insert({kA}, 0, 3);
  commit({kA});
  const auto old_file = tables().find(kA)->files->at(0);
  lake::TableChange change;
  change.base = tables().find(kA)->table;
  change.operation = "overwrite";
  change.removed = {old_file};
  change.added = lake::write_data_files(connection(), *lake_.catalog, *lake_.files, lake_.random,
                                        *change.base, "SELECT 7::BIGINT AS id, 'seven' AS name");
  const auto committed = lake_.catalog->commit({change}).at(0);
  tables().replace_committed({{committed, {}, change.added, {old_file.path}}});
  EXPECT_EQ(rows("SELECT id, name FROM silver.a"), (Rows{{"7", "seven"}}));
}

// Every query sees each row exactly once and both tables at the same instant, whatever is inserted,
// sealed and committed meanwhile.
TEST_F(TablesTest, ReadersSeeEachRowOnceAtEveryInstant) {
  tables().open_target(target("a"));
  tables().open_target(target("b"));
  std::jthread reader([&](const std::stop_token& stop) {
    const auto own = process_->database.connect();
    int64_t seen = 0;
    do {
      const auto found = own->query_rows(
          "SELECT count(*), count(DISTINCT id), coalesce(max(id) + 1, 0), "
          "(SELECT count(*) FROM silver.b) FROM silver.a");
      const int64_t now = std::stoll(*found[0][0]);
      EXPECT_THAT(found[0], testing::Each(found[0][0]));
      EXPECT_GE(now, seen);
      seen = now;
    } while (!stop.stop_requested());
  });
  for (int round = 0; round < 20; ++round) {
    insert({kA, kB}, 100 * round, 50);
    const auto sealed = tables().seal({kA, kB}, {});
    insert({kA, kB}, 100 * round + 50, 50);
    tables().replace_committed(write_and_commit({kA, kB}, sealed));
  }
  reader.request_stop();
  reader.join();
  EXPECT_EQ(count("silver.a"), 2000);
  EXPECT_EQ(hot_tables(), 2);
}

TEST_F(TablesTest, ClosingDropsHotRowsAndKeepsFiles) {
  tables().open_target(target("a"));
  insert({kA}, 0, 3);
  commit({kA});
  insert({kA}, 3, 2);
  tables().seal({kA}, {});
  insert({kA}, 5, 1);
  tables().close_target(kA);
  EXPECT_EQ(count("silver.a"), 3);
  EXPECT_EQ(hot_tables(), 0);
  EXPECT_EQ(tables().find(kA)->hot_rows, 0);
  EXPECT_FALSE(tables().find(kA)->is_target);
  EXPECT_EQ(kind_of_failure([&] { tables().hot_name(kA); }), ErrorKind::kInternal);
  EXPECT_EQ(kind_of_failure([&] { tables().hot_table(kA); }), ErrorKind::kInternal);
  tables().open_target(target("a"));
  EXPECT_EQ(count("silver.a"), 3);
}

TEST_F(TablesTest, TakesUpCommitsFromOutside) {
  tables().open_target(target("a"));
  insert({kA}, 0, 2);
  const auto table = commit_from_outside(kA, "SELECT 9::BIGINT AS id, 'nine' AS name");
  EXPECT_EQ(count("silver.a"), 2);
  tables().refresh(kA);
  EXPECT_EQ(count("silver.a"), 3);
  EXPECT_EQ(tables().find(kA)->table->metadata_location, table->metadata_location);
  const int64_t version = tables().find(kA)->version;
  tables().refresh(kA);
  EXPECT_EQ(tables().find(kA)->version, version);
  EXPECT_EQ(kind_of_failure([&] { tables().refresh(kB); }), ErrorKind::kNotFound);
}

TEST_F(TablesTest, AnotherProcessSeesWhatIsCommitted) {
  tables().open_target(target("a"));
  tables().open_target(target("b"));
  insert({kA}, 0, 3);
  commit({kA});
  insert({kA}, 3, 4);
  Process other(*this);
  other.tables.load_all();
  EXPECT_THAT(other.tables.list(), ElementsAre(kA, kB));
  EXPECT_EQ(other.connection->query_integer("SELECT count(*) FROM silver.a"), 3);
  EXPECT_EQ(other.connection->query_integer("SELECT count(*) FROM silver.b"), 0);
}

TEST_F(TablesTest, GivesWhatCameAfterASnapshot) {
  tables().open_target(target("a"));
  insert({kA}, 0, 1);
  commit({kA});
  const auto first = tables().find(kA)->table->metadata.current_snapshot_id;
  insert({kA}, 1, 2);
  commit({kA});
  insert({kA}, 3, 4);
  EXPECT_EQ(count(tables().rows_sql(kA, false)), 7);
  EXPECT_EQ(count(tables().changes_after(kA, *first, false).sql), 6);
  const auto last = tables().find(kA)->table->metadata.current_snapshot_id;
  EXPECT_EQ(rows("SELECT min(id), max(id), min(__headrace_sign) FROM " +
                 tables().changes_after(kA, *last, false).sql),
            (Rows{{"3", "6", "1"}}));
}

// A view of what is in table a after a snapshot, or of what its SQL says.
class View final : public Dependent {
 public:
  View(LiveTables& tables, std::string name) : tables_(tables), name_(std::move(name)) {}
  std::vector<std::string> definition() override {
    if (fails) return {"SELECT * FROM nothing.like_this"};
    return {"CREATE SCHEMA IF NOT EXISTS gold",
            format("CREATE OR REPLACE VIEW {} AS SELECT count(*) AS n FROM {}", name_,
                   tables_.rows_sql(kA, true))};
  }
  bool fails = false;

 private:
  LiveTables& tables_;
  const std::string name_;
};

TEST_F(TablesTest, DependentsFollowTheirTable) {
  tables().open_target(target("a"));
  View view(tables(), "gold.n");
  tables().add_dependent(kA, &view);
  insert({kA}, 0, 3);
  const auto sealed = tables().seal({kA}, {});
  insert({kA}, 3, 1);
  EXPECT_EQ(connection().query_integer("FROM gold.n"), 4);
  tables().replace_committed(write_and_commit({kA}, sealed));
  EXPECT_EQ(connection().query_integer("FROM gold.n"), 4);
  tables().close_target(kA);
  EXPECT_EQ(connection().query_integer("FROM gold.n"), 3);
  tables().remove_dependent(kA, &view);
  view.fails = true;  // nobody asks it any more
  commit_from_outside(kA, "SELECT 9::BIGINT AS id, 'nine' AS name");
  EXPECT_NO_THROW(tables().refresh(kA));
}

TEST_F(TablesTest, AQueryReadsTheFilesThatItNeedsAndAllHotRows) {
  tables().open_target(target("a"));
  for (int first = 0; first < 40; first += 10) {
    insert({kA}, first, 10);
    commit({kA});
  }
  insert({kA}, 35, 10);  // ids 35 to 39 are in the last file, too
  EXPECT_EQ(connection().query_integer("SELECT count(*) FROM silver.a WHERE id >= 35"), 15);
  EXPECT_EQ(connection().files_scanned().total, 4);
  EXPECT_EQ(connection().files_scanned().read, 1);
  EXPECT_EQ(connection().query_integer("SELECT count(*) FROM silver.a WHERE id > 100"), 0);
  EXPECT_EQ(connection().files_scanned().read, 0);
  // What is sealed is seen once, in whichever of both it is.
  const auto sealed = tables().seal({kA}, {});
  EXPECT_EQ(connection().query_integer("SELECT count(*) FROM silver.a WHERE id >= 35"), 15);
  tables().replace_committed(write_and_commit({kA}, sealed));
  EXPECT_EQ(connection().query_integer("SELECT count(*) FROM silver.a WHERE id >= 40"), 5);
  EXPECT_EQ(connection().files_scanned().total, 5);
  EXPECT_EQ(connection().files_scanned().read, 1);
}

// The list that it names is the one of before.
TEST_F(TablesTest, AViewThatCouldNotBeReplacedStillReadsItsFiles) {
  tables().open_target(target("a"));
  insert({kA}, 0, 3);
  commit({kA});
  View view(tables(), "gold.n");
  view.fails = true;
  tables().add_dependent(kA, &view);
  // More lists than are kept for queries that are about to begin.
  TargetSpec other = target("b");
  tables().open_target(other);
  for (int i = 0; i < 70; ++i) {
    EXPECT_THROW(tables().seal({kA}, {}), Error);
    insert({kB}, i, 1);
    commit({kB});
  }
  EXPECT_EQ(count("silver.a"), 3);
  tables().remove_dependent(kA, &view);
}

TEST_F(TablesTest, ASealThatFailsChangesNothing) {
  tables().open_target(target("a"));
  insert({kA}, 0, 3);
  View view(tables(), "gold.n");
  view.fails = true;
  tables().add_dependent(kA, &view);
  const std::string hot = tables().hot_name(kA);
  EXPECT_THROW(tables().seal({kA}, {}), Error);
  EXPECT_EQ(tables().hot_name(kA), hot);
  EXPECT_EQ(tables().find(kA)->sealed_rows, 0);
  EXPECT_EQ(hot_tables(), 1);
  view.fails = false;
  EXPECT_EQ(tables().seal({kA}, {}).at(0).rows, 3);
  EXPECT_EQ(count("silver.a"), 3);
}

class Owner final : public Dependent {
 public:
  explicit Owner(int shown) : shown_(shown) {}
  std::vector<std::string> definition() override {
    return {format("CREATE OR REPLACE VIEW silver.a AS SELECT {} AS n", shown_)};
  }

 private:
  const int shown_;
};

TEST_F(TablesTest, AnOwnerDefinesTheViewOfATable) {
  tables().open_target(target("a"));
  insert({kA}, 0, 3);
  Owner owner(7);
  Owner later(8);
  tables().set_view_owner(kA, &owner);
  tables().seal({kA}, {});
  EXPECT_EQ(rows("FROM silver.a"), (Rows{{"7"}}));
  EXPECT_EQ(rows("FROM " + tables().rows_sql(kA, false)), (Rows{{"7"}}));
  tables().set_view_owner(kA, &later);
  tables().end_view_owner(kA, &owner);
  tables().seal({kA}, {});
  EXPECT_EQ(rows("FROM silver.a"), (Rows{{"8"}}));
  tables().end_view_owner(kA, &later);
  EXPECT_EQ(rows("SELECT id FROM silver.a ORDER BY id"), (Rows{{"0"}, {"1"}, {"2"}}));
}

TEST_F(TablesTest, RunsAllStatementsOrNone) {
  EXPECT_THROW(tables().run_locked([] {
    return std::vector<std::string>{"CREATE SCHEMA made", "FROM nothing.like_this"};
  }),
               Error);
  EXPECT_EQ(count("duckdb_schemas() WHERE schema_name = 'made'"), 0);
  tables().run_locked([] { return std::vector<std::string>{"CREATE SCHEMA made"}; });
  EXPECT_EQ(count("duckdb_schemas() WHERE schema_name = 'made'"), 1);
}

// The rows that the writer has committed are still among the hot ones: taken up too early they
// would be there twice, taken up too late not at all.
TEST_F(TablesTest, CommitsOfOthersAndOfTheWriterAreTakenUpInAnyOrder) {
  const auto spec = target("orders");
  tables().open_target(spec);
  insert({spec.identifier}, 0, 10);
  const auto sealed = tables().seal({spec.identifier}, {});
  commit_from_outside(spec.identifier, "SELECT 100::BIGINT AS id, 'x' AS name");
  const auto own = write_and_commit({spec.identifier}, sealed);
  EXPECT_EQ(tables().refresh_changed().size(), 0U);
  EXPECT_EQ(count("silver.orders"), 10);
  tables().replace_committed(own);
  EXPECT_EQ(count("silver.orders"), 11);
  commit_from_outside(spec.identifier, "SELECT 101::BIGINT AS id, 'y' AS name");
  EXPECT_EQ(tables().refresh_changed(), std::vector{spec.identifier});
  EXPECT_EQ(count("silver.orders"), 12);
  EXPECT_EQ(tables().refresh_changed().size(), 0U);
  insert({spec.identifier}, 10, 5);
  commit({spec.identifier});
  EXPECT_EQ(count("silver.orders"), 17);
}

TEST_F(TablesTest, NewTablesOfOthersAreTakenUp) {
  Process other(*this);
  const auto spec = target("orders");
  other.tables.open_target(spec);
  EXPECT_EQ(tables().refresh_changed(), std::vector{spec.identifier});
  EXPECT_EQ(count("silver.orders"), 0);
}

}  // namespace
}  // namespace headrace::tables
