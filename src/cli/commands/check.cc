#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>

#include "base/format.h"
#include "cli/commands/commands.h"
#include "cli/help/help_formatter.h"
#include "cli/print/units.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

Json json_of(const CheckReport& report, bool is_valid) {
  JsonArray problems;
  for (const Problem& problem : report.problems) {
    JsonObject object{{"severity", problem.is_error ? "error" : "warning"},
                      {"path", problem.path},
                      {"line", problem.line},
                      {"message", problem.message}};
    if (!problem.suggestion.empty()) object["suggestion"] = problem.suggestion;
    problems.push_back(std::move(object));
  }
  JsonObject counts;
  for (const auto& [what, count] : report.counts) counts[what] = count;
  return JsonObject{
      {"valid", is_valid}, {"problems", std::move(problems)}, {"counts", std::move(counts)}};
}

void print(Session& session, const CheckReport& report, int64_t errors) {
  Console& console = session.console();
  for (const Problem& problem : report.problems) {
    std::string place = problem.path;
    if (problem.line > 0) place += format(":{}", problem.line);
    console.out(styled(console, Style::kBold, place) + ": " +
                styled(console, problem.is_error ? Style::kRed : Style::kYellow,
                       problem.is_error ? "error" : "warning") +
                ": " + problem.message + "\n");
    if (!problem.suggestion.empty()) console.out("  " + problem.suggestion + "\n");
  }
  if (errors > 0) {
    console.out(counted(errors, "error") + "\n");
    return;
  }
  std::string found;
  for (const auto& [what, count] : report.counts) {
    std::string noun = what;
    if (count == 1 && noun.ends_with('s')) noun.pop_back();
    found += format("{}{} {}", found.empty() ? ": " : ", ", count, noun);
  }
  console.out(styled(console, Style::kGreen, "valid") + found + "\n");
}

int check(Session& session) {
  const CheckReport report = session.host().check(session.project_dir());
  const auto errors = std::count_if(report.problems.begin(), report.problems.end(),
                                    [](const Problem& problem) { return problem.is_error; });
  session.show(json_of(report, errors == 0), [&] { print(session, report, errors); });
  return errors == 0 ? 0 : 1;
}

}  // namespace

void add_check(CLI::App& app, Session& session) {
  CLI::App* command = add_command(
      app, "check", "Validate the project: every mistake at once, with file, line and suggestion",
      "Make and run a project");
  command->callback([&session] { session.action = [&session] { return check(session); }; });
  add_examples(*command, {{"headrace check", "exit code 1 when there are errors"},
                          {"headrace check -C ../shop", "another project"},
                          {"headrace check --json | jq '.problems[]'", "for an editor or CI"}});
}

}  // namespace headrace::cli
