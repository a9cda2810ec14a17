#pragma once

// What a mistyped command or option was likely meant to be.

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace headrace::cli {

// Edits (insert, delete, replace, swap of neighbours) that make one text the other.
int edit_distance(std::string_view a, std::string_view b);
// The candidate nearest to `word`, empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

struct UsageMistake {
  std::string message;
  std::string suggestion;  // empty: none
  std::string command;     // whose help tells more: "headrace topics"
};
// Finds the first word of the line that the app does not know; else keeps the parser's message.
UsageMistake explain_usage_mistake(const CLI::App& app, const std::vector<std::string>& arguments,
                                   const std::string& parser_message);

// The option names of a command and those it takes from above: --json, -q …
std::vector<std::string> option_names(const CLI::App& command);
std::vector<std::string> subcommand_names(const CLI::App& command);

}  // namespace headrace::cli
