#pragma once

// Finds what is wrong with the SQL of jobs before any of them runs: each is compiled in an engine
// of its own, on tables and files without rows. Nothing of a project's state is touched; files that
// jobs read are looked at for their columns.
//
// Thread use: by one thread.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/database.h"
#include "jobs/batch.h"
#include "jobs/job_spec.h"

namespace headrace::jobs {

struct JobMistake {
  std::string job;
  std::string node;  // empty: the job as a whole
  std::string message;
};

class JobCheck {
 public:
  explicit JobCheck(std::string project_directory);
  JobCheck(const JobCheck&) = delete;
  JobCheck& operator=(const JobCheck&) = delete;

  // Takes out of `jobs` what could be judged. A job that reads a table or files of which nobody
  // knows the columns stays; waiting() says what it waits for.
  std::vector<JobMistake> check(std::vector<JobSpec>& jobs);
  JobMistake waiting(const JobSpec& job) const { return waiting_.at(job.name); }

  // Where the tables that the judged jobs write are there, without rows: for the views over them.
  engine::Connection& connection() { return *connection_; }

 private:
  class Loader;

  // False when it cannot be judged yet.
  bool check_job(const JobSpec& job, std::vector<JobMistake>& mistakes);
  void compile(const JobSpec& job);

  const std::string project_directory_;
  engine::Database database_;
  BatchBoard board_;
  std::map<std::string, JobMistake> waiting_;
  std::unique_ptr<engine::Connection> connection_;
};

}  // namespace headrace::jobs
