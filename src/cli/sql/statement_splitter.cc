#include "cli/sql/statement_splitter.h"

#include <cctype>

#include "sql_text/tokens.h"

namespace headrace::cli {
namespace {

using sql_text::Token;
using sql_text::TokenKind;

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

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
  for (size_t at = 0; at < text.size();) {
    const Token token = sql_text::next_token(text, at);
    at = token.end;
    if (token.is_open) {
      split.rest_is_open = true;
      has_content = true;
    } else if (token.of(text) == ";") {
      if (has_content) split.statements.push_back(trimmed(text.substr(start, token.begin - start)));
      start = at;
      has_content = false;
    } else if (token.kind != TokenKind::kBlank && token.kind != TokenKind::kComment) {
      has_content = true;
    }
  }
  split.rest = std::string(text.substr(start));
  split.rest_is_blank = !has_content;
  return split;
}

}  // namespace headrace::cli
