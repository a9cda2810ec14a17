#include <memory>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/help/help_formatter.h"
#include "cli/interrupt.h"
#include "cli/print/units.h"
#include "cli/progress.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

std::string progress_text(const RunProgress& now, double seconds) {
  std::string text = grouped(now.records);
  if (now.total_records > 0) {
    text +=
        format(" of {} ({}%)", grouped(now.total_records), 100 * now.records / now.total_records);
  }
  text += " records";
  if (seconds > 0) text += format("  {}/s", rate_text(static_cast<double>(now.records) / seconds));
  if (now.dead_letters > 0) text += format("  {}", counted(now.dead_letters, "dead letter"));
  return text;
}

void print(Console& console, const Json& summary) {
  console.out(
      format("{}: {} in {}", string_member_or(summary, "job", "job"),
             counted(integer_member_or(summary, "records", 0), "record"),
             duration_text(static_cast<double>(integer_member_or(summary, "elapsed_ms", 0)))));
  const int64_t dead = integer_member_or(summary, "dead_letters", 0);
  if (dead > 0)
    console.out(format(", {} (see: headrace deadletters list)", counted(dead, "dead letter")));
  console.out("\n");
  for (const Json& table : items_of(summary, "tables")) {
    console.out(format("  {}: {}\n", string_member_or(table, "name", "?"),
                       counted(integer_member_or(table, "rows", 0), "row")));
  }
}

int run(Session& session, RunOptions options) {
  options.server_url = session.globals().server;
  options.token = session.globals().token;
  options.project_dir = options.server_url.empty() ? session.project_dir() : "";
  Interrupt interrupt;
  const SystemClock clock;
  Json summary;
  {
    Progress progress(session, clock);
    options.stop = interrupt.token();
    options.progress = [&](const RunProgress& now) {
      progress.update(progress_text(now, progress.elapsed_seconds()));
    };
    summary = session.host().run_job(options);
  }
  session.show(summary, [&] { print(session.console(), summary); });
  return interrupt.is_requested() ? codes_of(ErrorKind::kCancelled).exit_code : 0;
}

}  // namespace

void add_run(CLI::App& app, Session& session) {
  CLI::App* command =
      add_command(app, "run", "Run a job once over what is new, and end", "Make and run a project");
  auto options = std::make_shared<RunOptions>();
  command->add_option("JOB", options->job, "The job's name")->required();
  command->callback([&session, options] {
    session.action = [&session, options] { return run(session, *options); };
  });
  add_examples(*command, {{"headrace run clean_orders", "what came since the last run, then end"},
                          {"headrace run clean_orders --json", "the summary for a program"}});
}

}  // namespace headrace::cli
