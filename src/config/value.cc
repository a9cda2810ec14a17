#include "config/value.h"

namespace headrace::config {

bool read_boolean(const Node& node, bool& into, Problems& problems) {
  if (node.is_broken()) return false;
  const auto value = node.is_scalar() ? parse_boolean(node.text()) : std::nullopt;
  if (!value) {
    report_type(node, "true or false", problems);
    return false;
  }
  into = *value;
  return true;
}

bool read_integer(const Node& node, int64_t minimum, int64_t maximum, int64_t& into,
                  Problems& problems) {
  if (node.is_broken()) return false;
  const auto value = node.is_scalar() ? parse_integer(node.text()) : std::nullopt;
  if (!value) {
    report_type(node, "a whole number", problems);
    return false;
  }
  if (*value < minimum || *value > maximum) {
    problems.add(node, format("must be from {} to {}", minimum, maximum));
    return false;
  }
  into = *value;
  return true;
}

bool read_number(const Node& node, double& into, Problems& problems) {
  if (node.is_broken()) return false;
  const auto value = node.is_scalar() ? parse_number(node.text()) : std::nullopt;
  if (!value) {
    report_type(node, "a number", problems);
    return false;
  }
  into = *value;
  return true;
}

bool read_text(const Node& node, std::string& into, Problems& problems) {
  if (node.is_broken()) return false;
  if (!node.is_scalar()) {
    const bool brace = node.is_map();
    report_type(node, "text", problems, brace ? "put text with { } or ': ' in it into quotes" : "");
    return false;
  }
  into = node.text();
  return true;
}

bool read_character(const Node& node, char& into, Problems& problems) {
  if (node.is_broken()) return false;
  if (!node.is_scalar() || node.text().size() != 1) {
    report_type(node, "one character", problems, R"(put it into quotes, as "|" or "\t")");
    return false;
  }
  into = node.text()[0];
  return true;
}

bool read_duration(const Node& node, std::chrono::milliseconds& into, Problems& problems) {
  if (node.is_broken()) return false;
  const auto value = node.is_scalar() ? parse_duration(node.text()) : std::nullopt;
  if (!value || value->count() < 0) {
    const bool bare = node.is_scalar() && parse_integer(node.text()).has_value();
    report_type(node, "a duration", problems,
                bare && !value ? format("add its unit: {}ms, {}s, {}m, {}h or {}d", node.text(),
                                        node.text(), node.text(), node.text(), node.text())
                               : "write one as 50ms, 60s, 5m, 2h or 7d");
    return false;
  }
  into = *value;
  return true;
}

bool read_bytes(const Node& node, Bytes& into, Problems& problems) {
  if (node.is_broken()) return false;
  const auto value = node.is_scalar() ? parse_bytes(node.text()) : std::nullopt;
  if (!value) {
    report_type(node, "a size in bytes", problems, "write one as 4096, 64KiB, 128MiB or 1GB");
    return false;
  }
  into = *value;
  return true;
}

bool expect_list(const Node& node, const std::string& wanted, Problems& problems) {
  if (node.is_list()) return true;
  if (node.is_broken()) return false;
  const bool could_be_element = node.is_scalar() && node.text().find(',') == std::string::npos;
  report_type(node, "a " + wanted, problems,
              could_be_element ? format("write [{}]", node.written_text().substr(0, 60)) : "");
  return false;
}

bool expect_map(const Node& node, const std::string& wanted, Problems& problems) {
  if (node.is_map()) return true;
  if (!node.is_broken()) report_type(node, "a " + wanted, problems);
  return false;
}

}  // namespace headrace::config
