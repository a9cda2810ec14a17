// Static sides of joins: read again when they change, and never worse than before.

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "jobs/testing/job_bench.h"

namespace headrace::jobs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kJoinedOrders = R"(
orders: {type: topic, topic: orders}
parsed: {type: parse, input: orders, fields: {id: bigint, c: varchar}}
countries: {type: files, path: countries.json}
joined: {type: join, inputs: [parsed, countries], on: parsed.c = countries.code, columns: {country: countries.name}}
out: {type: table, input: joined, table: silver.orders}
)";

class StaticInputsTest : public testing::Test {
 protected:
  StaticInputsTest() {
    bench_.create_topic("orders");
    write(R"([{"code":"DE","name":"Germany"}])");
  }
  void write(const std::string& countries) {
    bench_.files().write_atomically(bench_.directory() + "/countries.json", countries);
  }
  // Generous: a run under a sanitizer on a busy machine is slow.
  template <class Condition>
  static bool comes_true(Condition condition) {
    SystemClock clock;
    for (int i = 0; i < 6000; ++i) {
      if (condition()) return true;
      clock.sleep_for(milliseconds(10), {});
    }
    return false;
  }
  // Sends orders of one country, until one comes out with the name wanted.
  bool joins_as(const std::string& code, const std::string& name) {
    return comes_true([&] {
      const std::string before = bench_.value("SELECT count(*) FROM silver.orders");
      bench_.send("orders", {format(R"({{"id":{},"c":"{}"}})", ++last_id_, code)});
      comes_true([&] { return bench_.value("SELECT count(*) FROM silver.orders") != before; });
      return bench_.value(
                 format("SELECT coalesce(country, 'nothing') FROM silver.orders WHERE id = {}",
                        last_id_)) == name;
    });
  }

  JobBench bench_;
  int last_id_ = 0;
};

TEST_F(StaticInputsTest, AreReadAgainWhenTheyChange) {
  JobRunner runner(JobBench::job("orders", kJoinedOrders), bench_.runtime());
  runner.start();
  ASSERT_TRUE(runner.wait_until_started(std::chrono::seconds(60)));
  EXPECT_TRUE(joins_as("DE", "Germany"));
  write(R"([{"code":"DE","name":"Deutschland"},{"code":"FR","name":"France"}])");
  EXPECT_TRUE(joins_as("FR", "France"));
  EXPECT_TRUE(joins_as("DE", "Deutschland"));
  EXPECT_EQ(runner.status().retries, 0);
  runner.stop();
}

TEST_F(StaticInputsTest, StayAsTheyWereWhenTheyCannotBeRead) {
  JobRunner runner(JobBench::job("orders", kJoinedOrders), bench_.runtime());
  runner.start();
  ASSERT_TRUE(runner.wait_until_started(std::chrono::seconds(60)));
  write(R"([{"code":"DE","name":)");
  ASSERT_TRUE(comes_true([&] { return !runner.status().last_error.empty(); }));
  EXPECT_THAT(runner.status().last_error, HasSubstr("nodes.countries cannot be read again"));
  EXPECT_EQ(runner.status().state, JobState::kRunning);
  EXPECT_TRUE(joins_as("DE", "Germany"));
  bench_.files().remove(bench_.directory() + "/countries.json");
  ASSERT_TRUE(comes_true(
      [&] { return runner.status().last_error.find("no file matches") != std::string::npos; }));
  EXPECT_TRUE(joins_as("DE", "Germany"));
  write(R"([{"code":"DE","name":"Allemagne"}])");
  EXPECT_TRUE(joins_as("DE", "Allemagne"));
  EXPECT_TRUE(comes_true([&] { return runner.status().last_error.empty(); }));
  runner.stop();
  EXPECT_EQ(bench_.value("SELECT count(*) FROM dead_letters.orders"), "0");
}

TEST_F(StaticInputsTest, AreWaitedForByAStreamingJob) {
  bench_.files().remove(bench_.directory() + "/countries.json");
  JobRunner runner(JobBench::job("orders", kJoinedOrders), bench_.runtime());
  runner.start();
  ASSERT_TRUE(comes_true([&] { return runner.status().state == JobState::kRetrying; }));
  EXPECT_EQ(runner.status().last_error,
            "job orders: nodes.countries: no file matches countries.json yet; the job begins when "
            "it is there");
  write(R"([{"code":"DE","name":"Germany"}])");
  ASSERT_TRUE(comes_true([&] { return runner.status().state == JobState::kRunning; }));
  EXPECT_TRUE(joins_as("DE", "Germany"));
  EXPECT_EQ(runner.status().retries, 0);
  runner.stop();
}

TEST_F(StaticInputsTest, MustBeThereForAJobThatEnds) {
  bench_.files().remove(bench_.directory() + "/countries.json");
  try {
    bench_.run_to_end(JobBench::job("orders", kJoinedOrders));
    ADD_FAILURE() << "the job ran without its countries";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_STREQ(error.what(), "job orders: nodes.countries: no file matches countries.json");
  }
}

// Two jobs, each of which reads what is not there yet: a file, and the table that the other makes.
TEST_F(StaticInputsTest, AreWaitedForWhenAnotherJobMakesThem) {
  bench_.commit_interval = milliseconds(200);
  JobRunner second(JobBench::job("second", R"(
in: {type: table, table: silver.people}
out: {type: table, input: in, table: gold.people}
)"),
                   bench_.runtime());
  JobRunner first(JobBench::job("first", R"(
in: {type: files, path: "people*.json"}
out: {type: table, input: in, table: silver.people}
)"),
                  bench_.runtime());
  second.start();
  first.start();
  const auto waits = [](const JobRunner& runner, const std::string& for_what) {
    return runner.status().state == JobState::kRetrying &&
           runner.status().last_error.find(for_what) != std::string::npos;
  };
  ASSERT_TRUE(comes_true([&] { return waits(second, "there is no table silver.people yet"); }));
  ASSERT_TRUE(comes_true([&] { return waits(first, "no file matches people*.json yet"); }));
  bench_.files().write_atomically(bench_.directory() + "/people1.json", R"({"name":"Ada"})");
  ASSERT_TRUE(comes_true([&] { return second.status().state == JobState::kRunning; }));
  ASSERT_TRUE(
      comes_true([&] { return bench_.value("SELECT max(name) FROM gold.people") == "Ada"; }));
  second.stop();
  first.stop();
}

// With its columns gone the job's SQL would fail on every record: none of them is at fault.
TEST_F(StaticInputsTest, MakeNoDeadLettersWhenTheirColumnsChange) {
  JobRunner runner(JobBench::job("orders", kJoinedOrders), bench_.runtime());
  runner.start();
  ASSERT_TRUE(runner.wait_until_started(std::chrono::seconds(60)));
  write(R"([{"code":"DE","title":"Germany"}])");
  ASSERT_TRUE(comes_true([&] { return runner.status().state == JobState::kFailed; }));
  EXPECT_THAT(runner.status().last_error, HasSubstr("nodes.joined"));
  bench_.send("orders", {R"({"id":1,"c":"DE"})"});
  runner.stop();

  write(R"([{"code":"DE","name":"Germany","area":357022}])");
  bench_.run_to_end(JobBench::job("orders", kJoinedOrders));
  EXPECT_THAT(bench_.rows("SELECT * FROM silver.orders"), ElementsAre("1|DE|Germany"));
  EXPECT_EQ(bench_.value("SELECT count(*) FROM dead_letters.orders"), "0");
}

}  // namespace
}  // namespace headrace::jobs
