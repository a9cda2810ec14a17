// What a user changes of the table of a job.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "jobs/testing/job_bench.h"

namespace headrace::jobs {
namespace {

using Texts = std::vector<std::string>;

// It finds its columns in the data.
JobSpec following_job(const std::string& target_settings = "") {
  return JobBench::job("events", format(R"(
events: {{type: topic, topic: events}}
parsed: {{type: parse, input: events}}
out: {{type: table, input: parsed, table: silver.events{}}}
)",
                                        target_settings));
}

TEST(ColumnChanges, goes_on_when_a_user_renames_drops_and_divides) {
  JobBench bench;
  bench.create_topic("events");
  bench.send("events", {R"({"id":1,"usr":"a","old":true})"});
  bench.run_to_end(following_job());
  const lake::TableIdentifier table{"silver", "events"};
  bench.tables().alter(table, {.drop = {"old"}, .rename = {{"usr", "user_id"}}}, "user");
  bench.send("events", {R"({"id":2,"usr":"b"})"});
  // The job still calls it usr.
  bench.run_to_end(following_job(", partition_by: [id]"));
  bench.send("events", {R"({"id":3,"usr":"c","new":{"x":1}})"});
  bench.run_to_end(following_job(", partition_by: ['bucket(4, id)']"));
  EXPECT_EQ(bench.rows("SELECT id, user_id, \"new\".x FROM silver.events"),
            (Texts{"1|a|NULL", "2|b|NULL", "3|c|1"}));
  Texts told;
  for (const lake::SchemaChange& change : bench.catalog().schema_changes()) {
    told.push_back(format("{} {}: {}", change.what.change, change.what.column,
                          change.cause.substr(0, change.cause.find('{'))));
  }
  EXPECT_EQ(
      told,
      (Texts{"drop old: user", "rename user_id: user", "partition : job events: its definition",
             "partition : job events: its definition", "add new: job events: records before "}));
  EXPECT_EQ(bench.catalog().load(table)->metadata.partition_specs.size(), 3u);
}

TEST(ColumnChanges, shows_changes_of_a_table_to_readers_while_its_job_runs) {
  JobBench bench;
  bench.create_topic("events");
  bench.send("events", {R"({"id":1,"a":1})"});
  JobRunner runner(following_job(), bench.runtime());
  runner.start();
  const auto wait_for = [&](const std::string& sql, const std::string& expected) {
    std::string found;
    for (int i = 0; i < 3000 && found != expected; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      try {
        found = bench.value(sql);
      } catch (const Error&) {
        // Not there yet.
      }
    }
    EXPECT_EQ(found, expected) << sql;
  };
  const lake::TableIdentifier table{"silver", "events"};
  wait_for("SELECT count(*) FROM silver.events", "1");
  bench.send("events", {R"({"id":2,"a":2,"b":{"c":"x"}})"});
  // Nothing is committed, and all of it is there.
  wait_for("SELECT b.c FROM silver.events WHERE id = 2", "x");
  EXPECT_EQ(bench.catalog().load(table)->metadata.current_snapshot(), nullptr);
  try {
    bench.tables().alter(table, {.drop = {"a"}}, "user");
    ADD_FAILURE() << "a column went that the job fills";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), testing::HasSubstr("leave_out: [a]"));
  }
  bench.tables().alter(table, {.rename = {{"a", "z"}}, .add = {{"note", "varchar"}}}, "user");
  wait_for("SELECT sum(z) FROM silver.events", "3");
  bench.send("events", {R"({"id":3,"a":3,"b":{"c":"y","d":1}})"});
  wait_for("SELECT sum(z) FROM silver.events", "6");
  runner.commit_soon();
  ASSERT_TRUE(runner.wait_until_committed(std::chrono::minutes(1)));
  wait_for("SELECT string_agg(id || coalesce(b.c, '-') || z, ' ' ORDER BY id) FROM silver.events",
           "1-1 2x2 3y3");
  // Rows in files, hot rows, and those that come then.
  bench.send("events", {R"({"id":4,"a":4,"b":{"c":"hot","d":2}})"});
  wait_for("SELECT b.c FROM silver.events WHERE id = 4", "hot");
  bench.tables().alter(table, {.rename = {{"b.c", "e"}}}, "user");
  wait_for("SELECT string_agg(b.e, ' ' ORDER BY id) FROM silver.events", "x y hot");
  bench.send("events", {R"({"id":5,"a":5,"b":{"c":"late","d":3}})"});
  wait_for("SELECT string_agg(b.e, ' ' ORDER BY id) FROM silver.events", "x y hot late");
  runner.commit_soon();
  ASSERT_TRUE(runner.wait_until_committed(std::chrono::minutes(1)));
  runner.stop();
  EXPECT_EQ(runner.status().dead_letters, 0);
  bench.restart();
  bench.send("events", {R"({"id":6,"a":6,"b":{"c":"later","d":4}})"});
  bench.run_to_end(following_job());
  EXPECT_EQ(bench.rows("SELECT id, z, b, note FROM silver.events"),
            (Texts{"1|1|NULL|NULL", R"(2|2|{"e":"x","d":null}|NULL)", R"(3|3|{"e":"y","d":1}|NULL)",
                   R"(4|4|{"e":"hot","d":2}|NULL)", R"(5|5|{"e":"late","d":3}|NULL)",
                   R"(6|6|{"e":"later","d":4}|NULL)"}));
}

}  // namespace
}  // namespace headrace::jobs
