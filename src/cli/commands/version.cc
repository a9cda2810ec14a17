#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/help/help_formatter.h"
#include "cli/session.h"

namespace headrace::cli {

void add_version(CLI::App& app, Session& session) {
  CLI::App* command = add_command(app, "version", "Print the version", "More");
  command->callback([&session] {
    session.action = [&session] {
      const std::string version = session.host().version();
      session.show(JsonObject{{"version", version}},
                   [&] { session.console().out("headrace " + version + "\n"); });
      return 0;
    };
  });
  add_examples(*command, {{"headrace version", "for people"},
                          {"headrace version --json", R"({"version":"0.1.0"})"}});
}

}  // namespace headrace::cli
