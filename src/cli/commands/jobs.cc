#include <memory>

#include <CLI/CLI.hpp>

#include "base/format.h"
#include "cli/commands/commands.h"
#include "cli/commands/listings.h"
#include "cli/help/help_formatter.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

int list_jobs(Session& session) {
  Service service = session.connect();
  const Json answer = service.get("/v1/jobs");
  session.show(answer, [&] {
    print_section(session, "", items_of(answer, "jobs"), job_columns(),
                  "no jobs yet; write one in jobs/*.yaml");
  });
  return 0;
}

int show_job(Session& session, const std::string& name) {
  Service service = session.connect();
  const Json answer = service.get("/v1/jobs/" + encoded(name));
  session.show(answer, [&] { print_object(session, answer); });
  return 0;
}

int switch_job(Session& session, const std::string& name, const std::string& action) {
  Service service = session.connect();
  service.require_running(format("asking job {} to {}", name, action));
  const Json answer = service.post("/v1/jobs/" + encoded(name) + "/" + action, JsonObject{});
  session.show(answer, [&] {
    session.console().out(format("job {} {}d\n", name, action));  // paused, resumed
  });
  return 0;
}

}  // namespace

void add_jobs(CLI::App& app, Session& session) {
  CLI::App* jobs = add_command(app, "jobs", "List, show, pause and resume jobs", "Look and mend");
  jobs->require_subcommand(0, 1);
  auto name = std::make_shared<std::string>();
  const auto list = [&session] { session.action = [&session] { return list_jobs(session); }; };
  jobs->preparse_callback([list](size_t) { list(); });
  CLI::App* list_command = add_command(*jobs, "list", "All jobs with state, records and lag");
  list_command->callback(list);
  CLI::App* show = add_command(*jobs, "show", "One job: nodes, positions, last error");
  show->add_option("JOB", *name, "The job's name")->required();
  show->callback(
      [&session, name] { session.action = [&session, name] { return show_job(session, *name); }; });
  for (const char* action : {"pause", "resume"}) {
    const bool pauses = std::string_view(action) == "pause";
    CLI::App* command =
        add_command(*jobs, action,
                    pauses ? "Stop a job after the batch in hand; it keeps its place"
                           : "Let a paused or failed job go on");
    command->add_option("JOB", *name, "The job's name")->required();
    command->callback([&session, name, action] {
      session.action = [&session, name, action] { return switch_job(session, *name, action); };
    });
    add_examples(*command, {{pauses ? "headrace jobs pause clean" : "headrace jobs resume clean",
                             pauses ? "records wait in their topic" : "from where it stood"}});
  }
  add_examples(*list_command, {{"headrace jobs list", "for people"},
                               {"headrace jobs list --json | jq '.jobs[].state'", "the states"}});
  add_examples(*show, {{"headrace jobs show clean", "its nodes and where it stands"},
                       {"headrace jobs show clean --json | jq -r .last_error", "a part of it"}});
  add_examples(*jobs, {{"headrace jobs", "all of them"},
                       {"headrace jobs show clean", "one, with its nodes"},
                       {"headrace jobs pause clean", "stop it for a while"}});
}

}  // namespace headrace::cli
