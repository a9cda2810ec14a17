#include "cli/help/suggestion.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "base/format.h"
#include "cli/help/help_formatter.h"

namespace headrace::cli {

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<int>> cost(a.size() + 1, std::vector<int>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = static_cast<int>(i + j);
        continue;
      }
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                             cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  int best_distance = std::max(1, static_cast<int>(word.size()) / 3) + 1;
  for (const std::string& candidate : candidates) {
    const bool is_start = word.size() >= 3 && candidate.starts_with(word);
    const int distance = is_start ? 1 : edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<std::string> subcommand_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* app : command.get_subcommands(nullptr)) names.push_back(app->get_name());
  return names;
}

namespace {

const CLI::Option* find_option(const CLI::App& command, const std::string& name) {
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      if (option->nonpositional() && option->check_name(name)) return option;
    }
  }
  return nullptr;
}

const CLI::App* find_subcommand(const CLI::App& command, const std::string& name) {
  for (const CLI::App* app : command.get_subcommands(nullptr)) {
    if (app->check_name(name)) return app;
  }
  return nullptr;
}

bool takes_value(const CLI::Option& option) { return option.get_type_size() > 0; }

// "ArgumentMismatch: …" and the like lose what is meant for programmers.
std::string readable(const std::string& parser_message, const CLI::App& command) {
  if (parser_message.find("subcommand") != std::string::npos) {
    return format("{} needs a command: {}", full_name(command),
                  join(subcommand_names(command), ", "));
  }
  return parser_message;
}

}  // namespace

UsageMistake explain_usage_mistake(const CLI::App& app, const std::vector<std::string>& arguments,
                                   const std::string& parser_message) {
  const CLI::App* command = &app;
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string& word = arguments[i];
    if (word.size() > 1 && word.front() == '-') {
      const std::string name = word.substr(0, word.find('='));
      const bool is_short = word[1] != '-';
      const CLI::Option* option = find_option(*command, is_short ? word.substr(0, 2) : name);
      if (option == nullptr) {
        return {format("{} has no option {}", full_name(*command), name),
                nearest(name, option_names(*command)), full_name(*command)};
      }
      const bool has_value = is_short ? word.size() > 2 : name.size() != word.size();
      if (takes_value(*option) && !has_value) ++i;
    } else if (!command->get_subcommands(nullptr).empty()) {
      const CLI::App* next = find_subcommand(*command, word);
      if (next == nullptr) {
        return {format("{} has no command '{}'", full_name(*command), word),
                nearest(word, subcommand_names(*command)), full_name(*command)};
      }
      command = next;
    }
  }
  return {readable(parser_message, *command), "", full_name(*command)};
}

}  // namespace headrace::cli
