#pragma once

// Runs SQL for people and programs: one read-only statement at a time each, with a time limit, a
// row limit and cancelling, its result streamed as JSON, CSV, Arrow IPC or Parquet.
//
// Life cycle: start() binds and begins the query; pieces() are pulled until the end; destroying a
// RunningQuery ends it. One watcher thread interrupts queries whose time is over. Thread use:
// QueryService from any thread; a RunningQuery by one thread at a time, but for cancel(). Errors:
// invalid (the SQL, more than one statement, one that changes something), denied (files),
// not_found, timeout, cancelled, unavailable (out of memory).

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "engine/database.h"
#include "lake/table.h"
#include "query/statement.h"
#include "telemetry/metrics.h"

namespace headrace::query {

enum class Format { kJson, kCsv, kArrow, kParquet };

// "json", "csv", "arrow", "parquet"; invalid for others.
Format format_from_name(std::string_view name);
std::string_view content_type(Format format);

struct QueryRequest {
  std::string id;  // by which it can be cancelled; empty: one is made
  std::string sql;
  std::vector<std::optional<std::string>> parameters;  // $1, $2, …
  Format format = Format::kJson;
  milliseconds timeout{300'000};
  int64_t max_rows = 1'000'000;
};

struct QueryOptions {
  std::string temporary_directory;  // for Parquet results
  FileAccess file_access = FileAccess::kRead;
  lake::Catalog* catalog = nullptr;  // of tables as they were; null: there are none
};

struct RunningQueryInfo {
  std::string id;
  std::string sql;
  Timestamp started;
  double progress = -1;  // 0–1; −1: not known
};

class RunningQuery {
 public:
  virtual ~RunningQuery() = default;
  virtual const std::string& id() const = 0;
  // Appends the next piece of the result; false at its end. What goes wrong midway is thrown; a
  // JSON result that has begun ends with it instead, as its member "error".
  virtual bool next(std::string& piece) = 0;
  virtual void cancel() = 0;
};

class QueryService {
 public:
  QueryService(engine::Database& database, Clock& clock, Random& random,
               telemetry::Metrics& metrics, QueryOptions options);
  ~QueryService();
  QueryService(const QueryService&) = delete;
  QueryService& operator=(const QueryService&) = delete;

  std::unique_ptr<RunningQuery> start(const QueryRequest& request);
  std::vector<RunningQueryInfo> running() const;
  void cancel(const std::string& id);  // not_found

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::jthread watcher_;
};

}  // namespace headrace::query
