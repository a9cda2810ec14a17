#pragma once

// Commits sealed work on a thread of its own, one at a time, so that the job goes on meanwhile.
// Passing failures are tried again with back-off; a lasting one is kept and thrown at the next
// call.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "jobs/writer.h"

namespace headrace::jobs {

class Committer {
 public:
  // `done` is called on the committer's thread after each commit.
  Committer(JobWriter& writer, Clock& clock, std::function<void(const SealedWork&)> done);
  ~Committer();  // ends without committing what waits

  bool is_idle();
  // Waits until nothing is at work; throws what went wrong.
  void wait_until_idle();
  // Why the commit under way has not succeeded yet; empty when nothing is wrong.
  std::string complaint();
  // Only when idle.
  void submit(SealedWork work);

 private:
  void run(std::stop_token stop);
  void commit_with_retries(const SealedWork& work, std::stop_token stop);

  JobWriter& writer_;
  Clock& clock_;
  std::function<void(const SealedWork&)> done_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<SealedWork> work_;
  std::exception_ptr failure_;
  std::string complaint_;
  std::jthread thread_;
};

}  // namespace headrace::jobs
