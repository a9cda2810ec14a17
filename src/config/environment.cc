#include "config/environment.h"

#include <cstdlib>

namespace headrace::config {

namespace {

bool is_name(std::string_view text) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  if (text.empty()) return false;
  const bool begins_with_digit = text[0] >= '0' && text[0] <= '9';
  return !begins_with_digit && text.find_first_not_of(kLetters) == std::string_view::npos;
}

// Replaces what stands between ${ and }.
void append_variable(std::string_view inside, const Environment& environment, Interpolated& out) {
  const size_t separator = inside.find(":-");
  const std::string name(inside.substr(0, separator));
  if (!is_name(name)) {
    out.malformed.push_back("${" + std::string(inside) + "}");
    return;
  }
  const auto value = environment(name);
  const bool has_default = separator != std::string_view::npos;
  if (value && !(has_default && value->empty())) {
    out.text += *value;
  } else if (has_default) {
    out.text += inside.substr(separator + 2);
  } else {
    out.unset.push_back(name);
  }
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

Environment no_environment() {
  return [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
}

Interpolated interpolate(std::string_view text, const Environment& environment) {
  Interpolated out;
  while (true) {
    const size_t start = text.find("${");
    if (start == std::string_view::npos) break;
    if (start > 0 && text[start - 1] == '$') {
      out.text += text.substr(0, start - 1);
      out.text += "${";
      text.remove_prefix(start + 2);
      continue;
    }
    out.text += text.substr(0, start);
    text.remove_prefix(start + 2);
    const size_t end = text.find('}');
    if (end == std::string_view::npos) {
      out.malformed.push_back("${" + std::string(text));
      return out;
    }
    append_variable(text.substr(0, end), environment, out);
    text.remove_prefix(end + 1);
  }
  out.text += text;
  return out;
}

}  // namespace headrace::config
