#pragma once

// What a command prints, without the end of the line; empty when it fails. For the scripts that
// start servers of tests.

#include <array>
#include <cstdio>
#include <string>

namespace headrace {

inline std::string output_of(const std::string& command) {
  std::FILE* pipe =
      ::popen(command.c_str(), "r");  // NOLINT(bugprone-command-processor): our script
  if (pipe == nullptr) return "";
  std::string text;
  std::array<char, 256> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) text += buffer.data();
  if (::pclose(pipe) != 0) return "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace headrace
