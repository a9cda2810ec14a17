#include "http/target.h"

#include <cstdint>
#include <utility>

#include "base/error.h"

namespace headrace::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        fail(ErrorKind::kInvalid, "reading the URL: '%' is not followed by two hex digits in '{}'",
             text);
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') fail(ErrorKind::kInvalid, "reading the URL: it holds a NUL character");
    decoded.push_back(c);
  }
  return decoded;
}

// Calls `visit` with each non-empty piece of `text` between separators.
template <class Visit>
void for_each_piece(std::string_view text, char separator, Visit visit) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::vector<std::string> parse_path(std::string_view path) {
  std::vector<std::string> segments;
  for_each_piece(path, '/', [&](std::string_view piece) {
    std::string segment = percent_decode(piece, false);
    if (segment == "." || segment == "..") {
      fail(ErrorKind::kInvalid, "reading the URL: the path must not contain '{}'", segment);
    }
    segments.push_back(std::move(segment));
  });
  return segments;
}

Parameters parse_query(std::string_view query) {
  Parameters parameters;
  for_each_piece(query, '&', [&](std::string_view piece) {
    const size_t equals = std::min(piece.find('='), piece.size());
    const std::string_view value = equals < piece.size() ? piece.substr(equals + 1) : "";
    parameters.emplace_back(percent_decode(piece.substr(0, equals), true),
                            percent_decode(value, true));
  });
  return parameters;
}

}  // namespace

Target parse_target(std::string_view target) {
  if (!target.starts_with('/')) {
    fail(ErrorKind::kInvalid, "reading the URL: '{}' is not an absolute path", target);
  }
  target = target.substr(0, target.find('#'));
  const size_t question = std::min(target.find('?'), target.size());
  Target parsed;
  parsed.segments = parse_path(target.substr(0, question));
  if (question < target.size()) parsed.query = parse_query(target.substr(question + 1));
  return parsed;
}

std::string percent_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (alphanumeric || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded.push_back(c);
    } else {
      const auto byte = static_cast<uint8_t>(c);
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace headrace::http
