#pragma once

// Runs one job: takes batches, runs their SQL, keeps hot rows, seals and commits.
//
// Life cycle: start() compiles the job and works on a thread of its own until stop(), which commits
// what is hot. run_to_end() does the same on the caller's thread over what is there now, and
// returns. A passing failure (disk full, store busy) makes the job begin again from its committed
// positions after a back-off; a lasting one (bad SQL, a table that does not fit) leaves it failed
// with the reason in status(). Thread use: start/stop/run_to_end by one thread, status() and
// commit_soon() from any.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "engine/database.h"
#include "jobs/batch.h"
#include "jobs/job_spec.h"
#include "lake/table.h"
#include "stream/log.h"
#include "tables/live_tables.h"
#include "telemetry/metrics.h"

namespace headrace::jobs {

// What all jobs of a process share. Everything outlives the runners.
struct Runtime {
  engine::Database& database;
  lake::Catalog& catalog;
  tables::LiveTables& tables;
  stream::Log& log;
  BatchBoard& board;
  FileSystem& files;
  Clock& clock;
  Random& random;
  telemetry::Metrics& metrics;
  std::string project_directory;
  int64_t commit_bytes = 128 * 1024 * 1024;
  milliseconds commit_interval{60'000};
  // Called after each commit with the tables that moved on, on the commit's thread.
  std::function<void(const std::vector<lake::TableIdentifier>&)> on_commit;
};

enum class JobState { kStarting, kRunning, kPaused, kRetrying, kFailed, kFinished, kStopped };
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

class JobRunner {
 public:
  JobRunner(JobSpec spec, const Runtime& runtime);
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  void start();
  void stop();
  void run_to_end(std::stop_token stop, const std::function<void(const RunProgress&)>& progress);
  // Waits until the first of: running (with its tables open), failed, finished.
  void wait_until_started();
  // Commits what is hot at the next chance; wait_until_committed waits until it is.
  void commit_soon();
  bool wait_until_committed(milliseconds timeout);

  const JobSpec& spec() const { return spec_; }
  JobStatus status() const;

 private:
  class Session;
  void run(std::stop_token stop);
  void set_state(JobState state, std::string error = "");
  void update(const std::function<void(JobStatus&)>& change);
  void set_positions(const std::string& positions);
  bool is_commit_wanted();
  void committed();
  void nothing_to_commit();

  const JobSpec spec_;
  Runtime runtime_;
  telemetry::Counter& records_;
  telemetry::Counter& dead_letters_;
  telemetry::Counter& retries_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  JobStatus status_;
  int64_t commits_wanted_ = 0;
  int64_t commits_done_ = 0;
  std::jthread thread_;
};

}  // namespace headrace::jobs
