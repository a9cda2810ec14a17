#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/help/help_formatter.h"
#include "cli/session.h"

namespace headrace::cli {

void add_serve(CLI::App& app, Session& session) {
  CLI::App* command = add_command(
      app, "serve", "Run the project: topics, sources, jobs, tables and the HTTP server",
      "Make and run a project");
  auto options = std::make_shared<ServeOptions>();
  command->add_option("--listen", options->listen, "Address and port; default: as in headrace.yaml")
      ->option_text("ADDRESS:PORT");
  command->add_option("--log-level", options->log_level, "debug, info, warning or error")
      ->option_text("LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  command->add_flag("--json-logs", options->json_logs, "Logs as JSON, one object a line");
  command->callback([&session, options] {
    session.action = [&session, options] {
      options->project_dir = session.project_dir();
      options->json_logs = options->json_logs || session.globals().json;
      session.console().flush();
      return session.host().serve(*options);
    };
  });
  add_examples(*command,
               {{"headrace serve", "until Ctrl-C; changed YAML is taken up while it runs"},
                {"headrace serve --listen 127.0.0.1:9000", "another port"},
                {"headrace serve --json-logs 2>headrace.log", "logs for a machine"}});
}

}  // namespace headrace::cli
