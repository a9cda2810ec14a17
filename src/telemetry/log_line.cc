#include "telemetry/log_line.h"

#include <cstdint>

namespace headrace::telemetry {
namespace {

// Length of the well-formed UTF-8 sequence that `text` begins with; 0 when it is none.
// Table 3-7 of the Unicode standard.
size_t utf8_sequence_length(std::string_view text) {
  const auto at = [&](size_t index) {
    return index < text.size() ? static_cast<uint8_t>(text[index]) : uint8_t{0};
  };
  const auto continues = [&](size_t index) { return (at(index) & 0xC0) == 0x80; };
  const uint8_t lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool shortest = lead != 0xE0 || at(1) >= 0xA0;
    const bool no_surrogate = lead != 0xED || at(1) < 0xA0;
    return shortest && no_surrogate && continues(1) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool shortest = lead != 0xF0 || at(1) >= 0x90;
    const bool in_range = lead != 0xF4 || at(1) < 0x90;
    return shortest && in_range && continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const size_t length = utf8_sequence_length(text);
    const char first = text.front();
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (first == '"' || first == '\\') {
      out += '\\';
      out += first;
    } else if (first == '\n') {
      out += "\\n";
    } else if (static_cast<uint8_t>(first) < 0x20 || first == 0x7F) {
      out += format("\\u{:04x}", static_cast<unsigned>(first));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    if (static_cast<uint8_t>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F)
      return true;
  }
  return false;
}

}  // namespace

std::string text_log_line(std::string_view component, std::string_view message,
                          std::initializer_list<LogField> fields) {
  std::string line;
  line += component;
  line += ": ";
  append_escaped(line, message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    if (needs_quotes(field.value)) {
      append_quoted(line, field.value);
    } else {
      line += field.value;
    }
  }
  return line;
}

std::string json_log_line(std::string_view component, std::string_view message,
                          std::initializer_list<LogField> fields) {
  std::string line = "\"component\":";
  append_quoted(line, component);
  line += ",\"message\":";
  append_quoted(line, message);
  for (const LogField& field : fields) {
    line += ',';
    append_quoted(line, field.name);
    line += ':';
    if (field.is_literal) {
      line += field.value;
    } else {
      append_quoted(line, field.value);
    }
  }
  return line;
}

}  // namespace headrace::telemetry
