#include "engine/database.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "engine/state.h"

namespace headrace::engine {
namespace {

class Configuration {
 public:
  Configuration() {
    if (duckdb_create_config(&config_) == DuckDBError) {
      fail(ErrorKind::kInternal, "configuring the SQL engine failed");
    }
  }
  ~Configuration() { duckdb_destroy_config(&config_); }
  Configuration(const Configuration&) = delete;
  Configuration& operator=(const Configuration&) = delete;

  void set(const char* name, const std::string& value) {
    if (duckdb_set_config(config_, name, value.c_str()) == DuckDBError) {
      fail(ErrorKind::kInvalid, "the SQL engine refuses {} = '{}'", name, value);
    }
  }
  duckdb_config get() const { return config_; }

 private:
  duckdb_config config_ = nullptr;
};

}  // namespace

Database::State::~State() {
  if (own_connection != nullptr) duckdb_disconnect(&own_connection);
  if (database != nullptr) duckdb_close(&database);
}

Database::Database(const DatabaseOptions& options) : state_(std::make_unique<State>()) {
  Configuration configuration;
  if (!options.memory_limit.empty()) configuration.set("memory_limit", options.memory_limit);
  if (options.threads > 0) configuration.set("threads", std::to_string(options.threads));
  // Spilling is off without a directory: a hidden file beside the working directory surprises.
  configuration.set("temp_directory", options.temporary_directory);
  configuration.set("preserve_insertion_order",
                    options.preserve_insertion_order ? "true" : "false");
  // It would keep what was read of every file in blocks of 4 KiB, also of files that were merged
  // away since, until the memory limit is reached. The operating system keeps local files, and
  // those in S3 are in a cache on disk.
  configuration.set("enable_external_file_cache", "false");
  // Extensions are never fetched from the network.
  configuration.set("autoinstall_known_extensions", "false");
  configuration.set("autoload_known_extensions", "false");
  if (!options.extension_directory.empty()) {
    configuration.set("extension_directory", options.extension_directory);
  }
  char* reason = nullptr;
  if (duckdb_open_ext(nullptr, &state_->database, configuration.get(), &reason) == DuckDBError) {
    const std::string message = reason == nullptr ? "unknown reason" : reason;
    duckdb_free(reason);
    fail(ErrorKind::kInvalid, "starting the SQL engine: {}", message);
  }
  if (duckdb_connect(state_->database, &state_->own_connection) == DuckDBError) {
    fail(ErrorKind::kInternal, "connecting to the SQL engine failed");
  }
  // Iceberg's timestamptz is UTC, and so is what headrace prints.
  connect()->execute("SET GLOBAL TimeZone = 'UTC'");
  register_named_members(*state_);
}

Database::~Database() = default;

std::unique_ptr<Connection> Database::connect() {
  auto state = std::make_unique<Connection::State>();
  if (duckdb_connect(state_->database, &state->connection) == DuckDBError) {
    fail(ErrorKind::kInternal, "connecting to the SQL engine failed");
  }
  return std::unique_ptr<Connection>(new Connection(std::move(state)));
}

void Database::register_function(std::shared_ptr<TableFunction> function) {
  register_table_function(*state_, std::move(function));
}

void Database::register_function(std::shared_ptr<ScalarFunction> function) {
  register_scalar_function(*state_, std::move(function));
}

void Database::add_files(std::shared_ptr<RemoteFiles> files) {
  register_remote_files(*state_, std::move(files));
}

void Database::add_file_scan(FileListResolver resolver) {
  register_file_scan(*state_, std::move(resolver));
}

std::string Database::canonical_type(const std::string& type) {
  return state_->with_own_connection(
      [&](duckdb_connection connection) { return name_of(logical_type(connection, type).get()); });
}

thread_local std::string_view sql_in_preparation;

namespace {

// Whether the SQL in preparation names system.<name>.
bool is_system_table(std::string_view name) {
  const auto same = [](char a, char b) { return to_lower(a) == to_lower(b); };
  for (const std::string& spelling : {format("system.{}", name), format("system.\"{}\"", name)}) {
    const auto found = std::search(sql_in_preparation.begin(), sql_in_preparation.end(),
                                   spelling.begin(), spelling.end(), same);
    if (found != sql_in_preparation.end()) return true;
  }
  return false;
}

void resolve_table(duckdb_replacement_scan_info info, const char* name, void* data) {
  if (!is_system_table(name)) return;
  try {
    const auto call = (*static_cast<Database::TableResolver*>(data))(name);
    if (!call) return;
    duckdb_replacement_scan_set_function_name(info, call->function.c_str());
    for (const std::string& argument : call->arguments) {
      duckdb_value value = duckdb_create_varchar_length(argument.data(), argument.size());
      duckdb_replacement_scan_add_parameter(info, value);
      duckdb_destroy_value(&value);
    }
  } catch (const std::exception& error) {
    duckdb_replacement_scan_set_error(info, error.what());
  }
}

}  // namespace

void Database::set_system_table_resolver(TableResolver resolver) {
  duckdb_add_replacement_scan(state_->database, resolve_table,
                              new TableResolver(std::move(resolver)),
                              [](void* data) { delete static_cast<TableResolver*>(data); });
}

ErrorKind kind_of(duckdb_error_type type, std::string_view message) {
  switch (type) {
    case DUCKDB_ERROR_INTERRUPT:
      return ErrorKind::kCancelled;
    case DUCKDB_ERROR_OUT_OF_MEMORY:
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_NETWORK:
    case DUCKDB_ERROR_HTTP:
      return ErrorKind::kUnavailable;
    case DUCKDB_ERROR_CATALOG:
      return message.find("does not exist") != std::string_view::npos ? ErrorKind::kNotFound
                                                                      : ErrorKind::kInvalid;
    case DUCKDB_ERROR_NOT_IMPLEMENTED:
      return ErrorKind::kUnsupported;
    case DUCKDB_ERROR_PERMISSION:
      return ErrorKind::kDenied;
    case DUCKDB_ERROR_TRANSACTION:
      return ErrorKind::kConflict;
    case DUCKDB_ERROR_INTERNAL:
    case DUCKDB_ERROR_FATAL:
      return ErrorKind::kInternal;
    default:
      return ErrorKind::kInvalid;
  }
}

void fail_result(duckdb_result& result) {
  const char* text = duckdb_result_error(&result);
  const std::string message = text == nullptr ? "the query failed" : text;
  const ErrorKind kind = kind_of(duckdb_result_error_type(&result), message);
  duckdb_destroy_result(&result);
  throw Error(kind, message);
}

void check(duckdb_error_data error, std::string_view doing) {
  if (error == nullptr) return;
  if (!duckdb_error_data_has_error(error)) {
    duckdb_destroy_error_data(&error);
    return;
  }
  const std::string message = duckdb_error_data_message(error);
  const ErrorKind kind = kind_of(duckdb_error_data_error_type(error), message);
  duckdb_destroy_error_data(&error);
  fail(kind, "{}: {}", doing, message);
}

namespace {

std::string quote(std::string_view text, char with) {
  std::string quoted(1, with);
  for (const char c : text) {
    if (c == with) quoted += c;
    quoted += c;
  }
  return quoted + with;
}

}  // namespace

std::string quote_identifier(std::string_view name) { return quote(name, '"'); }
std::string quote_literal(std::string_view text) { return quote(text, '\''); }
std::string quote_name(std::string_view schema, std::string_view table) {
  return quote_identifier(schema) + "." + quote_identifier(table);
}

}  // namespace headrace::engine
