#include "cli/help/help_formatter.h"

#include <algorithm>

#include "base/format.h"

namespace headrace::cli {

HelpFormatter::HelpFormatter() {
  label("OPTIONS", "options");
  label("SUBCOMMAND", "command");
  label("SUBCOMMANDS", "commands");
  label("Positionals", "Arguments");
  label("REQUIRED", "(required)");
  label("Env", "environment");
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  return "\n" + CLI::Formatter::make_usage(app, std::move(name));
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_positional()) return "";
  std::string text;
  if (!option->get_option_text().empty()) {
    text = " " + option->get_option_text();
  } else if (option->get_items_expected_max() != 0) {  // none: a flag
    text = " VALUE";
  }
  return text;
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
  std::string text;
  if (app->get_parent() != nullptr) {
    text =
        "Also: -C/--project DIR, --server URL, --token TOKEN, --json, -q/--quiet, --no-color "
        "(headrace --help)\n\n";
  }
  return text + CLI::Formatter::make_footer(app);
}

void add_examples(CLI::App& command, std::initializer_list<Example> examples) {
  size_t width = 0;
  for (const Example& example : examples) width = std::max(width, example.command.size());
  std::string text = "Examples:\n";
  for (const Example& example : examples) {
    text += format("  {:{}}  # {}\n", example.command, width, example.effect);
  }
  text.pop_back();
  command.footer(text);
}

std::string full_name(const CLI::App& command) {
  std::string name = command.get_name();
  for (const CLI::App* above = command.get_parent(); above != nullptr;
       above = above->get_parent()) {
    name.insert(0, above->get_name() + " ");
  }
  return name;
}

std::string help_of(const CLI::App& command) {
  const CLI::App* above = command.get_parent();
  return command.help(above == nullptr ? "" : full_name(*above));
}

}  // namespace headrace::cli
