#pragma once

// A small lakehouse in a temporary directory on which tests run jobs. restart() throws away
// everything that a crash would: engine, hot rows, open log.

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "engine/database.h"
#include "jobs/batch.h"
#include "jobs/runner.h"
#include "lake/table.h"
#include "store/metadata_store.h"
#include "stream/log.h"
#include "tables/live_tables.h"
#include "telemetry/metrics.h"

namespace headrace::jobs {

class JobBench {
 public:
  JobBench();
  ~JobBench();
  JobBench(const JobBench&) = delete;
  JobBench& operator=(const JobBench&) = delete;

  void restart();
  // Restarts on another file system, which a test may have made to fail; it must outlive the bench.
  void use_files(FileSystem& files);
  // Closes everything without opening it again; the directory stays.
  void shut();
  void open();

  void create_topic(const std::string& name, const stream::TopicConfig& config = {});
  void send(const std::string& topic, const std::vector<std::string>& values, int partition = 0);

  // nodes: the YAML of a job's `nodes:`.
  static JobSpec job(const std::string& name, const std::string& nodes);
  JobStatus run_to_end(const JobSpec& spec);
  Runtime runtime();

  // Rows as texts, columns divided by '|', rows sorted.
  std::vector<std::string> rows(const std::string& sql);
  std::string value(const std::string& sql);

  FileSystem& files() { return *files_; }
  const std::string& directory() const { return directory_; }
  tables::LiveTables& tables() { return *tables_; }
  lake::Catalog& catalog() { return *catalog_; }
  store::MetadataStore& store() { return *store_; }
  engine::Database& database() { return *database_; }
  stream::Log& log() { return *log_; }

  // Settings of the jobs that follow.
  int64_t batch_records = 50'000;
  int64_t commit_bytes = 128 * 1024 * 1024;
  milliseconds commit_interval{60'000};

 private:
  std::string directory_;
  std::unique_ptr<FileSystem> own_files_;
  FileSystem* files_;
  SystemClock clock_;
  SeededRandom random_;
  std::unique_ptr<telemetry::Metrics> metrics_;
  std::unique_ptr<store::MetadataStore> store_;  // survives restarts, as SQLite's file would
  std::unique_ptr<lake::Catalog> catalog_;
  std::unique_ptr<stream::Log> log_;
  std::unique_ptr<engine::Database> database_;
  BatchBoard board_;
  std::unique_ptr<tables::LiveTables> tables_;
};

}  // namespace headrace::jobs
