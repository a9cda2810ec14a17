#include <memory>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/help/help_formatter.h"
#include "cli/help/suggestion.h"
#include "cli/help/topics.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

std::string help_text(const CLI::App& app, const std::vector<std::string>& words) {
  if (words.size() == 1) {
    const std::string topic = help_topic(words.front());
    if (!topic.empty()) return topic;
  }
  const CLI::App* command = &app;
  for (const std::string& word : words) {
    const CLI::App* next = nullptr;
    for (const CLI::App* sub : command->get_subcommands(nullptr)) {
      if (sub->check_name(word)) next = sub;
    }
    if (next == nullptr) {
      std::vector<std::string> names = subcommand_names(*command);
      for (const std::string& name : help_topic_names()) names.push_back(name);
      const std::string near = nearest(word, names);
      fail(ErrorKind::kNotFound, "there is no help on '{}'{}", word,
           near.empty() ? "; see: headrace --help" : "; did you mean: " + near + "?");
    }
    command = next;
  }
  if (command == &app) return "";
  return help_of(*command);
}

}  // namespace

void add_help(CLI::App& app, Session& session) {
  CLI::App* command =
      add_command(app, "help", "Help on a command, or on: exit-codes, environment", "More");
  auto words = std::make_shared<std::vector<std::string>>();
  command->add_option("TOPIC", *words, "A command, or exit-codes, or environment");
  CLI::App* root = &app;
  command->callback([&session, words, root] {
    session.action = [&session, words, root] {
      std::string text = help_text(*root, *words);
      if (text.empty())
        text = root->get_formatter()->make_help(root, root->get_name(), CLI::AppFormatMode::Normal);
      session.console().out(text);
      return 0;
    };
  });
  add_examples(*command, {{"headrace help sql", "what headrace sql can do"},
                          {"headrace help topics create", "a command of a command"},
                          {"headrace help exit-codes", "what the exit codes mean"}});
}

}  // namespace headrace::cli
