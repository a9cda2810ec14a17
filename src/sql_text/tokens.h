#pragma once

// Cuts SQL into tokens by the lexical rules of PostgreSQL and DuckDB: strings with their escapes,
// dollar quotes, quoted names, comments that nest. Nothing is checked beyond that.
//
// Thread use: functions without state.

#include <cstddef>
#include <string>
#include <string_view>

namespace headrace::sql_text {

enum class TokenKind {
  kBlank,       // one blank or line end
  kComment,     // -- … or /* … */
  kWord,        // a name, a keyword or a number
  kQuotedName,  // "…"
  kString,      // '…', E'…', $$…$$ (the E is part of it, other prefixes are words)
  kSymbol,      // any other character
};

struct Token {
  TokenKind kind = TokenKind::kSymbol;
  size_t begin = 0;
  size_t end = 0;        // the text's end when the token is open there
  bool is_open = false;  // a string, name or comment that does not end

  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
};

// The token that begins at `at`, which is before the text's end.
Token next_token(std::string_view text, size_t at);

// The same behind blanks and comments; of kind kBlank with begin == end when there is none.
Token next_meaningful(std::string_view text, size_t at);

// Whether a token is this keyword, in any case.
bool is_keyword(const Token& token, std::string_view text, std::string_view lower_case);

// The name that a word or quoted name stands for, its case as written: "a""b" is a"b.
std::string name_of(const Token& token, std::string_view text);

}  // namespace headrace::sql_text
