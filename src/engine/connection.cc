#include <utility>

#include "engine/state.h"
#include "engine/value_text.h"

namespace headrace::engine {
namespace {

// Statements of a text, prepared one by one.
class Statements {
 public:
  Statements(duckdb_connection connection, const std::string& sql)
      : connection_(connection), sql_(sql) {
    count_ = duckdb_extract_statements(connection, sql.c_str(), &statements_);
    if (count_ == 0) {
      const char* reason = duckdb_extract_statements_error(statements_);
      const std::string message = reason == nullptr ? "there is no statement in the text" : reason;
      duckdb_destroy_extracted(&statements_);
      throw Error(ErrorKind::kInvalid, message);
    }
  }
  ~Statements() { duckdb_destroy_extracted(&statements_); }
  Statements(const Statements&) = delete;
  Statements& operator=(const Statements&) = delete;

  idx_t count() const { return count_; }

  duckdb_prepared_statement prepare(idx_t index) const {
    duckdb_prepared_statement prepared = nullptr;
    sql_in_preparation = sql_;
    if (duckdb_prepare_extracted_statement(connection_, statements_, index, &prepared) ==
        DuckDBError) {
      const char* reason = duckdb_prepare_error(prepared);
      const std::string message = reason == nullptr ? "preparing the statement failed" : reason;
      duckdb_destroy_prepare(&prepared);
      const bool missing = message.starts_with("Catalog Error") &&
                           message.find("does not exist") != std::string::npos;
      throw Error(missing ? ErrorKind::kNotFound : ErrorKind::kInvalid, message);
    }
    return prepared;
  }

 private:
  duckdb_connection connection_;
  const std::string& sql_;
  duckdb_extracted_statements statements_ = nullptr;
  idx_t count_ = 0;
};

struct PreparedDeleter {
  void operator()(duckdb_prepared_statement prepared) const { duckdb_destroy_prepare(&prepared); }
};
using Prepared = std::unique_ptr<std::remove_pointer_t<duckdb_prepared_statement>, PreparedDeleter>;

void bind(duckdb_prepared_statement prepared,
          const std::vector<std::optional<std::string>>& parameters) {
  if (duckdb_nparams(prepared) != parameters.size()) {
    fail(ErrorKind::kInvalid, "the query has {} parameters, but {} values were given",
         duckdb_nparams(prepared), parameters.size());
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto& value = parameters[i];
    const duckdb_state state =
        value ? duckdb_bind_varchar_length(prepared, i + 1, value->data(), value->size())
              : duckdb_bind_null(prepared, i + 1);
    if (state == DuckDBError) fail(ErrorKind::kInvalid, "binding query parameter {} failed", i + 1);
  }
}

}  // namespace

struct Result::State {
  ~State() {
    if (chunk != nullptr) duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_result(&result);
  }

  bool fetch() {
    if (chunk != nullptr) duckdb_destroy_data_chunk(&chunk);
    chunk = duckdb_fetch_chunk(result);
    if (chunk != nullptr) return true;
    const char* text = duckdb_result_error(&result);
    if (text == nullptr || *text == '\0') return false;
    const std::string message = text;
    const duckdb_error_type type = duckdb_result_error_type(&result);
    if (type == DUCKDB_ERROR_INTERRUPT && !*was_interrupted) fail_again();
    throw Error(kind_of(type, message), message);
  }

  // When one thread of a streamed query fails, the engine interrupts the others, and now and then
  // (1.5.5) it is their interruption that it reports. The reason is lost but for running the query
  // once more, without keeping its rows.
  [[noreturn]] void fail_again() {
    duckdb_destroy_result(&result);
    constexpr int kMostRuns = 3;
    if (is_read_only && run_number < kMostRuns) {
      Result again = connection->query(sql, parameters);
      again.state_->run_number = run_number + 1;
      while (again.next() != nullptr) {
      }
    }
    fail(ErrorKind::kUnavailable,
         "the query failed in one of its threads and the engine lost the reason; run it again");
  }

  duckdb_result result{};
  duckdb_data_chunk chunk = nullptr;
  std::optional<Chunk> view;
  std::vector<Column> columns;
  std::vector<LogicalType> types;
  // What was asked, for fail_again().
  Connection* connection = nullptr;
  const std::atomic<bool>* was_interrupted = nullptr;  // the connection's
  std::string sql;
  std::vector<std::optional<std::string>> parameters;
  bool is_read_only = false;
  int run_number = 1;
};

Result::Result(std::unique_ptr<State> state) : state_(std::move(state)) {}
Result::~Result() = default;
Result::Result(Result&&) noexcept = default;
Result& Result::operator=(Result&&) noexcept = default;

const std::vector<Column>& Result::columns() const { return state_->columns; }

const Chunk* Result::next() {
  do {
    if (!state_->fetch()) return nullptr;
  } while (duckdb_data_chunk_get_size(state_->chunk) == 0);
  state_->view.emplace(state_->chunk, duckdb_data_chunk_get_size(state_->chunk));
  return &*state_->view;
}

int64_t Result::rows_changed() const {
  return static_cast<int64_t>(duckdb_rows_changed(&state_->result));
}

void Result::export_arrow_schema(void* arrow_schema) const {
  std::vector<duckdb_logical_type> types;
  std::vector<const char*> names;
  for (size_t i = 0; i < state_->types.size(); ++i) {
    types.push_back(state_->types[i].get());
    names.push_back(state_->columns[i].name.c_str());
  }
  duckdb_arrow_options options = duckdb_result_get_arrow_options(&state_->result);
  duckdb_error_data error = duckdb_to_arrow_schema(
      options, types.data(), names.data(), types.size(), static_cast<ArrowSchema*>(arrow_schema));
  duckdb_destroy_arrow_options(&options);
  check(error, "describing the result for Arrow");
}

bool Result::next_arrow(void* arrow_array) {
  if (next() == nullptr) return false;
  duckdb_arrow_options options = duckdb_result_get_arrow_options(&state_->result);
  duckdb_error_data error =
      duckdb_data_chunk_to_arrow(options, state_->chunk, static_cast<ArrowArray*>(arrow_array));
  duckdb_destroy_arrow_options(&options);
  check(error, "converting a chunk of the result to Arrow");
  return true;
}

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() = default;

int64_t Connection::execute(const std::string& sql) {
  const Statements statements(state_->connection, sql);
  int64_t changed = 0;
  for (idx_t i = 0; i < statements.count(); ++i) {
    const Prepared prepared(statements.prepare(i));
    duckdb_result result{};
    if (duckdb_execute_prepared(prepared.get(), &result) == DuckDBError) fail_result(result);
    changed = static_cast<int64_t>(duckdb_rows_changed(&result));
    duckdb_destroy_result(&result);
  }
  return changed;
}

Result Connection::query(const std::string& sql,
                         const std::vector<std::optional<std::string>>& parameters) {
  const Statements statements(state_->connection, sql);
  if (statements.count() != 1) {
    fail(ErrorKind::kInvalid, "a query is one statement, but the text has {}", statements.count());
  }
  const Prepared prepared(statements.prepare(0));
  bind(prepared.get(), parameters);
  auto state = std::make_unique<Result::State>();
  state->connection = this;
  state->was_interrupted = &state_->was_interrupted;
  state->sql = sql;
  state->parameters = parameters;
  state->is_read_only =
      duckdb_prepared_statement_type(prepared.get()) == DUCKDB_STATEMENT_TYPE_SELECT;
  state_->was_interrupted = false;
  duckdb_pending_result pending = nullptr;
  if (duckdb_pending_prepared_streaming(prepared.get(), &pending) == DuckDBError) {
    const std::string message = duckdb_pending_error(pending);
    duckdb_destroy_pending(&pending);
    throw Error(ErrorKind::kInvalid, message);
  }
  const bool failed = duckdb_execute_pending(pending, &state->result) == DuckDBError;
  duckdb_destroy_pending(&pending);
  if (failed) {
    const char* text = duckdb_result_error(&state->result);
    const std::string message = text == nullptr ? "the query failed" : text;
    throw Error(kind_of(duckdb_result_error_type(&state->result), message), message);
  }
  for (idx_t i = 0; i < duckdb_column_count(&state->result); ++i) {
    state->types.emplace_back(duckdb_column_logical_type(&state->result, i));
    state->columns.push_back(
        {duckdb_column_name(&state->result, i), name_of(state->types.back().get())});
  }
  return Result(std::move(state));
}

std::vector<std::vector<std::optional<std::string>>> Connection::query_rows(
    const std::string& sql) {
  Result result = query(sql);
  std::vector<std::vector<std::optional<std::string>>> rows;
  while (const Chunk* chunk = result.next()) {
    const size_t first = rows.size();
    rows.resize(first + chunk->rows());
    for (size_t column = 0; column < result.columns().size(); ++column) {
      const duckdb_vector vector = duckdb_data_chunk_get_vector(result.state_->chunk, column);
      for (size_t row = 0; row < chunk->rows(); ++row) {
        rows[first + row].push_back(value_text(vector, result.state_->types[column].get(), row));
      }
    }
  }
  return rows;
}

std::optional<std::string> Connection::query_value(const std::string& sql) {
  const auto rows = query_rows(sql);
  if (rows.empty() || rows.front().empty()) return std::nullopt;
  return rows.front().front();
}

int64_t Connection::query_integer(const std::string& sql) {
  const auto text = query_value(sql);
  if (!text)
    fail(ErrorKind::kInternal, "the query gives no value where a number is expected: {}", sql);
  size_t used = 0;
  int64_t value = 0;
  try {
    value = std::stoll(*text, &used);
  } catch (const std::logic_error&) {
    used = 0;
  }
  if (used == 0 || used != text->size()) {
    fail(ErrorKind::kInternal, "the query gives '{}' where a number is expected: {}", *text, sql);
  }
  return value;
}

namespace {

// Names and types come from binding. The optimizer, which takes the larger part of the time over a
// table of many files, has no say in them.
class WithoutOptimizer {
 public:
  explicit WithoutOptimizer(duckdb_connection connection) : connection_(connection) {
    duckdb_query(connection_, "PRAGMA disable_optimizer", nullptr);
  }
  ~WithoutOptimizer() { duckdb_query(connection_, "PRAGMA enable_optimizer", nullptr); }
  WithoutOptimizer(const WithoutOptimizer&) = delete;
  WithoutOptimizer& operator=(const WithoutOptimizer&) = delete;

 private:
  duckdb_connection connection_;
};

}  // namespace

std::vector<Column> Connection::describe(const std::string& sql) {
  const WithoutOptimizer quick(state_->connection);
  const Statements statements(state_->connection, sql);
  const Prepared prepared(statements.prepare(statements.count() - 1));
  std::vector<Column> columns;
  for (idx_t i = 0; i < duckdb_prepared_statement_column_count(prepared.get()); ++i) {
    const LogicalType type(duckdb_prepared_statement_column_logical_type(prepared.get(), i));
    const char* name = duckdb_prepared_statement_column_name(prepared.get(), i);
    columns.push_back({name, name_of(type.get())});
    duckdb_free(const_cast<char*>(name));
  }
  return columns;
}

void Connection::interrupt() {
  state_->was_interrupted = true;
  duckdb_interrupt(state_->connection);
}

double Connection::progress() const {
  const double percentage = duckdb_query_progress(state_->connection).percentage;
  return percentage < 0 ? -1 : percentage / 100;
}

struct Appender::State {
  duckdb_appender appender = nullptr;
  duckdb_data_chunk handle = nullptr;
  std::optional<MutableChunk> chunk;

  [[noreturn]] void fail_append(std::string_view doing) {
    check(duckdb_appender_error_data(appender), doing);
    fail(ErrorKind::kInternal, "{} failed", doing);
  }
};

Appender::Appender(Connection& connection, std::string_view schema, std::string_view table)
    : state_(std::make_unique<State>()) {
  const duckdb_state created =
      duckdb_appender_create(connection.state_->connection, std::string(schema).c_str(),
                             std::string(table).c_str(), &state_->appender);
  if (created == DuckDBError) {
    const std::string message = format("appending to {}.{}", schema, table);
    const duckdb_error_data error = duckdb_appender_error_data(state_->appender);
    const std::string reason = duckdb_error_data_message(error);
    duckdb_appender_destroy(&state_->appender);
    fail(ErrorKind::kInvalid, "{}: {}", message, reason);
  }
  std::vector<duckdb_logical_type> types;
  for (idx_t i = 0; i < duckdb_appender_column_count(state_->appender); ++i) {
    types.push_back(duckdb_appender_column_type(state_->appender, i));
  }
  state_->handle = duckdb_create_data_chunk(types.data(), types.size());
  for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
  state_->chunk.emplace(state_->handle);
}

Appender::~Appender() {
  if (state_->handle != nullptr) duckdb_destroy_data_chunk(&state_->handle);
  if (state_->appender != nullptr) duckdb_appender_destroy(&state_->appender);
}

MutableChunk& Appender::chunk() { return *state_->chunk; }

void Appender::flush_chunk() {
  if (duckdb_append_data_chunk(state_->appender, state_->handle) == DuckDBError) {
    state_->fail_append("appending rows");
  }
  duckdb_data_chunk_reset(state_->handle);
}

void Appender::close() {
  if (duckdb_appender_close(state_->appender) == DuckDBError)
    state_->fail_append("finishing an append");
}

}  // namespace headrace::engine
