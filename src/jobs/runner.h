#pragma once

// Runs one job: takes batches, runs their SQL, keeps hot rows, seals and commits.
//
// Life cycle: start() compiles the job and works on a thread of its own until stop(), which commits
// what is hot. run_to_end() does the same on the caller's thread over what is there now, and
// returns. A passing failure (disk full, store busy) makes the job begin again from its committed
// positions after a back-off; a lasting one (bad SQL, a table that does not fit) leaves it failed
// with the reason in status(). Where several processes share the store it runs in the one that
// holds the job's lease; the others stand by and take over. Thread use: start/stop/run_to_end by
// one thread, status() and commit_soon() from any.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "jobs/job_spec.h"
#include "jobs/runtime.h"
#include "jobs/session.h"
#include "telemetry/metrics.h"

namespace headrace::jobs {

enum class JobState {
  kStarting,
  kStandby,  // another process runs it
  kRunning,
  kPaused,
  kRetrying,
  kFailed,
  kFinished,
  kStopped
};
std::string_view name_of(JobState state);

struct JobStatus {
  JobState state = JobState::kStopped;
  Timestamp since{};
  int64_t records = 0;       // taken in since the process started
  int64_t dead_letters = 0;  // likewise
  int64_t batches = 0;
  int64_t commits = 0;
  int64_t lag = 0;          // records (or files) that wait
  int64_t hot_records = 0;  // taken in and not yet committed
  int64_t retries = 0;
  std::string last_error;
  std::string positions;  // JSON
};

struct RunProgress {
  int64_t records = 0;
  int64_t dead_letters = 0;
  int64_t lag = 0;
};

class JobRunner final : private SessionReport {
 public:
  JobRunner(JobSpec spec, const Runtime& runtime);
  ~JobRunner() override;
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  void start();
  void stop();
  void run_to_end(std::stop_token stop, const std::function<void(const RunProgress&)>& progress);
  // Waits until the first of: running (with its tables open), failed, finished. False when the time
  // is over.
  bool wait_until_started(milliseconds timeout);
  // Commits what is hot at the next chance; wait_until_committed waits until it is.
  void commit_soon();
  bool wait_until_committed(milliseconds timeout);

  // Whether it has ended by itself, or was stopped.
  bool is_over() const;

  const JobSpec& spec() const { return spec_; }
  JobStatus status() const;

 private:
  void run(const std::stop_token& stop);
  // One life of the job. True when it is over, false when it is to begin again.
  bool run_session(const std::stop_token& stop);
  std::unique_ptr<JobLease> wait_for_lease(const std::stop_token& stop);
  void tell_of_failure(const std::exception& failure, bool passes);
  void set_state(JobState state, std::string error = "");
  void wanted_no_more();

  // SessionReport
  void waits_for(const std::string& what) override;
  void stands_at(const std::string& positions, int64_t lag) override;
  void batch_done(int64_t records, int64_t dead_letters, int64_t hot_records) override;
  void sealed() override;
  void committed() override;
  void nothing_to_commit() override;
  bool is_commit_wanted() override;
  std::stop_token commit_wanted() override;
  void complains(const std::string& complaint) override;

  const JobSpec spec_;
  Runtime runtime_;
  telemetry::Counter& records_;
  telemetry::Counter& dead_letters_;
  telemetry::Counter& retries_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void(const RunProgress&)> progress_;
  JobStatus status_;
  // Seals are counted, and each is committed before the next.
  int64_t seals_ = 0;
  int64_t commits_wanted_ = 0;  // up to which seal
  int64_t commits_done_ = 0;    // likewise
  std::stop_source commit_wanted_;
  bool is_waiting_for_input_ = false;  // used by the job's thread only
  std::jthread thread_;
};

}  // namespace headrace::jobs
