// Golden pipelines: the same rows, however the work is cut into batches, commits and lives of the
// process.

#include <algorithm>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/environment.h"
#include "base/testing/faulty_file_system.h"
#include "jobs/testing/job_bench.h"

namespace headrace::jobs {
namespace {

constexpr const char* kOrdersJob = R"(
orders: {type: topic, topic: orders}
raw: {type: table, input: orders, table: bronze.orders}
parsed:
  type: parse
  input: orders
  fields:
    id: {type: bigint, required: true}
    at: timestamptz
    amount: decimal(10,2)
    note: varchar
    tags: "varchar[]"
    city: {type: varchar, path: /address/city}
valid: {type: filter, input: parsed, where: amount >= 0, otherwise: dead_letter, reason: amount is negative}
cheap: {type: filter, input: valid, where: amount < 100}
silver: {type: table, input: valid, table: silver.orders, partition_by: [day(at)]}
bargains: {type: table, input: cheap, table: gold.bargains}
)";

// Fifty orders: every seventh is broken JSON, every eleventh negative, one with bytes that are no
// UTF-8.
std::vector<std::string> orders() {
  std::vector<std::string> values;
  for (int i = 0; i < 50; ++i) {
    if (i == 13) {
      values.push_back("\xff\xfe");
    } else if (i % 7 == 6) {
      values.push_back(format("{{\"id\":{},\"amount\":", i));
    } else {
      values.push_back(format(
          R"({{"id":{},"at":"2024-01-{:02}T10:00:00Z","amount":{},"note":"n{}","tags":["a","{}"],)"
          R"("address":{{"city":"c{}"}},"unknown":1}})",
          i, 1 + i % 3, i % 11 == 10 ? -1 : i * 5, i, i, i % 4));
    }
  }
  return values;
}

struct Outcome {
  std::vector<std::string> bronze, silver, bargains, dead;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome_of(JobBench& bench) {
  return {bench.rows("SELECT _partition, _offset, value, value_bytes IS NULL FROM bronze.orders"),
          bench.rows("SELECT * FROM silver.orders"), bench.rows("SELECT * FROM gold.bargains"),
          bench.rows("SELECT node, reason, partition, \"offset\", value, hex(value_bytes) FROM "
                     "dead_letters.orders")};
}

void expect_golden(const Outcome& outcome) {
  EXPECT_EQ(outcome.bronze.size(), 50u);
  EXPECT_EQ(outcome.silver.size() + outcome.dead.size(), 50u);
  EXPECT_EQ(outcome.dead.size(),
            11u);  // 7 cut short, 3 negative (10, 21, 32, 43 less those cut short), 1 no text
  EXPECT_FALSE(outcome.bargains.empty());
  EXPECT_LT(outcome.bargains.size(), outcome.silver.size());
}

class Pipeline : public testing::Test {
 protected:
  // What one run over everything gives.
  static Outcome straight() {
    JobBench bench;
    bench.create_topic("orders");
    bench.send("orders", orders());
    bench.run_to_end(JobBench::job("orders", kOrdersJob));
    return outcome_of(bench);
  }
};

TEST_F(Pipeline, runs_straight) { expect_golden(straight()); }

TEST_F(Pipeline, gives_the_same_rows_in_tiny_batches_segments_and_commits) {
  JobBench bench;
  stream::TopicConfig tiny;
  tiny.segment_bytes = 500;
  bench.create_topic("orders", tiny);
  for (const std::string& value : orders()) bench.send("orders", {value});
  bench.batch_records = 3;
  bench.commit_bytes = 200;
  bench.run_to_end(JobBench::job("orders", kOrdersJob));
  EXPECT_EQ(outcome_of(bench), straight());
}

TEST_F(Pipeline, gives_the_same_rows_with_a_restart_after_each_record) {
  JobBench bench;
  bench.create_topic("orders");
  const auto values = orders();
  const size_t step = kFaultStep;  // under a sanitizer after each fifth
  for (size_t i = 0; i < values.size(); i += step) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i);
    const auto left = static_cast<size_t>(values.end() - begin);
    bench.send("orders", {begin, begin + static_cast<std::ptrdiff_t>(std::min(step, left))});
    bench.run_to_end(JobBench::job("orders", kOrdersJob));
    bench.restart();
  }
  EXPECT_EQ(outcome_of(bench), straight());
}

TEST_F(Pipeline, gives_a_new_target_what_the_others_have_and_then_all_go_on_together) {
  JobBench bench;
  bench.create_topic("orders");
  const auto values = orders();
  bench.send("orders", {values.begin(), values.begin() + 30});
  std::string without = kOrdersJob;
  without.resize(without.find("bargains:"));
  without.erase(without.find("cheap:"), without.find("silver:") - without.find("cheap:"));
  bench.run_to_end(JobBench::job("orders", without));
  bench.send("orders", {values.begin() + 30, values.end()});
  bench.batch_records = 7;
  bench.run_to_end(JobBench::job("orders", kOrdersJob));
  EXPECT_EQ(outcome_of(bench), straight());
}

TEST_F(Pipeline, makes_a_record_that_the_sql_fails_on_a_dead_letter) {
  JobBench bench;
  bench.create_topic("numbers");
  bench.send("numbers", {R"({"n":1})", R"({"n":0})", R"({"n":4})", R"({"n":0})"});
  bench.run_to_end(JobBench::job("numbers", R"(
numbers: {type: topic, topic: numbers}
parsed: {type: parse, input: numbers, fields: {n: bigint}}
checked: {type: derive, input: parsed, columns: {inverse: "CASE WHEN n = 0 THEN error('n is zero') ELSE 12 // n END"}}
out: {type: table, input: checked, table: silver.numbers}
)"));
  EXPECT_EQ(bench.rows("SELECT n FROM silver.numbers"), (std::vector<std::string>{"1", "4"}));
  EXPECT_EQ(
      bench.rows("SELECT \"offset\" FROM dead_letters.numbers WHERE reason LIKE '%n is zero%'"),
      (std::vector<std::string>{"1", "3"}));
}

TEST_F(Pipeline, judges_a_row_after_earlier_nodes_and_before_later_ones) {
  JobBench bench;
  bench.create_topic("t");
  bench.send("t", {R"({"k":"a","n":"x"})", R"({"k":"b","n":"x"})", R"({"k":"b","n":"7"})",
                   R"({"k":"c","n":"y"})"});
  bench.run_to_end(JobBench::job("t", R"(
t: {type: topic, topic: t}
parsed: {type: parse, input: t, fields: {k: varchar, n: varchar}}
not_a: {type: filter, input: parsed, where: "k <> 'a'"}
number: {type: cast, input: not_a, columns: {n: bigint}}
not_c: {type: filter, input: number, where: "k <> 'c'"}
out: {type: table, input: not_c, table: silver.t}
)"));
  EXPECT_EQ(bench.rows("SELECT k, n FROM silver.t"), (std::vector<std::string>{"b|7"}));
  // "a" was dropped before it was cast; "c" is a dead letter although it would have been dropped
  // later.
  EXPECT_EQ(bench.rows("SELECT node, \"offset\" FROM dead_letters.t"),
            (std::vector<std::string>{"number|1", "number|3"}));
}

// Each other node type, with what it does across batches: deduplication looks into the table, the
// static side is read anew in each life.
constexpr const char* kEveryNode = R"(
a: {type: topic, topic: a}
b: {type: topic, topic: b}
pa: {type: parse, input: a, fields: {id: bigint, c: varchar, n: varchar}}
pb: {type: parse, input: b, fields: {id: bigint, c: varchar, n: varchar, extra: boolean}}
both: {type: union, inputs: [pa, pb]}
first: {type: deduplicate, input: both, keys: [id], table: silver.j}
number: {type: cast, input: first, columns: {n: bigint}}
countries: {type: files, path: countries.json}
joined: {type: join, inputs: [number, countries], on: number.c = countries.code, columns: {country: countries.name}}
named: {type: rename, input: joined, columns: {c: code}}
more: {type: derive, input: named, columns: {thrice: id * 3}}
short: {type: select, input: more, columns: [id, country, extra, n, thrice]}
q: {type: sql, inputs: [short], query: "SELECT *, id * 2 AS twice FROM short"}
out: {type: table, input: q, table: silver.j}
few: {type: filter, input: q, where: id < 3}
out_few: {type: table, input: few, table: silver.few}
)";

struct Cut {
  const char* name;
  bool restarts = false;
  bool is_tiny = false;
};

class EveryNode : public testing::TestWithParam<Cut> {
 protected:
  void send(const std::string& topic, const std::vector<std::string>& values) {
    for (const std::string& value : values) {
      bench_.send(topic, {value});
      if (!GetParam().restarts) continue;
      run();
      bench_.restart();
    }
  }
  void run() { bench_.run_to_end(JobBench::job("j", kEveryNode)); }

  JobBench bench_;
};

TEST_P(EveryNode, gives_the_same_rows_however_the_work_is_cut) {
  stream::TopicConfig config;
  if (GetParam().is_tiny) {
    config.segment_bytes = 300;
    bench_.batch_records = 1;
    bench_.commit_bytes = 1;
  }
  bench_.files().write_new(bench_.directory() + "/countries.json",
                           R"([{"code":"DE","name":"Germany"}])");
  bench_.create_topic("a", config);
  bench_.create_topic("b", config);
  send("a", {R"({"id":1,"c":"DE","n":"10"})", R"({"id":2,"c":"XX"})", R"({"id":1,"c":"DE"})",
             R"({"id":9,"n":"no number"})"});
  send("b", {R"({"id":3,"c":"DE","extra":true,"n":"30"})"});
  run();
  const std::vector<std::string> expected{"1|Germany|NULL|10|3|2", "2|NULL|NULL|NULL|6|4",
                                          "3|Germany|true|30|9|6"};
  const auto check = [&] {
    EXPECT_EQ(bench_.rows("SELECT * FROM silver.j"), expected);
    EXPECT_EQ(bench_.rows("SELECT id FROM silver.few"), (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(bench_.rows("SELECT node, topic, \"offset\" FROM dead_letters.j"),
              (std::vector<std::string>{"number|a|3"}));
  };
  check();
  send("a", {R"({"id":2,"c":"DE"})"});  // there already
  run();
  check();
}

INSTANTIATE_TEST_SUITE_P(Pipelines, EveryNode,
                         testing::Values(Cut{"straight"}, Cut{"restarts", true},
                                         Cut{"tiny", false, true}, Cut{"both", true, true}),
                         [](const auto& cut) { return cut.param.name; });

TEST_F(Pipeline, runs_over_new_snapshots_of_a_table_and_over_new_files) {
  JobBench bench;
  const JobSpec files = JobBench::job("files", R"(
in: {type: files, path: "in/*.csv", format: csv, columns: {id: bigint, name: varchar}}
out: {type: table, input: in, table: silver.people}
)");
  const JobSpec table = JobBench::job("table", R"(
people: {type: table, table: silver.people}
big: {type: filter, input: people, where: id > 1}
out: {type: table, input: big, table: gold.big}
)");
  bench.files().create_directories(bench.directory() + "/in");
  bench.files().write_new(bench.directory() + "/in/1.csv", "id,name\n1,ada\n2,grace\n");
  bench.run_to_end(files);
  bench.run_to_end(table);
  bench.files().write_new(bench.directory() + "/in/2.csv", "id,name\n3,alan\n");
  bench.run_to_end(files);
  bench.run_to_end(files);
  bench.restart();
  bench.run_to_end(table);
  bench.run_to_end(table);
  EXPECT_EQ(bench.rows("SELECT * FROM silver.people"),
            (std::vector<std::string>{"1|ada", "2|grace", "3|alan"}));
  EXPECT_EQ(bench.rows("SELECT * FROM gold.big"), (std::vector<std::string>{"2|grace", "3|alan"}));
}

// Also of those who ask while the commit that another asked for is under way.
TEST_F(Pipeline, commits_what_was_hot_when_it_was_asked_to) {
  JobBench bench;
  bench.create_topic("orders");
  JobRunner runner(JobBench::job("orders", R"(
orders: {type: topic, topic: orders}
parsed: {type: parse, input: orders, fields: {id: bigint}}
silver: {type: table, input: parsed, table: silver.orders}
)"),
                   bench.runtime());
  runner.start();
  ASSERT_TRUE(runner.wait_until_started(std::chrono::minutes(1)));
  std::jthread other([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      runner.commit_soon();
      runner.wait_until_committed(std::chrono::minutes(1));
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
  });
  for (int sent = 1; sent <= 40; ++sent) {
    bench.send("orders", {format("{{\"id\":{}}}", sent)});
    for (int i = 0;
         i < 6000 && bench.value("SELECT count(*) FROM silver.orders") != std::to_string(sent);
         ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    runner.commit_soon();
    ASSERT_TRUE(runner.wait_until_committed(std::chrono::minutes(1)));
    const auto table = bench.catalog().load({"silver", "orders"});
    ASSERT_NE(table->metadata.current_snapshot(), nullptr);
    ASSERT_EQ(table->metadata.current_snapshot()->summary.at("total-records"),
              std::to_string(sent));
  }
  other.request_stop();
  other.join();
  const int64_t commits = runner.status().commits;
  runner.commit_soon();  // nothing is hot
  EXPECT_TRUE(runner.wait_until_committed(std::chrono::minutes(1)));
  EXPECT_EQ(runner.status().commits, commits);
  EXPECT_LE(commits, 40);
}

TEST_F(Pipeline, parses_csv_and_text) {
  JobBench bench;
  bench.create_topic("csv");
  bench.create_topic("log");
  bench.send("csv", {"1,\"a, \"\"b\"\"\",2.5", "2,,x", "3,only two", "4,\"open"});
  bench.send("log", {"host1 200", "host2 abc", "nonsense"});
  bench.run_to_end(JobBench::job("csv", R"(
csv: {type: topic, topic: csv}
p: {type: parse, input: csv, format: csv, fields: {id: bigint, s: varchar, d: double}}
out: {type: table, input: p, table: silver.csv}
)"));
  bench.run_to_end(JobBench::job("log", R"(
log: {type: topic, topic: log}
p: {type: parse, input: log, format: text, pattern: '(?P<host>\S+) (?P<status>\w+)', fields: {host: varchar, status: integer}, on_error: set_null}
out: {type: table, input: p, table: silver.log}
)"));
  EXPECT_EQ(bench.rows("SELECT * FROM silver.csv"), (std::vector<std::string>{"1|a, \"b\"|2.5"}));
  EXPECT_EQ(bench.rows("SELECT reason FROM dead_letters.csv"),
            (std::vector<std::string>{"broken CSV: the quote of field 2 is not closed",
                                      "expected 3 fields, found 2", "field d: 'x' is no DOUBLE"}));
  EXPECT_EQ(bench.rows("SELECT * FROM silver.log"),
            (std::vector<std::string>{"host1|200", "host2|NULL"}));
  EXPECT_EQ(bench.value("SELECT count(*) FROM dead_letters.log"), "1");
}

TEST_F(Pipeline, refuses_graphs_and_tables_that_do_not_fit) {
  JobBench bench;
  bench.create_topic("t");
  bench.send("t", {R"({"a":1})"});
  const auto failure = [&](const std::string& nodes) -> std::string {
    try {
      bench.run_to_end(JobBench::job("t", nodes));
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  };
  const std::string head =
      "t: {type: topic, topic: t}\np: {type: parse, input: t, fields: {a: bigint}}\n";
  EXPECT_EQ(failure(head + "out: {type: table, input: p, table: silver.t}\n"), "");
  EXPECT_THAT(
      failure(
          head +
          "d: {type: derive, input: p, columns: {b: missing + 1}}\nout: {type: table, input: d, "
          "table: silver.u}\n"),
      testing::AllOf(testing::HasSubstr("nodes.d"), testing::HasSubstr("missing")));
  EXPECT_THAT(failure("t: {type: topic, topic: t}\np: {type: parse, input: t, fields: {a: "
                      "varchar}}\nout: {type: table, "
                      "input: p, table: silver.t}\n"),
              testing::HasSubstr("do not fit table silver.t"));
  EXPECT_THAT(
      failure(
          head +
          "p2: {type: parse, input: p, fields: {a: bigint}}\nout: {type: table, input: p2, table: "
          "silver.v}\n"),
      testing::HasSubstr("reads a topic"));
}

// Every file operation of a run is made to fail once; afterwards the run is done again on what is
// there.
TEST_F(Pipeline, loses_and_doubles_nothing_when_any_file_operation_fails) {
  const auto posix = make_posix_file_system();
  const Outcome expected = straight();
  for (int n = 1;; n += kFaultStep) {
    JobBench bench;  // makes the topic without faults
    bench.create_topic("orders");
    bench.send("orders", orders());
    bench.batch_records = 20;
    bench.commit_bytes = 1500;
    FaultyFileSystem faulty(*posix, n);
    bool failed = false;
    try {
      bench.use_files(faulty);
      bench.run_to_end(JobBench::job("orders", kOrdersJob));
    } catch (const Error&) {
      failed = true;
    }
    const bool injected = faulty.failed();
    bench.use_files(*posix);
    bench.run_to_end(JobBench::job("orders", kOrdersJob));
    ASSERT_EQ(outcome_of(bench), expected) << "after a failure of operation " << n;
    if (!injected) {
      EXPECT_FALSE(failed);
      break;
    }
  }
}

}  // namespace
}  // namespace headrace::jobs
