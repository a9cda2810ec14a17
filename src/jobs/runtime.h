#pragma once

// What all jobs of a process share. Everything outlives the runners.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "engine/database.h"
#include "jobs/batch.h"
#include "jobs/job_lease.h"
#include "lake/table.h"
#include "stream/log.h"
#include "tables/live_tables.h"
#include "telemetry/metrics.h"

namespace headrace::jobs {

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
  // Hot rows become files at this size (of the records they came from) or age, whichever comes
  // first.
  int64_t commit_bytes = 128 * 1024 * 1024;
  milliseconds commit_interval{60'000};
  // Called when a job has opened its tables, and after each commit with those that moved on. It
  // must not block.
  std::function<void(const std::vector<lake::TableIdentifier>&)> on_tables_changed;
  // Set when other processes use the same metadata store: each job then runs in one of them.
  std::optional<Sharing> sharing = {};
};

}  // namespace headrace::jobs
