#include "jobs/runner.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "jobs/input.h"
#include "telemetry/log.h"

namespace headrace::jobs {
namespace {

constexpr microseconds kFirstPause = milliseconds(200);
constexpr microseconds kLongestPause = std::chrono::seconds(30);
constexpr microseconds kBetweenLooksForInput = std::chrono::seconds(1);

// A streaming job waits for what it reads; one that runs to its end says that it is not there.
bool waits_for_input(const JobSpec& spec, const std::exception& failure) {
  return spec.is_streaming && dynamic_cast<const InputMissing*>(&failure) != nullptr;
}

}  // namespace

std::string_view name_of(JobState state) {
  switch (state) {
    case JobState::kStarting:
      return "starting";
    case JobState::kStandby:
      return "standby";
    case JobState::kRunning:
      return "running";
    case JobState::kPaused:
      return "paused";
    case JobState::kRetrying:
      return "retrying";
    case JobState::kFailed:
      return "failed";
    case JobState::kFinished:
      return "finished";
    case JobState::kStopped:
      return "stopped";
  }
  return "";
}

JobRunner::JobRunner(JobSpec spec, const Runtime& runtime)
    : spec_(std::move(spec)),
      runtime_(runtime),
      records_(runtime.metrics.counter("headrace_job_records_total",
                                       "Records that a job has taken in", {{"job", spec_.name}})),
      dead_letters_(runtime.metrics.counter("headrace_job_dead_letters_total",
                                            "Records that a job has put into its dead-letter table",
                                            {{"job", spec_.name}})),
      retries_(runtime.metrics.counter("headrace_job_retries_total",
                                       "Times that a job began again after a passing failure",
                                       {{"job", spec_.name}})) {}

JobRunner::~JobRunner() { stop(); }

void JobRunner::start() {
  set_state(JobState::kStarting);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void JobRunner::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void JobRunner::run(const std::stop_token& stop) {
  microseconds pause = kFirstPause;
  while (!stop.stop_requested()) {
    const SteadyTime began = runtime_.clock.steady_now();
    if (run_session(stop)) return;
    // Who ran for long does not wait for long.
    if (runtime_.clock.steady_now() - began > kLongestPause) pause = kFirstPause;
    if (is_waiting_for_input_) {
      runtime_.clock.sleep_for(kBetweenLooksForInput, stop);
      continue;
    }
    runtime_.clock.sleep_for(pause, stop);
    pause = std::min<microseconds>(pause * 2, kLongestPause);
  }
  set_state(JobState::kStopped);
}

bool JobRunner::run_session(const std::stop_token& stop) {
  std::unique_ptr<JobLease> lease;
  try {
    lease = wait_for_lease(stop);
    if (stop.stop_requested()) return false;
    std::stop_source ends;
    const auto end = [&ends] { ends.request_stop(); };
    const std::stop_callback on_stop(stop, end);
    const std::stop_callback on_loss(lease ? lease->lost() : std::stop_token(), end);
    Session session(spec_, runtime_, *this, lease ? std::optional(lease->lease()) : std::nullopt);
    set_state(JobState::kRunning);
    session.run(ends.get_token(), !spec_.is_streaming);
    if (lease && lease->lost().stop_requested()) return false;
    set_state(stop.stop_requested() ? JobState::kStopped : JobState::kFinished);
    return true;
  } catch (const std::exception& failure) {
    const auto* error = dynamic_cast<const Error*>(&failure);
    const bool is_moved = dynamic_cast<const TableMoved*>(&failure) != nullptr;
    const bool passes = is_moved || waits_for_input(spec_, failure) ||
                        (error != nullptr && (error->kind() == ErrorKind::kUnavailable ||
                                              error->kind() == ErrorKind::kTimeout ||
                                              error->kind() == ErrorKind::kCommitUnknown)) ||
                        (lease && lease->is_lost());
    tell_of_failure(failure, passes);
    return !passes;
  }
}

void JobRunner::tell_of_failure(const std::exception& failure, bool passes) {
  const bool has_waited = std::exchange(is_waiting_for_input_, waits_for_input(spec_, failure));
  if (is_waiting_for_input_) {
    const std::string what = format("{} yet; the job begins when it is there", failure.what());
    if (!has_waited) {
      telemetry::log_warning("jobs", "job waits for its input",
                             {{"job", spec_.name}, {"reason", what}});
    }
    set_state(JobState::kRetrying, what);
    return;
  }
  telemetry::log_error("jobs", passes ? "job failed, beginning again" : "job failed",
                       {{"job", spec_.name}, {"reason", failure.what()}});
  set_state(passes ? JobState::kRetrying : JobState::kFailed, failure.what());
  if (!passes) return;
  retries_.add();
  std::lock_guard lock(mutex_);
  ++status_.retries;
}

// nullptr when nobody shares the store, or when stopped.
std::unique_ptr<JobLease> JobRunner::wait_for_lease(const std::stop_token& stop) {
  if (!runtime_.sharing) return nullptr;
  while (!stop.stop_requested()) {
    auto lease = JobLease::try_take(*runtime_.sharing, runtime_.clock, spec_.name);
    if (lease) return lease;
    const std::string holder = JobLease::holder(*runtime_.sharing, spec_.name);
    set_state(JobState::kStandby, holder.empty() ? "" : "the job runs in " + holder);
    runtime_.clock.sleep_for(runtime_.sharing->lease_time / 10, stop);
  }
  return nullptr;
}

void JobRunner::run_to_end(std::stop_token stop,
                           const std::function<void(const RunProgress&)>& progress) {
  std::unique_ptr<JobLease> lease;
  if (runtime_.sharing) {
    lease = JobLease::try_take(*runtime_.sharing, runtime_.clock, spec_.name);
    if (!lease) {
      fail(ErrorKind::kConflict, "running job {}: it runs in another process, {}; stop that first",
           spec_.name, JobLease::holder(*runtime_.sharing, spec_.name));
    }
  }
  set_state(JobState::kRunning);
  progress_ = progress;
  try {
    Session(spec_, runtime_, *this, lease ? std::optional(lease->lease()) : std::nullopt)
        .run(stop, true);
    set_state(JobState::kFinished);
  } catch (const std::exception& failure) {
    set_state(JobState::kFailed, failure.what());
    throw;
  }
}

bool JobRunner::wait_until_started(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return status_.state != JobState::kStarting; });
}

void JobRunner::commit_soon() {
  std::lock_guard lock(mutex_);
  if (status_.state != JobState::kRunning) return;  // nobody would answer
  commits_wanted_ = seals_ + 1;                     // the one under way lacks the newest rows
  commit_wanted_.request_stop();
}

bool JobRunner::wait_until_committed(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return commits_done_ >= commits_wanted_; });
}

bool JobRunner::is_over() const {
  std::lock_guard lock(mutex_);
  return status_.state == JobState::kFailed || status_.state == JobState::kFinished ||
         status_.state == JobState::kStopped;
}

JobStatus JobRunner::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

void JobRunner::set_state(JobState state, std::string error) {
  std::lock_guard lock(mutex_);
  status_.state = state;
  status_.since = runtime_.clock.now();
  status_.last_error = std::move(error);
  if (state != JobState::kRunning) {
    // Nobody would answer, and what was sealed and is not committed is no more.
    commits_wanted_ = commits_done_ = seals_;
    wanted_no_more();
  }
  changed_.notify_all();
}

void JobRunner::waits_for(const std::string& what) {
  std::lock_guard lock(mutex_);
  status_.last_error = what;
}

void JobRunner::stands_at(const std::string& positions, int64_t lag) {
  RunProgress progress;
  {
    std::lock_guard lock(mutex_);
    status_.positions = positions;
    status_.lag = lag;
    progress = {status_.records, status_.dead_letters, lag};
  }
  if (progress_) progress_(progress);
}

void JobRunner::batch_done(int64_t records, int64_t dead_letters, int64_t hot_records) {
  records_.add(static_cast<double>(records));
  dead_letters_.add(static_cast<double>(dead_letters));
  std::lock_guard lock(mutex_);
  status_.records += records;
  status_.dead_letters += dead_letters;
  status_.hot_records = hot_records;
  ++status_.batches;
}

// Locked.
void JobRunner::wanted_no_more() {
  if (commit_wanted_.stop_requested()) commit_wanted_ = std::stop_source();
}

bool JobRunner::is_commit_wanted() {
  std::lock_guard lock(mutex_);
  return seals_ < commits_wanted_;
}

std::stop_token JobRunner::commit_wanted() {
  std::lock_guard lock(mutex_);
  return commit_wanted_.get_token();
}

void JobRunner::sealed() {
  std::lock_guard lock(mutex_);
  if (++seals_ >= commits_wanted_) wanted_no_more();
}

void JobRunner::complains(const std::string& complaint) {
  std::lock_guard lock(mutex_);
  if (status_.last_error != complaint) status_.last_error = complaint;
}

void JobRunner::committed() {
  std::lock_guard lock(mutex_);
  ++status_.commits;
  ++commits_done_;
  changed_.notify_all();
}

void JobRunner::nothing_to_commit() {
  std::lock_guard lock(mutex_);
  if (commits_done_ >= commits_wanted_) return;
  commits_done_ = commits_wanted_ = seals_;
  wanted_no_more();
  changed_.notify_all();
}

}  // namespace headrace::jobs
