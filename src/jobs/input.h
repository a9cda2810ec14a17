#pragma once

// What drives a job: it gives the next batch from a position on, and the position behind it.

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "engine/database.h"
#include "jobs/batch.h"
#include "jobs/compiler.h"
#include "lake/table.h"
#include "stream/log.h"
#include "tables/positions.h"

namespace headrace::jobs {

// A table or a file that the job reads is not there (not_found). A streaming job waits for it:
// another job, or somebody, is about to make it.
class InputMissing : public Error {
 public:
  explicit InputMissing(const std::string& message) : Error(ErrorKind::kNotFound, message) {}
};

struct Work {
  std::shared_ptr<InputBatch> batch;  // of topics; empty for tables and files
  tables::Positions after;
  int64_t records = 0;
  int64_t bytes = 0;  // of the records, about
};

struct InputLimits {
  int64_t records = 50'000;
  milliseconds wait{50};
};

// Thread use: the job's thread, but for lag().
class JobInput {
 public:
  virtual ~JobInput() = default;
  // The start of a job without positions.
  virtual tables::Positions start() = 0;
  // Checks that everything from `at` on is still there; corrupt when it is not.
  virtual void check(const tables::Positions& at) = 0;
  // The next work from `at` on, not past `bound`. nullopt when nothing is there: after waiting a
  // little when `may_wait`, else at once.
  virtual std::optional<Work> next(const tables::Positions& at, const tables::Positions* bound,
                                   bool may_wait, std::stop_token stop) = 0;
  // Tells that everything before `at` is committed.
  virtual void committed(const tables::Positions& at) = 0;
  // Records (or files) that wait behind `at`.
  virtual int64_t lag(const tables::Positions& at) const = 0;
};

// Whether `a` is nowhere behind `b` / the smaller of the two in every part.
bool reaches(const tables::Positions& a, const tables::Positions& b,
             const std::vector<std::string>& topics);

std::unique_ptr<JobInput> make_topic_input(const std::string& job,
                                           const std::vector<CompiledInput>& topics,
                                           stream::Log& log, Clock& clock,
                                           const InputLimits& limits);
// The new snapshots of a table, as the engine view driving_view_name().
std::unique_ptr<JobInput> make_table_input(const std::string& job, const CompiledInput& input,
                                           lake::Catalog& catalog, engine::Database& database,
                                           engine::Connection& connection, Clock& clock);
// The records in a bronze table and in its new snapshots, as if they came from the topic
// `input.need.topic`.
std::unique_ptr<JobInput> make_record_table_input(const CompiledInput& input,
                                                  lake::Catalog& catalog,
                                                  engine::Connection& connection, Clock& clock,
                                                  const InputLimits& limits);
// The new files of a glob, likewise.
std::unique_ptr<JobInput> make_files_input(const std::string& job, const CompiledInput& input,
                                           const std::string& project_directory, FileSystem& files,
                                           engine::Connection& connection, Clock& clock);

// SQL that reads files: read_json(['…'], columns = {…}).
std::string read_files_sql(const SourceNeed& need, const std::vector<std::string>& paths);
// Files that match, sorted; relative paths start at the project's folder.
std::vector<std::string> matching_files(engine::Connection& connection,
                                        const std::string& project_directory,
                                        const std::string& pattern);
// Of a retry topic: records that were dead letters of this job and are to be tried again.
std::string retry_topic(const std::string& job);

}  // namespace headrace::jobs
