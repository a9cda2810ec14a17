#include "query/query_service.h"

#include <atomic>
#include <functional>
#include <map>

#include "base/error.h"
#include "lake/scan_files.h"
#include "query/result_writer.h"
#include "query/time_travel.h"
#include "telemetry/log.h"

namespace headrace::query {
namespace {

// Without the semicolon and blanks at its end, so that it can stand inside another query.
std::string without_end(std::string sql) {
  while (!sql.empty() &&
         (std::isspace(static_cast<unsigned char>(sql.back())) != 0 || sql.back() == ';')) {
    sql.pop_back();
  }
  return sql;
}

// What can be interrupted of a query at work.
struct Execution {
  std::string id;
  std::string sql;
  Timestamp started;
  SteadyTime deadline;
  milliseconds timeout;
  engine::Connection* connection;
  std::atomic<bool> timed_out = false;
  std::atomic<bool> cancelled = false;
};

}  // namespace

Format format_from_name(std::string_view name) {
  if (name == "json") return Format::kJson;
  if (name == "csv") return Format::kCsv;
  if (name == "arrow") return Format::kArrow;
  if (name == "parquet") return Format::kParquet;
  fail(ErrorKind::kInvalid, "there is no result format '{}': take json, csv, arrow or parquet",
       name);
}

std::string_view content_type(Format format) {
  switch (format) {
    case Format::kJson:
      return "application/json";
    case Format::kCsv:
      return "text/csv; charset=utf-8";
    case Format::kArrow:
      return "application/vnd.apache.arrow.stream";
    case Format::kParquet:
      return "application/vnd.apache.parquet";
  }
  return "";
}

struct QueryService::State {
  State(engine::Database& the_database, Clock& the_clock, Random& the_random,
        telemetry::Metrics& metrics, QueryOptions the_options)
      : database(the_database),
        clock(the_clock),
        random(the_random),
        options(std::move(the_options)),
        started(metrics.counter("headrace_queries_total", "Queries that were started")),
        failed(metrics.counter("headrace_query_failures_total",
                               "Queries that failed or were cancelled")),
        seconds(metrics.histogram("headrace_query_seconds",
                                  "Time from the start of a query to its last row")),
        files(metrics.counter("headrace_query_files_total",
                              "Data files of the tables that queries scanned")),
        files_read(metrics.counter("headrace_query_files_read_total",
                                   "Data files among these that queries could not leave out")) {}

  void add(const std::shared_ptr<Execution>& execution) {
    std::lock_guard lock(mutex);
    if (!executions.emplace(execution->id, execution).second) {
      fail(ErrorKind::kAlreadyExists, "a query {} is running", execution->id);
    }
    changed.notify_all();
  }
  void remove(const std::string& id) {
    std::lock_guard lock(mutex);
    executions.erase(id);
  }

  engine::Database& database;
  Clock& clock;
  Random& random;
  const QueryOptions options;
  telemetry::Counter& started;
  telemetry::Counter& failed;
  telemetry::Histogram& seconds;
  telemetry::Counter& files;
  telemetry::Counter& files_read;
  mutable std::mutex mutex;
  std::condition_variable_any changed;
  std::map<std::string, std::shared_ptr<Execution>> executions;
};

namespace {

class Query final : public RunningQuery {
 public:
  using Ended = std::function<void(bool failed, const engine::Connection::FilesScanned& files)>;

  Query(std::unique_ptr<engine::Connection> connection, std::shared_ptr<Execution> execution,
        Ended ended)
      : connection_(std::move(connection)),
        execution_(std::move(execution)),
        ended_(std::move(ended)) {}

  ~Query() override {
    writer_.reset();
    end(!finished_);
  }

  // Runs `work`; an interruption becomes the error that says who interrupted.
  template <class Work>
  auto guarded(Work work) {
    try {
      return work();
    } catch (const Error& error) {
      end(true);
      if (execution_->timed_out) {
        fail(ErrorKind::kTimeout, "the query was ended after its time limit of {} ms",
             execution_->timeout.count());
      }
      if (execution_->cancelled) fail(ErrorKind::kCancelled, "the query was cancelled");
      throw;
    }
  }

  void set_writer(std::unique_ptr<ResultWriter> writer) { writer_ = std::move(writer); }

  const std::string& id() const override { return execution_->id; }

  bool next(std::string& piece) override {
    try {
      const bool more = guarded([&] { return writer_->next(piece); });
      has_begun_ = true;
      if (!more) {
        finished_ = true;
        end(false);
      }
      return more;
    } catch (const Error& error) {
      // Before the first piece an error is an answer of its own.
      if (!has_begun_ || !writer_->end_with(error, piece)) throw;
      telemetry::log_warning("query", "a result ends with an error",
                             {{"query", execution_->id}, {"error", error.message()}});
      return true;
    }
  }

  void cancel() override {
    execution_->cancelled = true;
    connection_->interrupt();
  }

 private:
  void end(bool failed) {
    if (!ended_) return;
    ended_(failed, connection_->files_scanned());
    ended_ = nullptr;
  }

  std::unique_ptr<engine::Connection> connection_;
  std::shared_ptr<Execution> execution_;
  Ended ended_;
  std::unique_ptr<ResultWriter> writer_;
  bool has_begun_ = false;
  bool finished_ = false;
};

std::unique_ptr<ResultWriter> run(engine::Connection& connection, const QueryRequest& request,
                                  ResultContext context, const QueryOptions& options) {
  std::string sql = without_end(request.sql);
  const Statement statement = check_statement(connection, sql, options.file_access);
  std::optional<TimeTravel> time_travel;
  if (options.catalog != nullptr) {
    sql = time_travel.emplace(connection, *options.catalog).rewrite(sql, statement);
  }
  // Without their values, parameters leave the types of columns open.
  context.columns = request.parameters.empty()
                        ? connection.describe(sql)
                        : connection.query(sql, request.parameters).columns();
  if (request.format == Format::kParquet) {
    if (!request.parameters.empty())
      fail(ErrorKind::kUnsupported, "a Parquet result takes no parameters");
    const std::string path = format("{}/{}.parquet", options.temporary_directory, context.query_id);
    std::unique_ptr<ResultWriter> file = make_file_writer(path);  // removes it, whatever happens
    const auto rows = connection.query_value(
        format("COPY (SELECT * FROM (\n{}\n) LIMIT {}) TO {} (FORMAT parquet, COMPRESSION zstd)",
               sql, request.max_rows + 1, engine::quote_literal(path)));
    if (std::stoll(rows.value_or("0")) > request.max_rows) fail_too_many_rows(request.max_rows);
    return file;
  }
  // EXPLAIN cannot stand inside another query, and gives texts anyway.
  const bool is_plain = statement.is_explain;
  engine::Result result = connection.query(
      is_plain ? sql : wrap_for(request.format, sql, context.columns.size()), request.parameters);
  switch (request.format) {
    case Format::kCsv:
      return make_csv_writer(std::move(result), std::move(context));
    case Format::kArrow:
      return make_arrow_writer(std::move(result), std::move(context));
    default:
      return is_plain ? make_plain_json_writer(std::move(result), std::move(context))
                      : make_json_writer(std::move(result), std::move(context));
  }
}

}  // namespace

QueryService::QueryService(engine::Database& database, Clock& clock, Random& random,
                           telemetry::Metrics& metrics, QueryOptions options)
    : state_(std::make_shared<State>(database, clock, random, metrics, std::move(options))) {
  if (state_->options.catalog != nullptr) lake::register_file_scan(database);
  watcher_ = std::jthread([state = state_.get()](std::stop_token stop) {
    std::unique_lock lock(state->mutex);
    while (!stop.stop_requested()) {
      const SteadyTime now = state->clock.steady_now();
      for (const auto& [id, execution] : state->executions) {
        // Again and again: an interruption between two steps of a query is forgotten by the engine.
        const bool is_late = now >= execution->deadline;
        if (!is_late && !execution->cancelled) continue;
        if (is_late && !execution->cancelled) execution->timed_out = true;
        execution->connection->interrupt();
      }
      // Nothing to watch: sleep until there is.
      if (state->executions.empty()) {
        state->changed.wait(lock, stop, [&] { return !state->executions.empty(); });
      } else {
        state->changed.wait_for(lock, stop, milliseconds(20), [] { return false; });
      }
    }
  });
}

QueryService::~QueryService() = default;

std::unique_ptr<RunningQuery> QueryService::start(const QueryRequest& request) {
  const SteadyTime began = state_->clock.steady_now();
  auto connection = state_->database.connect();
  // Without a bar the engine does not count how far it is.
  connection->execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false");
  auto execution = std::make_shared<Execution>();
  execution->id = request.id.empty() ? make_uuid(state_->random) : request.id;
  execution->sql = request.sql;
  execution->started = state_->clock.now();
  execution->deadline = began + request.timeout;
  execution->timeout = request.timeout;
  execution->connection = connection.get();
  state_->add(execution);
  state_->started.add();
  const auto ended = [state = state_, id = execution->id, began](
                         bool failed, const engine::Connection::FilesScanned& files) {
    state->remove(id);
    if (failed) state->failed.add();
    state->files.add(static_cast<double>(files.total));
    state->files_read.add(static_cast<double>(files.read));
    state->seconds.observe(
        std::chrono::duration<double>(state->clock.steady_now() - began).count());
  };
  engine::Connection& borrowed = *connection;
  auto query = std::make_unique<Query>(std::move(connection), execution, ended);
  query->guarded([&] {
    query->set_writer(run(borrowed, request,
                          {execution->id, {}, request.max_rows, began, &state_->clock, &borrowed},
                          state_->options));
    return true;
  });
  return query;
}

std::vector<RunningQueryInfo> QueryService::running() const {
  std::lock_guard lock(state_->mutex);
  std::vector<RunningQueryInfo> infos;
  for (const auto& [id, execution] : state_->executions) {
    infos.push_back({id, execution->sql, execution->started, execution->connection->progress()});
  }
  return infos;
}

void QueryService::cancel(const std::string& id) {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->executions.find(id);
  if (found == state_->executions.end()) fail(ErrorKind::kNotFound, "no query {} is running", id);
  found->second->cancelled = true;
  found->second->connection->interrupt();
}

}  // namespace headrace::query
