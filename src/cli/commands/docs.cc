#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/help/help_formatter.h"
#include "cli/help/reference_page.h"
#include "cli/print/units.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

struct DocsOptions {
  std::string directory = "docs/reference";
  bool check = false;
};

std::string read_if_there(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::error_code failure;
  std::filesystem::create_directories(path.parent_path(), failure);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) fail(ErrorKind::kUnavailable, "writing {}: is the folder writable?", path.string());
}

int docs(Session& session, const CLI::App& root, const DocsOptions& options) {
  auto pages = session.host().reference_pages();
  pages.emplace_back("command-line.md", command_reference_page(root));
  JsonArray changed;
  for (const auto& [name, text] : pages) {
    const std::filesystem::path path = std::filesystem::path(options.directory) / name;
    if (read_if_there(path) == text) continue;
    changed.emplace_back(path.string());
    if (!options.check) write(path, text);
  }
  session.show(JsonObject{{"pages", pages.size()}, {"changed", changed}}, [&] {
    for (const Json& path : changed) {
      session.console().out(format(
          "{} {}\n", options.check ? "stale:" : "written:", std::string_view(path.as_string())));
    }
    if (changed.empty()) {
      session.console().out(
          format("{} up to date\n", counted(static_cast<int64_t>(pages.size()), "page")));
    }
  });
  return options.check && !changed.empty() ? 1 : 0;
}

}  // namespace

void add_docs(CLI::App& app, Session& session) {
  CLI::App* command =
      add_command(app, "docs", "Write the reference pages and JSON Schemas", "More");
  auto options = std::make_shared<DocsOptions>();
  command->add_option("DIRECTORY", options->directory, "Where; default: docs/reference");
  command->add_flag("--check", options->check, "Write nothing; exit code 1 when a page is stale");
  const CLI::App* root = &app;
  command->callback([&session, options, root] {
    session.action = [&session, options, root] { return docs(session, *root, *options); };
  });
  add_examples(*command,
               {{"headrace docs", "write docs/reference"}, {"headrace docs --check", "for CI"}});
}

}  // namespace headrace::cli
