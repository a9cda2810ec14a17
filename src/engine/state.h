#pragma once

// What the engine's classes keep, and how its failures become ours. Inside the engine module only.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <duckdb.h>

#include "base/error.h"
#include "engine/database.h"
#include "engine/file_scan.h"
#include "engine/functions.h"
#include "engine/logical_type.h"

namespace headrace::engine {

struct Database::State {
  ~State();
  // Runs `use` with the connection kept for the engine's own look-ups.
  template <class Use>
  auto with_own_connection(Use use) {
    std::lock_guard lock(mutex);
    return use(own_connection);
  }

  duckdb_database database = nullptr;
  duckdb_connection own_connection = nullptr;
  std::mutex mutex;
};

struct Connection::State {
  ~State() { duckdb_disconnect(&connection); }
  duckdb_connection connection = nullptr;
  std::atomic<bool> was_interrupted = false;  // by interrupt(), since the last query began
};

ErrorKind kind_of(duckdb_error_type type, std::string_view message);

// Throws what a failed result says.
[[noreturn]] void fail_result(duckdb_result& result);

// Throws the error data's message, prefixed; destroys it.
void check(duckdb_error_data error, std::string_view doing);

// The SQL that this thread prepares just now; the engine tells a resolver the table's name without
// its schema.
extern thread_local std::string_view sql_in_preparation;

// The registrations of functions.
void register_table_function(Database::State& state, std::shared_ptr<TableFunction> function);
void register_scalar_function(Database::State& state, std::shared_ptr<ScalarFunction> function);

// Gives the engine files to read.
void register_remote_files(Database::State& state, std::shared_ptr<RemoteFiles> files);

// Gives SQL the function headrace_parquet (named_members.h).
void register_named_members(Database::State& state);

// Gives SQL the function headrace_files.
void register_file_scan(Database::State& state, FileListResolver resolver);

}  // namespace headrace::engine
