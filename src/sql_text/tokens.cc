#include "sql_text/tokens.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace headrace::sql_text {
namespace {

constexpr size_t kOpen = std::string_view::npos;

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Where what was opened before `at` ends; kOpen when it does not.
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

// $$…$$ or $tag$…$tag$; a lone $ (as in $1) is a symbol.
bool is_dollar_quote(std::string_view text, size_t at, size_t& end_of_tag) {
  end_of_tag = at + 1;
  while (end_of_tag < text.size() && is_word(text[end_of_tag])) ++end_of_tag;
  return end_of_tag < text.size() && text[end_of_tag] == '$' && !is_digit(text[at + 1]);
}

size_t end_of_dollar_quoted(std::string_view text, size_t at, size_t end_of_tag) {
  const std::string_view tag = text.substr(at, end_of_tag - at + 1);
  const size_t close = text.find(tag, end_of_tag + 1);
  return close == std::string_view::npos ? kOpen : close + tag.size();
}

// Names may hold a $ further on.
size_t end_of_word(std::string_view text, size_t at) {
  while (at < text.size() && (is_word(text[at]) || text[at] == '$')) ++at;
  return at;
}

Token token(TokenKind kind, size_t begin, size_t end, std::string_view text) {
  const bool is_open = end == kOpen;
  return {kind, begin, is_open ? text.size() : end, is_open};
}

}  // namespace

Token next_token(std::string_view text, size_t at) {
  const char c = text[at];
  const std::string_view pair = text.substr(at, 2);
  if (is_blank(c)) return {TokenKind::kBlank, at, at + 1};
  if (pair == "--") return {TokenKind::kComment, at, end_of_line_comment(text, at)};
  if (pair == "/*") return token(TokenKind::kComment, at, end_of_block_comment(text, at), text);
  if (c == '"') {
    return token(TokenKind::kQuotedName, at, end_of_quoted(text, at + 1, c, false), text);
  }
  if (c == '\'') return token(TokenKind::kString, at, end_of_quoted(text, at + 1, c, false), text);
  if (pair == "e'" || pair == "E'") {
    return token(TokenKind::kString, at, end_of_quoted(text, at + 2, '\'', true), text);
  }
  if (size_t end_of_tag; c == '$' && is_dollar_quote(text, at, end_of_tag)) {
    return token(TokenKind::kString, at, end_of_dollar_quoted(text, at, end_of_tag), text);
  }
  if (is_word(c)) return {TokenKind::kWord, at, end_of_word(text, at)};
  return {TokenKind::kSymbol, at, at + 1};
}

Token next_meaningful(std::string_view text, size_t at) {
  while (at < text.size()) {
    const Token found = next_token(text, at);
    if (found.kind != TokenKind::kBlank && found.kind != TokenKind::kComment) return found;
    at = found.end;
  }
  return {TokenKind::kBlank, text.size(), text.size()};
}

bool is_keyword(const Token& token, std::string_view text, std::string_view lower_case) {
  if (token.kind != TokenKind::kWord) return false;
  const std::string_view word = token.of(text);
  return equal_ignoring_case(word, lower_case);
}

std::string name_of(const Token& token, std::string_view text) {
  const std::string_view written = token.of(text);
  if (token.kind != TokenKind::kQuotedName) return std::string(written);
  std::string name;
  for (size_t i = 1; i + 1 < written.size(); ++i) {
    name += written[i];
    if (written[i] == '"') ++i;  // doubled
  }
  return name;
}

}  // namespace headrace::sql_text
