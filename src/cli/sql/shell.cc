#include "cli/sql/shell.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>

#include "base/error.h"
#include "cli/interrupt.h"
#include "cli/print/units.h"
#include "cli/sql/dot_command.h"
#include "cli/sql/statement_splitter.h"

namespace headrace::cli {
namespace {

std::string sql_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

int64_t number_of(std::string_view text, std::string_view command) {
  int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size() || number < 0) {
    fail(ErrorKind::kInvalid, "{} takes a number, not '{}'", command, text);
  }
  return number;
}

std::string read_script(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(ErrorKind::kNotFound, "reading {}: it cannot be opened", path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

Shell::Shell(Session& session, QueryRunner& runner, ShellSettings settings)
    : session_(session), runner_(runner), settings_(std::move(settings)) {}

int Shell::run_interactive(LineEditor& editor, const std::string& name) {
  Console& console = session_.console();
  session_.note(format("headrace {}; .help for help, Ctrl-D to leave", session_.host().version()));
  const std::string more(name.size() > 2 ? name.size() - 2 : 0, ' ');
  for (;;) {
    const LineInput input = editor.read_line(pending_.empty() ? name + "> " : more + "...> ");
    if (input.kind == LineInput::Kind::kInterrupted) {
      pending_.clear();
      continue;
    }
    if (input.kind == LineInput::Kind::kEnd) {
      if (console.out_is_terminal()) console.out("\n");
      break;
    }
    try {
      if (!take_line(editor, input.text)) break;
    } catch (const Error& error) {
      print_error(error);
    }
    console.flush();
  }
  close_output();
  return 0;
}

bool Shell::take_line(LineEditor& editor, const std::string& line) {
  const size_t first = line.find_first_not_of(" \t");
  if (pending_.empty() && first == std::string::npos) return true;
  if (pending_.empty() && line[first] == '.') {
    editor.remember(line);
    return run_dot_command(line);
  }
  pending_ += (pending_.empty() ? "" : "\n") + line;
  const Split split = split_statements(pending_);
  if (split.rest_is_blank && !split.rest_is_open) {
    std::string entry = pending_;
    std::replace(entry.begin(), entry.end(), '\n', ' ');
    // A line comment would swallow what follows it on the one line of the history.
    if (pending_.find("--") == std::string::npos) editor.remember(entry);
    pending_.clear();
  } else {
    pending_ = split.rest;
  }
  try {
    for (const std::string& statement : split.statements) run_statement(statement);
  } catch (const Error&) {
    pending_.clear();
    throw;
  }
  return true;
}

void Shell::run_script(std::string_view script) {
  const Split split = split_statements(script);
  if (split.rest_is_open) {
    fail(ErrorKind::kInvalid,
         "the SQL ends inside a quoted text or a comment; close it before the end");
  }
  for (const std::string& statement : split.statements) run_statement(statement);
  if (!split.rest_is_blank) run_statement(split.rest);
  if (split.statements.empty() && split.rest_is_blank) {
    fail(ErrorKind::kInvalid, "there is no SQL to run");
  }
}

void Shell::run_statement(const std::string& sql) {
  Query query{sql, settings_.parameters, settings_.max_rows, settings_.timeout_ms};
  const bool is_table =
      settings_.mode == OutputMode::kTable || settings_.mode == OutputMode::kVertical;
  if (is_table && settings_.table_rows > 0 && query.max_rows == 0) {
    query.max_rows = settings_.table_rows;
  }
  Layout layout = session_.layout();
  layout.shows_elapsed = settings_.shows_elapsed;
  layout.shows_row_count = !session_.globals().quiet;
  if (file_.is_open()) layout.width = 0;
  if (file_.is_open()) layout.has_color = false;
  const auto printer =
      make_result_printer(settings_.mode, layout, [this](std::string_view text) { write(text); });
  const Interrupt interrupt;
  const ResultEnd end = runner_.run(query, *printer, interrupt.token());
  // A program must not take the part for the whole; who named a limit knows.
  if (end.truncated && !is_table && query.max_rows != end.row_count) {
    fail(ErrorKind::kInvalid,
         "the result was cut after {}, as many as the server allows: raise query_max_rows in "
         "headrace.yaml, or say with --max-rows how many are enough",
         counted(end.row_count, "row"));
  }
}

bool Shell::run_dot_command(std::string_view line) {
  const DotCommand command = parse_dot_command(line);
  Console& console = session_.console();
  if (command.name == ".quit") return false;
  if (command.name == ".help") {
    console.out(dot_command_help());
  } else if (command.name == ".tables") {
    print_tables(command.argument);
  } else if (command.name == ".schema") {
    print_schema(command.argument);
  } else if (command.name == ".mode") {
    if (command.argument.empty()) {
      console.out(format("{}\n", name_of(settings_.mode)));
    } else {
      settings_.mode = output_mode_of(command.argument);
    }
  } else if (command.name == ".timer") {
    if (command.argument != "on" && command.argument != "off") {
      fail(ErrorKind::kInvalid, ".timer takes on or off");
    }
    settings_.shows_elapsed = command.argument == "on";
  } else if (command.name == ".rows") {
    settings_.table_rows = number_of(command.argument, ".rows");
  } else if (command.name == ".output") {
    close_output();
    set_output(command.argument);
  } else if (command.name == ".read") {
    run_script(read_script(command.argument));
  }
  return true;
}

void Shell::print_tables(const std::string& pattern) {
  // What hot rows and static inputs are kept in is nobody's business.
  std::string sql =
      "SELECT database, \"table\" FROM ("
      "SELECT table_schema AS database, table_name AS \"table\" FROM information_schema.tables "
      "WHERE table_schema NOT IN ('hot', 'static') "
      "UNION ALL SELECT 'system', name FROM system.system_tables)";
  if (!pattern.empty()) {
    sql += " WHERE database || '.' || \"table\" ILIKE " + sql_text("%" + pattern + "%");
  }
  run_statement(sql + " ORDER BY database = 'system', 1, 2");
}

void Shell::print_schema(const std::string& table) {
  if (table.empty())
    fail(ErrorKind::kInvalid, ".schema takes a table, as in .schema silver.orders");
  run_statement("DESCRIBE " + table);
}

void Shell::print_error(const Error& error) {
  Console& console = session_.console();
  console.err(styled(console, Style::kRed, format("{}: ", codes_of(error.kind()).name)) +
              error.message() + "\n");
}

void Shell::set_output(const std::string& path) {
  file_path_ = path;
  if (path.empty()) return;
  file_.open(path, std::ios::binary | std::ios::trunc);
  if (!file_) fail_errno(errno, "writing", path);
}

void Shell::close_output() {
  if (!file_.is_open()) return;
  file_.close();
  if (!file_) fail(ErrorKind::kUnavailable, "writing {}: not all of it was written", file_path_);
}

void Shell::write(std::string_view text) {
  if (!file_.is_open()) {
    session_.console().out(text);
    return;
  }
  file_.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file_) fail(ErrorKind::kUnavailable, "writing {}: is the disk full?", file_path_);
}

std::string history_path(const Console& console) {
  const std::string state = console.environment("XDG_STATE_HOME");
  if (!state.empty()) return state + "/headrace/history";
  const std::string home = console.environment("HOME");
  return home.empty() ? "" : home + "/.local/state/headrace/history";
}

}  // namespace headrace::cli
