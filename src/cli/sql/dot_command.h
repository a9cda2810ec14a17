#pragma once

// Commands of the SQL shell that begin with a dot.

#include <string>
#include <string_view>
#include <vector>

namespace headrace::cli {

struct DotCommand {
  std::string name;  // with its dot; the whole name when a short form was typed
  std::string argument;
};

// Throws Error invalid for an unknown name (with a suggestion) or an ambiguous short form.
DotCommand parse_dot_command(std::string_view line);
std::vector<std::string> dot_command_names();
std::string dot_command_help();

}  // namespace headrace::cli
