#pragma once

// Cuts a script into statements at the semicolons that end one: not those in strings, quoted names,
// dollar quotes or comments. Follows the lexical rules of PostgreSQL and DuckDB.

#include <string>
#include <string_view>
#include <vector>

namespace headrace::cli {

struct Split {
  std::vector<std::string> statements;  // complete ones, without the semicolon, blanks trimmed
  std::string rest;                     // what follows the last semicolon, as written
  bool rest_is_blank = true;            // only blanks and comments are left
  bool rest_is_open = false;            // the rest ends inside a string, name or comment
};

// Statements of blanks and comments only are left out.
Split split_statements(std::string_view script);

}  // namespace headrace::cli
