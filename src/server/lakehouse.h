#pragma once

// What the API asks of the running lakehouse beside its topics and queries. The composition root
// implements it. Thread use: any thread; calls may block for as long as they say.

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace headrace::server {

class Lakehouse {
 public:
  virtual ~Lakehouse() = default;
  virtual Json
  status() = 0;  // {"version","name","uptime_s","topics","jobs","tables","views","sources","dead_letters","problems"}
  virtual JsonArray tables() = 0;
  virtual Json table(const std::string& database, const std::string& name) = 0;  // not_found
  // Data files of the current snapshot, and snapshots, newest first.
  virtual Json table_files(const std::string& database, const std::string& name) = 0;
  virtual Json table_history(const std::string& database, const std::string& name) = 0;
  // Merges small files; with columns, sorts the rows of the new ones.
  virtual Json optimize_table(const std::string& database, const std::string& name,
                              const std::vector<std::string>& sort_by) = 0;
  // Removes snapshots beyond the newest `keep` that are older than `older_than`, then files that
  // nothing refers to and that are older than `orphans_older_than`.
  virtual Json expire_table(const std::string& database, const std::string& name, int keep,
                            milliseconds older_than, milliseconds orphans_older_than) = 0;
  // Makes an older snapshot the current one; conflict while a job writes to the table.
  virtual Json roll_back_table(const std::string& database, const std::string& name,
                               int64_t snapshot_id) = 0;
  // Changes columns and partitioning: {"drop": […], "rename": {…}, "type": {…}, "add": {…},
  // "partition_by": […]}. Answers like table().
  virtual Json alter_table(const std::string& database, const std::string& name,
                           const Json& alteration) = 0;
  virtual JsonArray jobs() = 0;
  virtual Json job(const std::string& name) = 0;  // not_found
  virtual Json pause_job(const std::string& name) = 0;
  virtual Json resume_job(const std::string& name) = 0;
  // Begins a run of a job in batch mode; conflict while it runs, and for one that runs all the
  // time.
  virtual Json begin_job(const std::string& name) = 0;
  // Commits all hot rows and waits for it, and for the views to be current; timeout.
  virtual Json commit(milliseconds timeout) = 0;
  // Newest first; empty job: of all jobs.
  virtual JsonArray dead_letters(const std::string& job, int64_t limit) = 0;
  // An empty topic is any; invalid when records of several topics stand at this offset.
  virtual Json dead_letter(const std::string& job, const std::string& topic, int partition,
                           int64_t offset) = 0;
  // Sends a job's dead letters through it again; those whose reason is LIKE the pattern, when there
  // is one.
  virtual Json replay(const std::string& job, const std::string& reason_like) = 0;
};

}  // namespace headrace::server
