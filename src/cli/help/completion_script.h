#pragma once

// Completion scripts for bash, zsh and fish, made from the commands and options there are.

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace headrace::cli {

// Throws Error invalid for another shell.
std::string completion_script(const CLI::App& app, std::string_view shell);

}  // namespace headrace::cli
