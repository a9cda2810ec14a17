#include "cli/commands/commands.h"

#include <CLI/CLI.hpp>

#include "cli/help/help_formatter.h"

namespace headrace::cli {

CLI::App* add_command(CLI::App& app, const char* name, const char* description, const char* group) {
  CLI::App* command = app.add_subcommand(name, description);
  command->group(group);
  command->fallthrough();
  return command;
}

void add_commands(CLI::App& app, Session& session) {
  add_init(app, session);
  add_check(app, session);
  add_serve(app, session);
  add_run(app, session);
  add_send(app, session);
  add_tail(app, session);
  add_sql(app, session);
  add_status(app, session);
  add_topics(app, session);
  add_tables(app, session);
  add_jobs(app, session);
  add_dead_letters(app, session);
  add_docs(app, session);
  add_completion(app, session);
  add_version(app, session);
  add_help(app, session);
  add_examples(app, {{"headrace init shop && cd shop", "make a project to start from"},
                     {"headrace serve", "run it"},
                     {"headrace send clicks clicks.ndjson", "put records into a topic"},
                     {"headrace sql", "ask, with completion by Tab"}});
}

}  // namespace headrace::cli
