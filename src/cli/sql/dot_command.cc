#include "cli/sql/dot_command.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "cli/help/suggestion.h"

namespace headrace::cli {
namespace {

struct Description {
  std::string_view name;
  std::string_view argument;
  std::string_view text;
};
constexpr auto kCommands = std::to_array<Description>({
    {".help", "", "this list"},
    {".tables", "[PATTERN]", "tables there are"},
    {".schema", "TABLE", "columns of a table and their types"},
    {".mode", "table|vertical|csv|json|ndjson", "how results are printed"},
    {".timer", "on|off", "show how long a query took"},
    {".rows", "N", "rows shown of a result in table mode; 0: all"},
    {".output", "[FILE]", "write results into a file; without one, here again"},
    {".read", "FILE", "run the statements in a file"},
    {".quit", "", "leave (also Ctrl-D)"},
});

std::string_view without_semicolon(std::string_view line) {
  while (line.ends_with(';')) line = trimmed(line.substr(0, line.size() - 1));
  return line;
}

}  // namespace

std::vector<std::string> dot_command_names() {
  std::vector<std::string> names;
  for (const Description& command : kCommands) names.emplace_back(command.name);
  return names;
}

std::string dot_command_help() {
  std::string text;
  for (const Description& command : kCommands) {
    text += format("{:8} {:31} {}\n", command.name, command.argument, command.text);
  }
  return text +
         "A statement ends with a semicolon and may take several lines. Ctrl-C drops the\n"
         "line or cancels the query, Tab completes, the arrow keys go through the history.\n";
}

DotCommand parse_dot_command(std::string_view line) {
  line = without_semicolon(trimmed(line));
  const size_t blank = std::min(line.find_first_of(" \t"), line.size());
  const std::string typed(line.substr(0, blank));
  std::vector<std::string> fitting;
  for (const std::string& name : dot_command_names()) {
    if (name == typed) fitting = {name};
    if (name == typed) break;
    if (typed.size() > 1 && name.starts_with(typed)) fitting.push_back(name);
  }
  if (typed == ".exit" || typed == ".q") fitting = {".quit"};
  if (fitting.size() > 1) {
    fail(ErrorKind::kInvalid, "{} may be {}: type more of it", typed, join(fitting, " or "));
  }
  if (fitting.empty()) {
    const std::string near = nearest(typed, dot_command_names());
    fail(ErrorKind::kInvalid, "there is no command {}; {}", typed,
         near.empty() ? ".help lists them" : "did you mean " + near + "?");
  }
  return {fitting.front(), std::string(trimmed(line.substr(blank)))};
}

}  // namespace headrace::cli
