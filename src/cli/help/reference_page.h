#pragma once

// The reference page of the command line, from the same declarations as the help.

#include <string>

namespace CLI {
class App;
}

namespace headrace::cli {

// Markdown: every command with its help, the exit codes, the environment.
std::string command_reference_page(const CLI::App& app);

}  // namespace headrace::cli
