#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/help/completion_script.h"
#include "cli/help/help_formatter.h"
#include "cli/session.h"

namespace headrace::cli {

void add_completion(CLI::App& app, Session& session) {
  CLI::App* command =
      add_command(app, "completion", "Print a completion script for bash, zsh or fish", "More");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required();
  CLI::App* root = &app;
  command->callback([&session, shell, root] {
    session.action = [&session, shell, root] {
      session.console().out(completion_script(*root, *shell));
      return 0;
    };
  });
  add_examples(*command,
               {{"source <(headrace completion bash)", "for this shell"},
                {"headrace completion zsh > \"${fpath[1]}/_headrace\"", "for good, in zsh"},
                {"headrace completion fish | source", "for this shell, in fish"}});
}

}  // namespace headrace::cli
