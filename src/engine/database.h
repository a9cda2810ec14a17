#pragma once

// The embedded SQL engine. This module is the only one that knows DuckDB (its C API,
// version 1.5.5); nobody else includes its header.
//
// Life cycle: a Database outlives its Connections, a Connection its Results.
// Thread use: Database from any thread; a Connection by one thread at a time, but for interrupt()
// and progress(), which any thread may call. Errors: SQL mistakes are Error invalid (unknown tables
// not_found) with the engine's own message; out of memory is unavailable; an interrupted query is
// cancelled.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/vector.h"

namespace headrace::engine {

class TableFunction;
class ScalarFunction;
class RemoteFiles;
class FileList;

struct DatabaseOptions {
  std::string memory_limit;         // "512MB"; empty: DuckDB's default (80 % of memory)
  int threads = 0;                  // 0: one for each core
  std::string temporary_directory;  // where what does not fit spills; empty: no spilling
  bool preserve_insertion_order = false;
  std::string extension_directory;
};

struct Column {
  std::string name;
  std::string type;  // as DuckDB spells it
};

class Connection;

class Database {
 public:
  explicit Database(const DatabaseOptions& options = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  std::unique_ptr<Connection> connect();
  // Functions are visible to every connection made afterwards and before. The object lives as long
  // as the database.
  void register_function(std::shared_ptr<TableFunction> function);
  void register_function(std::shared_ptr<ScalarFunction> function);

  // Files that SQL names by a path which these handle (remote_files.h). They live as long as the
  // database.
  void add_files(std::shared_ptr<RemoteFiles> files);

  // Gives SQL the table function headrace_files(name) over lists of files (file_scan.h). The first
  // resolver stays.
  void add_file_scan(
      std::function<std::shared_ptr<const FileList>(const std::string& name)> resolver);

  // A type as the engine spells it: "decimal(12, 2)" → "DECIMAL(12,2)". invalid when there is none
  // such.
  std::string canonical_type(const std::string& type);

  // A table of the schema `system` ("system.topics") is offered to the resolver by its name alone
  // ("topics"), which may answer with the call of a table function that stands for it. (DuckDB
  // keeps the name `system` for itself, so such tables cannot be views.) Called while a query is
  // bound, from any thread. Set it once.
  struct TableCall {
    std::string function;
    std::vector<std::string> arguments;  // VARCHARs
  };
  using TableResolver = std::function<std::optional<TableCall>(const std::string& name)>;
  void set_system_table_resolver(TableResolver resolver);

  struct State;  // the engine's own

 private:
  std::unique_ptr<State> state_;
};

// The rows of a query, chunk by chunk (up to 2,048 rows each).
class Result {
 public:
  ~Result();
  Result(Result&&) noexcept;
  Result& operator=(Result&&) noexcept;

  const std::vector<Column>& columns() const;
  // The next chunk, or nullptr at the end; it is valid until the next call. Throws when the query
  // fails midway.
  const Chunk* next();
  int64_t rows_changed() const;  // of INSERT, COPY, …
  // What the ABI of the Arrow C data interface needs: fills ArrowSchema / ArrowArray structs.
  void export_arrow_schema(void* arrow_schema) const;
  // False at the end.
  bool next_arrow(void* arrow_array);

 private:
  friend class Connection;
  struct State;
  explicit Result(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Connection {
 public:
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs one or several statements and drops their results. Returns the rows changed by the last.
  int64_t execute(const std::string& sql);
  // Runs one statement and streams its rows. `parameters` fill $1, $2, … as text, cast as needed.
  Result query(const std::string& sql,
               const std::vector<std::optional<std::string>>& parameters = {});
  // The single value of a query as text; nullopt for NULL or no row.
  std::optional<std::string> query_value(const std::string& sql);
  int64_t query_integer(const std::string& sql);  // internal when it is not an integer
  // All rows as text (small results only: tests, system tables, COPY … RETURN_STATS).
  std::vector<std::vector<std::optional<std::string>>> query_rows(const std::string& sql);
  // Names and types of a query's columns, without running it.
  std::vector<Column> describe(const std::string& sql);
  // `size` bytes from `offset` of a file as SQL would name it, also of one that comes through
  // add_files(). corrupt when the file ends before.
  std::string read_file(const std::string& path, uint64_t offset, uint64_t size);

  void interrupt();
  double progress() const;  // 0–1; −1 unknown

  // Of the scans by headrace_files of the newest query that ran: files in their lists, and those of
  // them that could not be left out. Grows while it runs.
  struct FilesScanned {
    int64_t total = 0;
    int64_t read = 0;
  };
  FilesScanned files_scanned() const;

 private:
  friend class Database;
  friend class Appender;
  struct State;
  explicit Connection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Appends chunks to a table; visible after close(), which throws what went wrong.
class Appender {
 public:
  Appender(Connection& connection, std::string_view schema, std::string_view table);
  ~Appender();
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;
  MutableChunk& chunk();  // to be filled; set_size() then flush_chunk()
  void flush_chunk();
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string quote_identifier(std::string_view name);  // "a""b"
std::string quote_literal(std::string_view text);     // 'a''b'
std::string quote_name(std::string_view schema, std::string_view table);

}  // namespace headrace::engine
