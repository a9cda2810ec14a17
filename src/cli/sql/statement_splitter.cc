#include "cli/sql/statement_splitter.h"

#include <cctype>

namespace headrace::cli {
namespace {

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Where a token that starts at `at` ends; npos when it is still open at the end of the text.
constexpr size_t kOpen = std::string_view::npos;

size_t end_of_quoted(std::string_view text, size_t at, char quote, bool has_backslashes) {
  for (size_t i = at; i < text.size(); ++i) {
    if (has_backslashes && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (i + 1 < text.size() && text[i + 1] == quote) {
        ++i;
      } else {
        return i + 1;
      }
    }
  }
  return kOpen;
}

size_t end_of_line_comment(std::string_view text, size_t at) {
  const size_t newline = text.find('\n', at);
  return newline == std::string_view::npos ? text.size() : newline + 1;
}

// Block comments nest.
size_t end_of_block_comment(std::string_view text, size_t at) {
  int depth = 1;
  for (size_t i = at + 2; i + 1 < text.size(); ++i) {
    if (text.substr(i, 2) == "/*") {
      ++depth;
      ++i;
    } else if (text.substr(i, 2) == "*/") {
      ++i;
      if (--depth == 0) return i + 1;
    }
  }
  return kOpen;
}

// $$…$$ or $tag$…$tag$; a lone $ (as in $1) is one character of its own.
size_t end_of_dollar_quoted(std::string_view text, size_t at) {
  size_t end_of_tag = at + 1;
  while (end_of_tag < text.size() && is_word(text[end_of_tag])) ++end_of_tag;
  const bool starts_with_digit =
      end_of_tag > at + 1 && std::isdigit(static_cast<unsigned char>(text[at + 1])) != 0;
  if (end_of_tag >= text.size() || text[end_of_tag] != '$' || starts_with_digit) return at + 1;
  const std::string_view tag = text.substr(at, end_of_tag - at + 1);
  const size_t close = text.find(tag, end_of_tag + 1);
  return close == std::string_view::npos ? kOpen : close + tag.size();
}

bool is_escape_string(std::string_view text, size_t quote) {
  if (quote == 0 || (text[quote - 1] != 'e' && text[quote - 1] != 'E')) return false;
  return quote == 1 || !is_word(text[quote - 2]);
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

Split split_statements(std::string_view text) {
  Split split;
  size_t start = 0;
  bool has_content = false;
  size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    const std::string_view pair = text.substr(at, 2);
    size_t next = at + 1;
    if (pair == "--") {
      next = end_of_line_comment(text, at);
    } else if (pair == "/*") {
      next = end_of_block_comment(text, at);
    } else if (c == ';') {
      if (has_content) split.statements.push_back(trimmed(text.substr(start, at - start)));
      start = next;
      has_content = false;
    } else if (!is_blank(c)) {
      has_content = true;
      if (c == '\'' || c == '"') {
        next = end_of_quoted(text, at + 1, c, c == '\'' && is_escape_string(text, at));
      } else if (c == '$' && (at == 0 || !is_word(text[at - 1]))) {
        next = end_of_dollar_quoted(text, at);
      }
    }
    if (next == kOpen) {
      split.rest_is_open = true;
      has_content = has_content || pair == "/*";
      break;
    }
    at = next;
  }
  split.rest = std::string(text.substr(start));
  split.rest_is_blank = !has_content;
  return split;
}

}  // namespace headrace::cli
