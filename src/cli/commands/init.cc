#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/help/help_formatter.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

int init(Session& session, const InitOptions& options) {
  const std::vector<std::string> files = session.host().init(options);
  JsonArray paths;
  for (const std::string& file : files) paths.emplace_back(file);
  session.show(JsonObject{{"directory", options.directory}, {"files", paths}}, [&] {
    Console& console = session.console();
    for (const std::string& file : files) {
      console.out(styled(console, Style::kGreen, "  + ") +
                  (std::filesystem::path(options.directory) / file).lexically_normal().string() +
                  "\n");
    }
    if (session.globals().quiet) return;
    console.out("\nNext:\n");
    if (options.directory != ".") console.out("  cd " + options.directory + "\n");
    console.out("  headrace check    # is all well?\n  headrace serve    # run it\n");
  });
  return 0;
}

}  // namespace

void add_init(CLI::App& app, Session& session) {
  CLI::App* command =
      add_command(app, "init", "Make a project: a folder of commented YAML to start from",
                  "Make and run a project");
  auto options = std::make_shared<InitOptions>();
  options->directory = ".";
  command->add_option("DIRECTORY", options->directory, "Where; default: here");
  command->add_option("--name", options->name, "Name of the project; default: of the folder")
      ->option_text("NAME");
  command->callback([&session, options] {
    session.action = [&session, options] { return init(session, *options); };
  });
  add_examples(*command, {{"headrace init shop", "a new folder shop/"},
                          {"headrace init --name shop .", "in the folder you are in"}});
}

}  // namespace headrace::cli
