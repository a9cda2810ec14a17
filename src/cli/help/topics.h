#pragma once

// Help that belongs to no single command.

#include <string>
#include <string_view>
#include <vector>

namespace headrace::cli {

// The text of a topic, empty when there is none of that name.
std::string help_topic(std::string_view name);
std::vector<std::string> help_topic_names();
// Exit codes as the table in base/error.h has them, one line each.
std::string exit_codes_text();

}  // namespace headrace::cli
