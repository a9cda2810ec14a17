#pragma once

// The right to run a job where several processes share a metadata store: the lease "job/<name>",
// renewed on a thread of its own while the object lives and released when it goes.
//
// A process that could not renew in time counts the lease as lost and ends the job; what it may
// still try to commit is refused by the store once another process has taken over (see
// store/leases.h). Thread use: any.

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.h"
#include "store/leases.h"

namespace headrace::jobs {

// With whom a process shares its store. The names outlive the process: they are read by others.
struct Sharing {
  store::MetadataStore& store;
  std::string process;       // "host:pid:…": unique
  std::string log_identity;  // of the topics on this process's disk
  milliseconds lease_time{15'000};
};

class JobLease {
 public:
  // nullptr when another process has it.
  static std::unique_ptr<JobLease> try_take(const Sharing& sharing, Clock& clock,
                                            const std::string& job);
  ~JobLease();
  JobLease(const JobLease&) = delete;
  JobLease& operator=(const JobLease&) = delete;

  const store::Lease& lease() const { return lease_; }
  // Requested to stop when the lease is lost.
  std::stop_token lost() const { return lost_.get_token(); }
  // Asks the store when nothing is known to be wrong: a process that was suspended does not know.
  bool is_lost();

  // Who runs the job, for people; empty when nobody does.
  static std::string holder(const Sharing& sharing, const std::string& job);

 private:
  JobLease(const Sharing& sharing, Clock& clock, store::Lease lease);
  void keep(std::stop_token stop);

  store::Leases leases_;
  Clock& clock_;
  const milliseconds time_;
  const store::Lease lease_;
  std::stop_source lost_;
  std::jthread thread_;
};

// A job that reads topics belongs to the disk that they are on: positions in its tables say nothing
// about topics of the same name elsewhere. Throws conflict when it began on another.
void bind_to_log(const Sharing& sharing, const std::string& job);

}  // namespace headrace::jobs
