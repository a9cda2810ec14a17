#pragma once

// Help that teaches by example: what the command does, how it is called, its options, examples.

#include <initializer_list>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace headrace::cli {

class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_footer(const CLI::App* app) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
};

struct Example {
  std::string_view command;
  std::string_view effect;
};
// Puts the examples at the end of the command's help.
void add_examples(CLI::App& command, std::initializer_list<Example> examples);

// The help of a command, its full name in the usage line.
std::string help_of(const CLI::App& command);
// "headrace topics create"
std::string full_name(const CLI::App& command);

}  // namespace headrace::cli
