#include "cli/sql/statement_splitter.h"

#include <cctype>

#include "base/text.h"
#include "sql_text/tokens.h"

namespace headrace::cli {
namespace {

using sql_text::Token;
using sql_text::TokenKind;

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
      if (has_content)
        split.statements.emplace_back(trimmed(text.substr(start, token.begin - start)));
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
