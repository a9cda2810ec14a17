// Columns that are found in the data: what they become, how tables follow them, and that nothing of
// it depends on how the work is cut.

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/environment.h"
#include "base/testing/faulty_file_system.h"
#include "jobs/testing/job_bench.h"

namespace headrace::jobs {
namespace {

using Texts = std::vector<std::string>;

constexpr const char* kEvents = R"(
events: {type: topic, topic: events}
raw: {type: table, input: events, table: bronze.events}
parsed: {type: parse, input: events}
out: {type: table, input: parsed, table: silver.events}
)";

JobSpec job(const std::string& parse_settings = "", const std::string& target_settings = "") {
  return JobBench::job("events", format(R"(
events: {{type: topic, topic: events}}
parsed: {{type: parse, input: events{}}}
out: {{type: table, input: parsed, table: silver.events{}}}
)",
                                        parse_settings, target_settings));
}

// Sixty events to which fields come one after another, at all depths; some records are broken.
Texts evolving_events() {
  Texts values;
  for (int i = 0; i < 60; ++i) {
    if (i % 13 == 12) {
      values.push_back(format("{{\"id\":{},", i));
      continue;
    }
    std::string event = format(R"({{"id":{},"at":"2024-01-{:02}T10:00:00Z")", i, 1 + i % 3);
    if (i >= 5) event += format(R"(,"amount":{}.5)", i);
    if (i >= 9) event += R"(,"ok":true)";
    if (i >= 14) event += format(R"(,"who":{{"name":"n{}")", i);
    if (i >= 21) event += format(R"(,"age":{})", i);
    if (i >= 33) event += format(R"(,"home":{{"city":"c{}"}})", i);
    if (i >= 14) event += "}";
    if (i >= 25) event += format(R"(,"tags":["a","{}"])", i % 4);
    if (i >= 29) event += format(R"(,"items":[{{"sku":"s{}")", i);
    if (i >= 41) event += format(R"(,"count":{})", i);
    if (i >= 29) event += "}]";
    if (i == 45) event += R"(,"ok_2":1)";
    if (i >= 36) event += R"(,"day":"2024-02-03")";
    values.push_back(event + "}");
  }
  return values;
}

struct Found {
  Texts columns, rows, dead;
  bool operator==(const Found&) const = default;
};

Found found_in(JobBench& bench) {
  return {bench.rows("SELECT column_name, column_type FROM (DESCRIBE silver.events)"),
          bench.rows("SELECT * FROM (SELECT COLUMNS(*) FROM silver.events)"),
          bench.rows("SELECT node, reason, \"offset\", value FROM dead_letters.events")};
}

// Columns in the order of their names: which came first depends on nothing else.
Found golden() {
  JobBench bench;
  bench.create_topic("events");
  bench.send("events", evolving_events());
  bench.run_to_end(JobBench::job("events", kEvents));
  return found_in(bench);
}

TEST(Inference, finds_the_columns_of_a_table_in_the_data) {
  JobBench bench;
  bench.create_topic("events");
  bench.send("events",
             {R"({"b":true,"i":1,"big":9007199254740993,"huge":12345678901234567890,"d":1.5,)"
              R"("mixed":1,"day":"2024-02-03","at":"2024-02-03T04:05:06Z",)"
              R"("local":"2024-02-03 04:05:06","text":"x","s":{"a":1,"t":{"u":"v"}},)"
              R"("l":[1,2],"ls":[{"x":1},{"y":"z"}],"none":null,"empty":[],"nothing":{}})",
              R"({"mixed":2.5,"text":1})"});
  bench.run_to_end(job());
  EXPECT_EQ(
      bench.value("SELECT string_agg(column_name || ' ' || column_type, ', ') FROM (DESCRIBE "
                  "silver.events)"),
      "b BOOLEAN, i BIGINT, big BIGINT, huge DECIMAL(38,0), d DOUBLE, mixed DOUBLE, day DATE, "
      "at TIMESTAMP WITH TIME ZONE, local TIMESTAMP, text VARCHAR, "
      "s STRUCT(a BIGINT, t STRUCT(u VARCHAR)), l BIGINT[], "
      "ls STRUCT(x BIGINT, y VARCHAR)[]");
  EXPECT_EQ(bench.rows("SELECT i, big, huge, mixed, text, s.t.u, l, ls FROM silver.events"),
            (Texts{R"(1|9007199254740993|12345678901234567890|1|x|v|[1,2]|[{"x":1,"y":null},)"
                   R"({"x":null,"y":"z"}])",
                   "NULL|NULL|NULL|2.5|1|NULL|NULL|NULL"}));
}

TEST(Inference, keeps_declared_columns_as_they_are_and_finds_the_others) {
  JobBench bench;
  bench.create_topic("events");
  bench.send("events", {R"({"id":1,"price":2,"more":"x","secret":"s"})", R"({"id":"no","price":3})",
                        R"({"id":2,"price":4.5,"late":true})"});
  bench.batch_records = 1;
  bench.run_to_end(
      job(", fields: {id: bigint, price: 'decimal(10,2)'}, infer: true, ignore: "
          "[secret]"));
  EXPECT_EQ(bench.rows("SELECT * FROM silver.events"),
            (Texts{"1|2.00|x|NULL", "2|4.50|NULL|true"}));
  EXPECT_EQ(bench.rows("SELECT reason FROM dead_letters.events"),
            (Texts{"field id: 'no' is no BIGINT"}));
}

TEST(Inference, gives_the_same_rows_however_the_work_is_cut) {
  const Found expected = golden();
  ASSERT_EQ(expected.rows.size() + expected.dead.size(), 60u);
  ASSERT_EQ(expected.dead.size(), 4u);

  JobBench tiny;
  tiny.create_topic("events");
  for (const std::string& value : evolving_events()) tiny.send("events", {value});
  tiny.batch_records = 3;
  tiny.commit_bytes = 200;
  tiny.run_to_end(JobBench::job("events", kEvents));
  EXPECT_EQ(found_in(tiny), expected);

  JobBench restarted;
  restarted.create_topic("events");
  for (const std::string& value : evolving_events()) {
    restarted.send("events", {value});
    restarted.run_to_end(JobBench::job("events", kEvents));
    restarted.restart();
  }
  EXPECT_EQ(found_in(restarted), expected);
}

TEST(Inference, loses_and_doubles_nothing_when_any_file_operation_fails) {
  const auto posix = make_posix_file_system();
  const Found expected = golden();
  for (int n = 1;; n += 3 * kFaultStep) {
    JobBench bench;
    bench.create_topic("events");
    bench.send("events", evolving_events());
    bench.batch_records = 20;
    bench.commit_bytes = 1500;
    FaultyFileSystem faulty(*posix, n);
    try {
      bench.use_files(faulty);
      bench.run_to_end(JobBench::job("events", kEvents));
    } catch (const Error&) {
      // The next run goes on from what is there.
    }
    const bool injected = faulty.failed();
    bench.use_files(*posix);
    bench.run_to_end(JobBench::job("events", kEvents));
    ASSERT_EQ(found_in(bench), expected) << "after a failure of operation " << n;
    if (!injected) break;
  }
}

// A column of whole numbers, then all that it can meet.
Texts conflicting_events() {
  return {R"({"n":1,"s":{"m":true}})",
          R"({"n":"text"})",
          R"({"n":"12"})",
          R"({"n":2.5})",
          R"({"n":[1,"a"]})",
          R"({"n":{"x":1}})",
          R"({"n":3,"s":{"m":"no"}})",
          R"({"n":{"x":2}})",
          R"({"s":7})"};
}

TEST(Inference, splits_a_column_that_gets_values_of_another_type) {
  for (const int64_t records : {1, 2, 50'000}) {
    JobBench bench;
    bench.create_topic("events");
    bench.send("events", {R"({"n":0,"s":{"m":false}})"});
    bench.run_to_end(job());
    bench.send("events", conflicting_events());
    bench.batch_records = records;
    bench.run_to_end(job());
    EXPECT_EQ(
        bench.rows("SELECT n, n__varchar, n__double, n__list, n__struct.x, s.m, "
                   "s.m__varchar, s__bigint FROM silver.events"),
        (Texts{"0|NULL|NULL|NULL|NULL|false|NULL|NULL", "1|NULL|NULL|NULL|NULL|true|NULL|NULL",
               "3|NULL|NULL|NULL|NULL|NULL|no|NULL", "NULL|12|NULL|NULL|NULL|NULL|NULL|NULL",
               "NULL|NULL|2.5|NULL|NULL|NULL|NULL|NULL", "NULL|NULL|NULL|NULL|1|NULL|NULL|NULL",
               "NULL|NULL|NULL|NULL|2|NULL|NULL|NULL", "NULL|NULL|NULL|NULL|NULL|NULL|NULL|7",
               R"(NULL|NULL|NULL|["1","a"]|NULL|NULL|NULL|NULL)",
               "NULL|text|NULL|NULL|NULL|NULL|NULL|NULL"}))
        << records << " records in a batch";
    EXPECT_EQ(bench.value("SELECT count(*) FROM dead_letters.events"), "0");
  }
}

TEST(Inference, puts_all_such_values_into_one_text_column_when_told_to) {
  for (const int64_t records : {1, 3, 50'000}) {
    JobBench bench;
    bench.create_topic("events");
    bench.send("events", {R"({"n":0,"s":{"k":1}})"});
    bench.run_to_end(job(", on_conflict: text"));
    bench.send("events", {R"({"n":"12"})", R"({"n":2.50})", R"({"n":{"a": [1]}})",
                          R"({"n":[true, 1]})", R"({"n":5,"s":{"k":"one"}})", R"({"s":"none"})"});
    bench.batch_records = records;
    bench.run_to_end(job(", on_conflict: text"));
    bench.restart();
    EXPECT_EQ(bench.rows("SELECT n, n__varchar, s.k, s.k__varchar, s__varchar FROM silver.events"),
              (Texts{"0|NULL|1|NULL|NULL", "5|NULL|NULL|one|NULL", "NULL|12|NULL|NULL|NULL",
                     "NULL|2.50|NULL|NULL|NULL", "NULL|NULL|NULL|NULL|none",
                     "NULL|[true, 1]|NULL|NULL|NULL", R"(NULL|{"a": [1]}|NULL|NULL|NULL)"}))
        << records << " records in a batch";
    EXPECT_EQ(bench.value("SELECT count(*) FROM dead_letters.events"), "0");
  }
}

TEST(Inference, casts_or_rejects_such_values_when_told_to) {
  for (const std::string policy : {"cast", "reject"}) {
    JobBench bench;
    bench.create_topic("events");
    bench.send("events", {R"({"n":0})"});
    bench.run_to_end(job());
    bench.send("events", {R"({"n":"12"})", R"({"n":"x"})", R"({"n":2.5})", R"({"n":5})"});
    bench.run_to_end(job(", on_conflict: " + policy));
    EXPECT_EQ(bench.rows("SELECT n FROM silver.events"),
              policy == "cast" ? (Texts{"0", "12", "5"}) : (Texts{"0", "5"}));
    EXPECT_EQ(bench.rows("SELECT reason FROM dead_letters.events").size(),
              policy == "cast" ? 2u : 3u);
  }
}

TEST(Inference, gives_fields_whose_names_sql_takes_for_one_columns_of_their_own) {
  JobBench bench;
  bench.create_topic("events");
  bench.send("events", {R"({"id":1,"ID":"a","__offset":7,"":true,"s":{"k":1,"K":2}})"});
  bench.run_to_end(job());
  EXPECT_EQ(bench.rows("SELECT id, \"ID_2\", \"__offset_2\", unnamed, s FROM silver.events"),
            (Texts{R"(1|a|7|true|{"k":1,"K":2})"}));
}

TEST(Inference, makes_records_that_need_too_many_columns_dead_letters) {
  JobBench bench;
  bench.create_topic("events");
  bench.send("events", {R"({"a":1,"b":{"c":1}})", R"({"d":1})", R"({"a":2,"b":{"e":1}})"});
  bench.batch_records = 1;
  bench.run_to_end(job(", max_columns: 2"));
  EXPECT_EQ(bench.rows("SELECT a, b.c FROM silver.events"), (Texts{"1|1"}));
  EXPECT_EQ(bench.value("SELECT count(*) FROM dead_letters.events"), "2");
  EXPECT_THAT(bench.value("SELECT min(reason) FROM dead_letters.events WHERE value LIKE '%d%'"),
              testing::HasSubstr("max_columns"));
}

TEST(Inference, looks_ahead_for_the_columns_that_a_job_names) {
  JobBench bench;
  bench.create_topic("events");
  bench.send("events", {R"({"id":1})", "broken", R"({"id":2,"price":5})"});
  bench.batch_records = 1;
  const JobSpec spec = JobBench::job("events", R"(
events: {type: topic, topic: events}
parsed: {type: parse, input: events}
dear: {type: filter, input: parsed, where: price > 3}
out: {type: table, input: dear, table: silver.events}
)");
  bench.run_to_end(spec);
  EXPECT_EQ(bench.rows("SELECT id, price FROM silver.events"), (Texts{"2|5"}));
  EXPECT_EQ(bench.value("SELECT count(*) FROM dead_letters.events"), "1");

  JobBench never;
  never.create_topic("events");
  never.send("events", {R"({"id":1})"});
  try {
    never.run_to_end(spec);
    FAIL() << "a column was found that is not there";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(),
                testing::AllOf(testing::HasSubstr("nodes.dear"), testing::HasSubstr("price"),
                               testing::HasSubstr("declare it")));
  }
}

TEST(Inference, lets_an_upsert_table_grow) {
  for (const int64_t commit_bytes : {int64_t{1}, int64_t{1} << 30}) {
    JobBench bench;
    bench.create_topic("events");
    bench.send("events", {R"({"id":1,"a":1})", R"({"id":2,"a":2})", R"({"id":1,"a":3,"b":"x"})",
                          R"({"id":3,"c":{"d":1}})", R"({"id":2,"c":{"d":2,"e":true}})",
                          R"({"id":2,"a":9,"c":{"e":false}})"});
    bench.batch_records = 1;
    bench.commit_bytes = commit_bytes;
    bench.run_to_end(job(", fields: {id: bigint}, infer: true", ", primary_key: [id]"));
    bench.restart();
    EXPECT_EQ(bench.rows("SELECT id, a, b, c.d, c.e FROM silver.events"),
              (Texts{"1|3|x|NULL|NULL", "2|9|NULL|NULL|false", "3|NULL|NULL|1|NULL"}));
  }
}

TEST(Inference, follows_a_job_that_declares_more_columns_or_wider_ones) {
  JobBench bench;
  bench.create_topic("events");
  bench.send("events", {R"({"a":1,"d":1.5,"b":2})"});
  bench.run_to_end(job(", fields: {a: int, d: 'decimal(4,1)'}"));
  bench.run_to_end(job(", fields: {b: bigint, a: bigint, d: 'decimal(9,1)'}"));
  bench.send("events", {R"({"a":5000000000,"d":12345678.5,"b":3})"});
  bench.run_to_end(job(", fields: {b: bigint, a: bigint, d: 'decimal(9,1)'}"));
  EXPECT_EQ(bench.rows("SELECT a, d, b FROM silver.events"),
            (Texts{"1|1.5|NULL", "5000000000|12345678.5|3"}));
}

// What a topic has forgotten is still in bronze: a silver table is made anew from it.
TEST(Replay, makes_a_silver_table_anew_from_the_records_in_bronze) {
  JobBench bench;
  stream::TopicConfig two;
  two.partitions = 2;
  bench.create_topic("events", two);
  Texts values = evolving_events();
  values.push_back("\xff\xfe");
  for (size_t i = 0; i < values.size(); ++i) {
    bench.send("events", {values[i]}, static_cast<int>(i % 2));
  }
  bench.run_to_end(JobBench::job("bronze", R"(
events: {type: topic, topic: events}
raw: {type: table, input: events, table: bronze.events}
)"));
  bench.run_to_end(job(", on_conflict: split"));
  for (const int64_t records : {7, 50'000}) {
    const std::string name = format("again_{}", records);
    const JobSpec again = JobBench::job(name, format(R"(
bronze: {{type: table, table: bronze.events}}
parsed: {{type: parse, input: bronze}}
out: {{type: table, input: parsed, table: silver.{}}}
)",
                                                     name));
    bench.batch_records = records;
    bench.run_to_end(again);
    bench.restart();
    bench.run_to_end(again);
    const std::string columns =
        "id, \"at\", amount, ok, who.name, who.age, who.home.city, tags, day";
    EXPECT_EQ(bench.rows(format("SELECT {} FROM silver.{}", columns, name)),
              bench.rows(format("SELECT {} FROM silver.events", columns)));
    EXPECT_EQ(bench.rows(format("SELECT topic, partition, \"offset\", value, value_bytes, reason "
                                "FROM dead_letters.{}",
                                name)),
              bench.rows("SELECT topic, partition, \"offset\", value, value_bytes, reason FROM "
                         "dead_letters.events"));
  }
}

TEST(Replay, goes_on_with_what_comes_into_bronze) {
  JobBench bench;
  bench.create_topic("events");
  const JobSpec bronze = JobBench::job("bronze", R"(
events: {type: topic, topic: events}
raw: {type: table, input: events, table: bronze.events}
)");
  const JobSpec silver = JobBench::job("silver", R"(
bronze: {type: table, table: bronze.events}
parsed: {type: parse, input: bronze, fields: {id: bigint, v: varchar}}
out: {type: table, input: parsed, table: silver.events, primary_key: [id]}
)");
  bench.send("events", {R"({"id":1,"v":"a"})", R"({"id":2,"v":"b"})"});
  bench.run_to_end(bronze);
  bench.run_to_end(silver);
  bench.send("events", {R"({"id":1,"v":"c"})"});
  bench.run_to_end(bronze);
  bench.run_to_end(silver);
  bench.run_to_end(silver);
  EXPECT_EQ(bench.rows("SELECT * FROM silver.events"), (Texts{"1|c", "2|b"}));
  try {
    bench.run_to_end(JobBench::job("wrong", R"(
silver: {type: table, table: silver.events}
parsed: {type: parse, input: silver}
out: {type: table, input: parsed, table: silver.wrong}
)"));
    FAIL() << "a table without records was parsed";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), testing::HasSubstr("does not hold the records of a topic"));
  }
}

// Public events of fifteen types, deeply nested: what the engine's own reader makes of the file.
TEST(Inference, finds_in_real_data_what_the_engine_finds) {
  const std::string path =
      std::string(HEADRACE_SOURCE_DIR) + "/src/jobs/tests/data/github_events.ndjson";
  JobBench bench;
  bench.create_topic("events");
  std::istringstream lines(bench.files().read(path));
  Texts values;
  for (std::string line; std::getline(lines, line);) values.push_back(line);
  bench.send("events", values);
  const std::string file =
      format("read_json('{}', format='newline_delimited', sample_size=-1, maximum_depth=-1)", path);
  // Whole, and event by event.
  for (const int64_t records : {50'000, 1}) {
    bench.batch_records = records;
    const std::string name = format("by_{}", records);
    bench.run_to_end(JobBench::job(name, format(R"(
events: {{type: topic, topic: events}}
parsed: {{type: parse, input: events}}
out: {{type: table, input: parsed, table: silver.{}}}
)",
                                                name)));
    EXPECT_EQ(bench.value(format("SELECT count(*) FROM dead_letters.{}", name)), "0");
    for (const char* columns :
         {"count(*), count(DISTINCT type), sum(actor.id), sum(repo.id), count(org)",
          "sum(payload.size), count(payload.action), sum(payload.push_id), max(epoch(created_at))",
          "sum(payload.pull_request.additions), count(payload.pull_request.head.repo.full_name), "
          "max(epoch(payload.pull_request.base.repo.pushed_at))",
          "sum(len(payload.commits)), count(payload.forkee.owner.login), "
          "max(payload.issue.user.login), sum(payload.release.id)",
          "count(payload.commits[1].author.name), bool_or(payload.commits[1]['distinct'])"}) {
      EXPECT_EQ(bench.rows(format("SELECT {} FROM silver.{}", columns, name)),
                bench.rows(format("SELECT {} FROM {}", columns, file)))
          << columns << ", " << records << " records in a batch";
    }
  }
}

}  // namespace
}  // namespace headrace::jobs
