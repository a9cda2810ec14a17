// Tables that a commit has no rows for: they make no snapshot, and nobody reads again for them.

#include "jobs/standing_by.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "jobs/testing/job_bench.h"
#include "lake/data_writer.h"

namespace headrace::jobs {
namespace {

using Texts = std::vector<std::string>;

constexpr const char* kNodes = R"(
events: {type: topic, topic: events}
parsed: {type: parse, input: events, fields: {id: bigint, kind: varchar}}
out: {type: table, input: parsed, table: silver.all}
rare: {type: filter, input: parsed, where: kind = 'rare'}
out_rare: {type: table, input: rare, table: silver.rare}
)";

const lake::TableIdentifier kAll{"silver", "all"};
const lake::TableIdentifier kRare{"silver", "rare"};
const lake::TableIdentifier kDeadLetters{"dead_letters", "j"};

class StandingByTest : public testing::Test {
 protected:
  StandingByTest() { bench_.create_topic("events"); }

  int64_t run(const Texts& events) {
    bench_.send("events", events);
    return run();
  }
  // Records that it has read.
  int64_t run() { return bench_.run_to_end(JobBench::job("j", kNodes)).records; }
  size_t snapshots(const lake::TableIdentifier& table) {
    return bench_.catalog().load(table)->metadata.snapshots.size();
  }
  void roll_back(const lake::TableIdentifier& table, size_t to) {
    lake::TableChange change;
    change.base = bench_.catalog().load(table);
    change.roll_back_to = change.base->metadata.snapshots.at(to).snapshot_id;
    bench_.catalog().commit({change});
    bench_.restart();
  }
  // A copy of its rows in new files, as another engine's compaction makes it.
  void rewrite(const lake::TableIdentifier& table) {
    lake::TableChange change;
    change.base = bench_.catalog().load(table);
    change.removed = bench_.catalog().files(*change.base);
    SeededRandom random(99);
    change.added =
        lake::write_data_files(*bench_.database().connect(), bench_.catalog(), bench_.files(),
                               random, *change.base, lake::scan_sql(*change.base, change.removed));
    change.operation = "replace";
    bench_.catalog().commit({change});
    bench_.restart();
  }
  Texts rows(const std::string& columns, const lake::TableIdentifier& table) {
    return bench_.rows(format("SELECT {} FROM {}", columns, table.to_string()));
  }

  JobBench bench_;
};

TEST_F(StandingByTest, ATableWithoutRowsMakesNoSnapshotAndNothingIsReadAgainForIt) {
  EXPECT_EQ(run({R"({"id":1,"kind":"common"})"}), 1);
  EXPECT_EQ(run({R"({"id":2,"kind":"common"})"}), 1);
  bench_.restart();
  EXPECT_EQ(run({R"({"id":3,"kind":"rare"})"}), 1);
  EXPECT_EQ(run({R"({"id":4,"kind":"common"})", "no JSON"}), 2);
  EXPECT_EQ(run({R"({"id":5,"kind":"common"})"}), 1);
  bench_.restart();
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(snapshots(kAll), 5u);
  EXPECT_EQ(snapshots(kRare), 1u);
  EXPECT_EQ(snapshots(kDeadLetters), 1u);
  EXPECT_EQ(rows("id", kAll), (Texts{"1", "2", "3", "4", "5"}));
  EXPECT_EQ(rows("id", kRare), (Texts{"3"}));
  EXPECT_EQ(rows("value", kDeadLetters), (Texts{"no JSON"}));
}

TEST_F(StandingByTest, OneOfThemTellsWhenNoneHasRows) {
  const auto job = [&] {
    return bench_
        .run_to_end(JobBench::job("j", R"(
events: {type: topic, topic: events}
parsed: {type: parse, input: events, fields: {id: bigint}}
few: {type: filter, input: parsed, where: id > 10}
out: {type: table, input: few, table: silver.all}
more: {type: filter, input: parsed, where: id > 20}
out_more: {type: table, input: more, table: silver.rare}
)"))
        .records;
  };
  for (int i = 0; i < 3; ++i) {
    bench_.send("events", {R"({"id":1})"});
    EXPECT_EQ(job(), 1);
    bench_.restart();
  }
  EXPECT_EQ(snapshots(kAll), 3u);
  EXPECT_EQ(snapshots(kRare), 0u);
  EXPECT_EQ(job(), 0);
}

TEST_F(StandingByTest, ATableThatIsMadeAgainGetsAllItsRowsAgain) {
  run({R"({"id":1,"kind":"rare"})", "broken 1"});
  run({R"({"id":2,"kind":"common"})"});
  bench_.catalog().drop(kRare, true);
  bench_.catalog().drop(kDeadLetters, true);
  bench_.restart();
  EXPECT_EQ(run({R"({"id":3,"kind":"rare"})"}), 4);
  EXPECT_EQ(rows("id", kRare), (Texts{"1", "3"}));
  EXPECT_EQ(rows("value", kDeadLetters), (Texts{"broken 1"}));
  EXPECT_EQ(rows("id", kAll), (Texts{"1", "2", "3"}));
}

TEST_F(StandingByTest, OneThatNeverHadRowsIsFilledWhenItIsMadeAgain) {
  run({R"({"id":1,"kind":"common"})"});
  bench_.catalog().drop(kRare, true);
  bench_.restart();
  EXPECT_EQ(run(), 1);
  EXPECT_EQ(run(), 0);
}

TEST_F(StandingByTest, ATableThatIsRolledBackGetsWhatItLost) {
  run({R"({"id":1,"kind":"rare"})"});
  run({R"({"id":2,"kind":"rare"})"});
  run({R"({"id":3,"kind":"common"})", "broken"});
  run({R"({"id":4,"kind":"common"})"});
  roll_back(kRare, 0);
  EXPECT_EQ(run(), 4);
  EXPECT_EQ(rows("id", kRare), (Texts{"1", "2"}));
  // Those that stood by are told of by a snapshot that is gone: they read again, to no effect.
  roll_back(kAll, 1);
  run({R"({"id":5,"kind":"common"})"});
  EXPECT_EQ(rows("id", kAll), (Texts{"1", "2", "3", "4", "5"}));
  EXPECT_EQ(rows("id", kRare), (Texts{"1", "2"}));
  EXPECT_EQ(rows("value", kDeadLetters), (Texts{"broken"}));
  EXPECT_EQ(run(), 0);
}

TEST_F(StandingByTest, WhatOthersCommitTakesNothingBack) {
  run({R"({"id":1,"kind":"rare"})", "broken"});
  run({R"({"id":2,"kind":"common"})"});
  for (const auto& table : {kAll, kRare, kDeadLetters}) rewrite(table);
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(run({R"({"id":3,"kind":"common"})"}), 1);
  EXPECT_EQ(rows("id", kAll), (Texts{"1", "2", "3"}));
  EXPECT_EQ(rows("id", kRare), (Texts{"1"}));
}

}  // namespace
}  // namespace headrace::jobs
