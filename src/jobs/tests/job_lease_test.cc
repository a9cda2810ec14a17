// Who runs a job where several processes share a store.

#include "jobs/job_lease.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "jobs/runner.h"
#include "jobs/testing/job_bench.h"

namespace headrace::jobs {
namespace {

constexpr milliseconds kLong{3'600'000};

class JobLeaseTest : public ::testing::Test {
 protected:
  Sharing sharing(const std::string& process, milliseconds time = kLong) {
    return {*store_, process, "log-of-" + process, time};
  }
  bool can_take(const std::string& process) {
    return JobLease::try_take(sharing(process), clock_, "flow") != nullptr;
  }

  std::unique_ptr<store::MetadataStore> store_ = store::make_memory_store();
  SystemClock clock_;
};

TEST_F(JobLeaseTest, OneProcessHasItUntilItLetsItGo) {
  {
    const auto lease = JobLease::try_take(sharing("one"), clock_, "flow");
    ASSERT_NE(lease, nullptr);
    EXPECT_FALSE(can_take("two"));
    EXPECT_EQ(JobLease::holder(sharing("two"), "flow"), "one");
    EXPECT_FALSE(lease->is_lost());
  }
  EXPECT_EQ(JobLease::holder(sharing("two"), "flow"), "");
  EXPECT_TRUE(can_take("two"));
}

TEST_F(JobLeaseTest, IsRenewedWhileItLives) {
  const auto lease = JobLease::try_take(sharing("one", milliseconds(60)), clock_, "flow");
  ASSERT_NE(lease, nullptr);
  const int64_t first_end = store::Leases(*store_).find("job/flow")->expires_ms;
  while (store_->now_ms() <= first_end + 100) clock_.sleep_for(milliseconds(5), {});
  EXPECT_FALSE(lease->is_lost());
  EXPECT_EQ(store::Leases(*store_).find("job/flow")->token, lease->lease().token);
  EXPECT_GT(store::Leases(*store_).find("job/flow")->expires_ms, first_end);
}

// A clock that stands still makes a process that is suspended: it renews nothing.
TEST_F(JobLeaseTest, AProcessThatSleptNoticesThatAnotherTookOver) {
  ManualClock stopped(clock_.now());
  const auto lease = JobLease::try_take(sharing("one", milliseconds(30)), stopped, "flow");
  ASSERT_NE(lease, nullptr);
  std::unique_ptr<JobLease> other;
  while (other == nullptr) other = JobLease::try_take(sharing("two"), clock_, "flow");
  EXPECT_FALSE(lease->lost().stop_requested());
  EXPECT_TRUE(lease->is_lost());
  EXPECT_TRUE(lease->lost().stop_requested());
  EXPECT_FALSE(other->is_lost());
}

TEST_F(JobLeaseTest, AJobIsBoundToTheTopicsItBeganWith) {
  bind_to_log(sharing("one"), "flow");
  bind_to_log(sharing("one"), "flow");
  bind_to_log(sharing("two"), "other");
  try {
    bind_to_log(sharing("two"), "flow");
    ADD_FAILURE() << "another folder's topics were taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConflict);
  }
}

TEST_F(JobLeaseTest, ARunnerStandsByAndTakesOver) {
  JobBench bench;
  bench.create_topic("events");
  bench.send("events", {R"({"id":1})", R"({"id":2})"});
  const JobSpec spec = JobBench::job("flow", R"(
  events: {type: topic, topic: events}
  parsed: {type: parse, input: events, fields: {id: bigint}}
  silver: {type: table, input: parsed, table: silver.events}
)");
  Runtime runtime = bench.runtime();
  // The catalog checks the lease, so it stands in the catalog's store.
  runtime.sharing.emplace(Sharing{bench.store(), "one", "log-of-one", milliseconds(3000)});
  const Sharing others{bench.store(), "two", "log-of-two", kLong};
  auto other = JobLease::try_take(others, clock_, "flow");
  EXPECT_THROW(JobRunner(spec, runtime).run_to_end({}, {}), Error);
  JobRunner runner(spec, runtime);
  runner.start();
  ASSERT_TRUE(runner.wait_until_started(milliseconds(60'000)));
  EXPECT_EQ(runner.status().state, JobState::kStandby);
  EXPECT_EQ(runner.status().last_error, "the job runs in two");
  runner.commit_soon();
  EXPECT_TRUE(runner.wait_until_committed(milliseconds(0)));
  other.reset();
  while (runner.status().records < 2) clock_.sleep_for(milliseconds(5), {});
  runner.stop();
  EXPECT_EQ(runner.status().state, JobState::kStopped) << runner.status().last_error;
  EXPECT_EQ(JobLease::holder(others, "flow"), "");
  EXPECT_EQ(bench.value("SELECT sum(id)::BIGINT FROM silver.events"), "3");
}

}  // namespace
}  // namespace headrace::jobs
