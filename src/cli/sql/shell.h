#pragma once

// The SQL shell, and what runs a script: statements to the query runner, dot commands to the
// settings, results to the console or a file.
//
// Life cycle: one for each `headrace sql`. Thread use: one thread.

#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "cli/session.h"
#include "cli/sql/completer.h"
#include "cli/sql/line_editor.h"
#include "cli/sql/query_runner.h"

namespace headrace::cli {

struct ShellSettings {
  OutputMode mode = OutputMode::kTable;
  bool shows_elapsed = false;
  int64_t table_rows = 1000;  // 0: all
  int64_t max_rows = 0;       // 0: as the server allows; above table_rows
  int64_t timeout_ms = 0;
  JsonArray parameters;
};

class Shell {
 public:
  Shell(Session& session, QueryRunner& runner, ShellSettings settings);

  // Reads from the person until .quit or the end; errors are printed and it goes on.
  int run_interactive(LineEditor& editor, const std::string& name);
  // Runs each statement; the first error ends it (is thrown).
  void run_script(std::string_view script);
  // Results go into a file from here on; empty: to the console.
  void set_output(const std::string& path);
  // Flushes the file of set_output and checks that all of it was written.
  void close_output();

 private:
  void run_statement(const std::string& sql);
  // False when the shell is to end.
  bool run_dot_command(std::string_view line);
  bool take_line(LineEditor& editor, const std::string& line);
  void print_tables(const std::string& pattern);
  void print_schema(const std::string& table);
  void print_error(const Error& error);
  void write(std::string_view text);

  Session& session_;
  QueryRunner& runner_;
  ShellSettings settings_;
  std::string pending_;  // of a statement that has not ended
  std::ofstream file_;
  std::string file_path_;
};

// ~/.local/state/headrace/history, or under XDG_STATE_HOME; empty when there is no home.
std::string history_path(const Console& console);

}  // namespace headrace::cli
