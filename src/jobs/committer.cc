#include "jobs/committer.h"

#include <algorithm>

#include "base/error.h"
#include "telemetry/log.h"

namespace headrace::jobs {

Committer::Committer(JobWriter& writer, Clock& clock, std::function<void(const SealedWork&)> done)
    : writer_(writer),
      clock_(clock),
      done_(std::move(done)),
      thread_([this](std::stop_token stop) { run(stop); }) {}

Committer::~Committer() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

bool Committer::is_idle() {
  std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  return !work_;
}

void Committer::wait_until_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !work_ || failure_; });
  if (failure_) std::rethrow_exception(failure_);
}

std::string Committer::complaint() {
  std::lock_guard lock(mutex_);
  return complaint_;
}

void Committer::submit(SealedWork work) {
  {
    std::lock_guard lock(mutex_);
    work_ = std::move(work);
  }
  changed_.notify_all();
}

void Committer::run(std::stop_token stop) {
  for (;;) {
    const SealedWork* work = nullptr;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return work_.has_value() && !failure_; })) return;
      work = &*work_;
    }
    try {
      commit_with_retries(*work, stop);
      done_(*work);
      std::lock_guard lock(mutex_);
      work_.reset();
      complaint_.clear();
    } catch (...) {
      std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
    }
    changed_.notify_all();
  }
}

void Committer::commit_with_retries(const SealedWork& work, std::stop_token stop) {
  microseconds pause = milliseconds(100);
  for (;;) {
    try {
      writer_.commit(work);
      return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnavailable) throw;
      telemetry::log_warning("jobs", "commit failed, trying again",
                             {{"reason", error.message()}, {"pause_ms", pause.count() / 1000}});
      {
        std::lock_guard lock(mutex_);
        complaint_ = "a commit is tried again and again: " + error.message();
      }
      if (!clock_.sleep_for(pause, stop)) throw;
      pause = std::min<microseconds>(pause * 2, std::chrono::seconds(10));
    }
  }
}

}  // namespace headrace::jobs
