#include <chrono>
#include <memory>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/commands/listings.h"
#include "cli/help/help_formatter.h"
#include "cli/interrupt.h"
#include "cli/print/units.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

struct StatusOptions {
  bool watch = false;
  double interval_s = 2;
};

void print_head(Session& session, const Service& service, const Json& status) {
  Console& console = session.console();
  const std::string name = string_member_or(status, "name", "headrace");
  std::string line = styled(console, Style::kBold, name);
  if (service.is_running()) {
    line += "  " + styled(console, Style::kGreen, "running") + "  " + service.address();
    const int64_t uptime_s = integer_member_or(status, "uptime_s", 0);
    line += "  up " + duration_text(static_cast<double>(uptime_s) * 1000);
  } else {
    line += "  " + styled(console, Style::kYellow, "not running") + "  state in " +
            service.address() + "; start with: headrace serve";
  }
  line += "  version " + string_member_or(status, "version", session.host().version());
  console.out(line + "\n");
}

void print_problems(Session& session, const Json& status) {
  Console& console = session.console();
  const JsonArray problems = items_of(status, "problems");
  if (problems.empty()) return;
  console.out("\n" + styled(console, Style::kRed, "problems") + "\n");
  for (const Json& problem : problems) {
    const std::string text = problem.is_string()
                                 ? std::string(problem.get_string())
                                 : string_member_or(problem, "message", to_text(problem));
    console.out("  ! " + text + "\n");
  }
}

void print_status(Session& session, const Service& service, const Json& status) {
  print_head(session, service, status);
  print_section(session, "topics", items_of(status, "topics"), topic_columns(), "none");
  const JsonArray sources = items_of(status, "sources");
  if (!sources.empty()) print_section(session, "sources", sources, source_columns(), "");
  print_section(session, "jobs", items_of(status, "jobs"), job_columns(), "none");
  print_section(session, "tables", items_of(status, "tables"), table_columns(), "none");
  const int64_t dead = integer_member_or(status, "dead_letters", 0);
  session.console().out(
      dead == 0 ? "\nno dead letters\n"
                : format("\n{}; see: headrace deadletters list\n", counted(dead, "dead letter")));
  print_problems(session, status);
}

int show_status(Session& session, const StatusOptions& options) {
  Service service = session.connect();
  if (!options.watch) {
    const Json status = service.get("/v1/status");
    session.show(status, [&] { print_status(session, service, status); });
    return 0;
  }
  Interrupt interrupt;
  SystemClock clock;
  const auto pause = std::chrono::microseconds(static_cast<int64_t>(options.interval_s * 1e6));
  do {
    const Json status = service.get("/v1/status");
    if (session.globals().json) {
      session.console().out(to_text(status) + "\n");
    } else {
      if (session.console().out_is_terminal()) session.console().out("\033[H\033[2J");
      print_status(session, service, status);
    }
    session.console().flush();
  } while (clock.sleep_for(pause, interrupt.token()));
  return 0;
}

}  // namespace

void add_status(CLI::App& app, Session& session) {
  CLI::App* command = add_command(
      app, "status", "One screen: server, topics, jobs, tables, dead letters", "Look and mend");
  auto options = std::make_shared<StatusOptions>();
  command->add_flag("-w,--watch", options->watch, "Show it again and again, until Ctrl-C");
  command->add_option("--interval", options->interval_s, "Seconds between two looks; default: 2")
      ->option_text("SECONDS")
      ->check(CLI::Range(0.1, 3600.0));
  command->callback([&session, options] {
    session.action = [&session, options] { return show_status(session, *options); };
  });
  add_examples(*command, {{"headrace status", "how things stand"},
                          {"headrace status --watch", "and how they move"},
                          {"headrace status --json | jq .jobs", "for a program"}});
}

}  // namespace headrace::cli
