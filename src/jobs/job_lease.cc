#include "jobs/job_lease.h"

#include "base/error.h"
#include "telemetry/log.h"

namespace headrace::jobs {
namespace {

constexpr const char* kLogsSpace = "job_logs";

std::string lease_name(const std::string& job) { return "job/" + job; }

}  // namespace

std::unique_ptr<JobLease> JobLease::try_take(const Sharing& sharing, Clock& clock,
                                             const std::string& job) {
  store::Leases leases(sharing.store);
  auto lease = leases.try_acquire(lease_name(job), sharing.process, sharing.lease_time);
  if (!lease) return nullptr;
  telemetry::log_info("jobs", "lease taken", {{"job", job}, {"token", lease->token}});
  return std::unique_ptr<JobLease>(new JobLease(sharing, clock, std::move(*lease)));
}

JobLease::JobLease(const Sharing& sharing, Clock& clock, store::Lease lease)
    : leases_(sharing.store),
      clock_(clock),
      time_(sharing.lease_time),
      lease_(std::move(lease)),
      thread_([this](std::stop_token stop) { keep(std::move(stop)); }) {}

JobLease::~JobLease() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  try {
    leases_.release(lease_);
  } catch (const std::exception& error) {
    // It ends by itself.
    telemetry::log_warning("jobs", "a lease could not be released",
                           {{"lease", lease_.name}, {"reason", error.what()}});
  }
}

void JobLease::keep(std::stop_token stop) {
  SteadyTime until = clock_.steady_now() + time_;
  while (clock_.sleep_for(time_ / 3, stop)) {
    const SteadyTime asked_at = clock_.steady_now();
    try {
      if (!leases_.renew(lease_, time_)) break;
      until = asked_at + time_;
      continue;
    } catch (const std::exception& error) {
      telemetry::log_warning("jobs", "a lease could not be renewed, trying again",
                             {{"lease", lease_.name}, {"reason", error.what()}});
    }
    if (clock_.steady_now() >= until) break;
  }
  if (stop.stop_requested()) return;
  telemetry::log_error("jobs", "lease lost", {{"lease", lease_.name}, {"token", lease_.token}});
  lost_.request_stop();
}

bool JobLease::is_lost() {
  if (lost_.stop_requested()) return true;
  try {
    if (leases_.is_current(lease_)) return false;
  } catch (const std::exception&) {
    return false;  // not known; the renewals will tell
  }
  lost_.request_stop();
  return true;
}

std::string JobLease::holder(const Sharing& sharing, const std::string& job) {
  const auto state = store::Leases(sharing.store).find(lease_name(job));
  return state && state->is_held ? state->holder : "";
}

void bind_to_log(const Sharing& sharing, const std::string& job) {
  auto bound = sharing.store.get(kLogsSpace, job);
  if (!bound) {
    try {
      sharing.store.apply({{kLogsSpace, job, sharing.log_identity, 0}});
      return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConflict) throw;
    }
    bound = sharing.store.get(kLogsSpace, job);
  }
  if (bound && bound->value == sharing.log_identity) return;
  fail(ErrorKind::kConflict,
       "job '{}' has read topics of another state folder (identity {}, this one has {}), and how "
       "far "
       "its tables reach says nothing about the topics here: give the job and its tables other "
       "names, or serve it from the folder where it began. When that one is lost, and all topics "
       "that "
       "the job reads came back from object storage: write its identity into .headrace/identity",
       job, bound ? bound->value : "unknown", sharing.log_identity);
}

}  // namespace headrace::jobs
