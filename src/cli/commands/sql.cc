#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/help/help_formatter.h"
#include "cli/interrupt.h"
#include "cli/session.h"
#include "cli/sql/shell.h"
#include "cli/sql/statement_splitter.h"

namespace headrace::cli {
namespace {

struct SqlOptions {
  std::string sql;
  std::string file;
  std::string format;
  std::string output;
  std::vector<std::string> parameters;
  int64_t max_rows = -1;  // -1: not given
  int64_t timeout_ms = 0;
  bool timer = false;
};

std::string read_descriptor(int descriptor) {
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t size = ::read(descriptor, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail_errno(errno, "reading", "standard input");
    if (size == 0) return text;
    text.append(buffer, static_cast<size_t>(size));
  }
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(ErrorKind::kNotFound, "reading {}: it cannot be opened", path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// 42 and true as such, what is not JSON as text.
Json parameter_of(const std::string& text) {
  try {
    return parse_json(text, "a parameter");
  } catch (const Error&) {
    return Json(boost::json::string(text));
  }
}

ShellSettings settings_of(const SqlOptions& options, bool json) {
  ShellSettings settings;
  if (!options.format.empty()) {
    settings.mode = output_mode_of(options.format);
  } else if (json) {
    settings.mode = OutputMode::kJson;
  }
  settings.shows_elapsed = options.timer;
  settings.timeout_ms = options.timeout_ms;
  if (options.max_rows >= 0) settings.max_rows = settings.table_rows = options.max_rows;
  for (const std::string& parameter : options.parameters) {
    settings.parameters.push_back(parameter_of(parameter));
  }
  return settings;
}

// Into a file beside it first, so that a broken-off download leaves no half of a file.
void download(QueryRunner& runner, const SqlOptions& options, const ShellSettings& settings,
              const std::string& script) {
  const Split split = split_statements(script);
  const size_t count = split.statements.size() + (split.rest_is_blank ? 0 : 1);
  if (count != 1) {
    fail(ErrorKind::kInvalid, "sql: --format {} takes one statement, not {}", options.format,
         count);
  }
  if (options.output.empty()) {
    fail(ErrorKind::kInvalid, "sql: --format {} needs a file: -o result.{}", options.format,
         options.format);
  }
  const Query query{split.statements.empty() ? split.rest : split.statements.front(),
                    settings.parameters, settings.max_rows, settings.timeout_ms};
  const std::string partial = options.output + ".partial";
  try {
    std::ofstream file(partial, std::ios::binary | std::ios::trunc);
    if (!file) fail_errno(errno, "writing", partial);
    const Interrupt interrupt;
    runner.download(
        query, options.format,
        [&](std::string_view bytes) {
          file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        },
        interrupt.token());
    file.close();
    if (!file) fail(ErrorKind::kUnavailable, "writing {}: is the disk full?", partial);
    std::filesystem::rename(partial, options.output);
  } catch (const Error&) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
    throw;
  }
}

int run_shell(Session& session, QueryRunner& runner, Service& service, ShellSettings settings) {
  Completer completer([&runner] {
    return runner.fetch(
        {"SELECT table_schema, table_name, column_name FROM information_schema.columns "
         "WHERE table_schema NOT IN ('hot', 'static') "
         "UNION ALL SELECT 'system', name, '' FROM system.system_tables ORDER BY ALL",
         {},
         20'000,
         2'000});
  });
  std::string name = "headrace";
  try {
    name = string_member_or(service.get("/v1/status"), "name", name);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kDenied) throw;
  }
  if (!service.is_running()) {
    session.note("no server is running: reading the project's state as it stands");
  }
  settings.shows_elapsed = true;
  const auto editor = make_terminal_editor(
      history_path(session.console()),
      [&](std::string_view line, std::string_view word) { return completer.complete(line, word); });
  return Shell(session, runner, std::move(settings)).run_interactive(*editor, name);
}

int sql(Session& session, const SqlOptions& options) {
  if (!options.sql.empty() && !options.file.empty()) {
    fail(ErrorKind::kInvalid, "sql: give either a query or -f FILE, not both");
  }
  Service service = session.connect();
  SeededRandom random;
  QueryRunner runner(session, service, random);
  const bool is_binary = options.format == "parquet" || options.format == "arrow";
  SqlOptions shown = options;
  if (is_binary) shown.format.clear();
  ShellSettings settings = settings_of(shown, session.globals().json);
  const bool has_script = !options.sql.empty() || !options.file.empty();
  if (!has_script && session.console().in_is_terminal() && !is_binary) {
    return run_shell(session, runner, service, std::move(settings));
  }
  const std::string script = !options.sql.empty() ? options.sql
                             : options.file == "-" || options.file.empty()
                                 ? read_descriptor(session.console().in_descriptor())
                                 : read_file(options.file);
  if (is_binary) {
    download(runner, options, settings, script);
    return 0;
  }
  Shell shell(session, runner, std::move(settings));
  shell.set_output(options.output);
  shell.run_script(script);
  shell.close_output();
  return 0;
}

}  // namespace

void add_sql(CLI::App& app, Session& session) {
  CLI::App* command =
      add_command(app, "sql", "Ask by SQL: a shell, or one query; with a running server or without",
                  "Work with data");
  auto options = std::make_shared<SqlOptions>();
  command->add_option("QUERY", options->sql,
                      "The query; without one, a shell, or the SQL on standard input");
  command
      ->add_option("-f,--file", options->file, "Run the statements in a file; - for standard input")
      ->option_text("FILE");
  command
      ->add_option("--format", options->format,
                   "table, vertical, csv, json, ndjson; parquet or arrow with -o")
      ->option_text("FORMAT")
      ->check(CLI::IsMember({"table", "vertical", "csv", "json", "ndjson", "parquet", "arrow"}));
  command->add_option("-o,--output", options->output, "Write the result into a file")
      ->option_text("FILE");
  command->add_option("-p,--parameter", options->parameters, "Value for ? or $1; may be repeated")
      ->option_text("VALUE")
      ->expected(1)
      ->take_all();
  command
      ->add_option("--max-rows", options->max_rows,
                   "End after so many rows; 0: all; default: 1000 in tables")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--timeout-ms", options->timeout_ms, "Give up after that time")
      ->option_text("N")
      ->check(CLI::PositiveNumber);
  command->add_flag("--timer", options->timer, "Show how long it took");
  command->callback([&session, options] {
    session.action = [&session, options] { return sql(session, *options); };
  });
  add_examples(*command,
               {{"headrace sql", "a shell: Tab completes, .help helps"},
                {"headrace sql 'SELECT count(*) FROM silver.clicks'", "one query"},
                {"headrace sql 'FROM gold.daily' --format csv -o daily.csv", "into a file"},
                {"headrace sql 'FROM silver.clicks WHERE id = ?' -p 42", "with a parameter"},
                {"headrace sql 'FROM silver.clicks AT (TIMESTAMP => now() - INTERVAL 1 DAY)'",
                 "as it was"}});
}

}  // namespace headrace::cli
