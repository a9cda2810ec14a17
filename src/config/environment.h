#pragma once

// Variables in settings: "${NAME}" is replaced by an environment variable, "${NAME:-otherwise}" by
// it or, when it is unset or empty, by what follows; "$${" is written for a literal "${".

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::config {

// Gives a variable's value. Injected, so that a test has an environment of its own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// The variables of this process.
Environment process_environment();
Environment no_environment();

struct Interpolated {
  std::string text;
  std::vector<std::string> unset;      // variables without a value
  std::vector<std::string> malformed;  // pieces that begin like a variable and are none
};

Interpolated interpolate(std::string_view text, const Environment& environment);

}  // namespace headrace::config
