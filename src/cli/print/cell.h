#pragma once

// One value of a result, kept as the JSON text in which the server wrote it: numbers of any size
// stay exact, and only what is shown is decoded.

#include <string>
#include <string_view>
#include <vector>

namespace headrace::cli {

struct Column {
  std::string name;
  std::string type;  // as DuckDB names it: BIGINT, VARCHAR, DECIMAL(18,3), INTEGER[] …
};

// Whether values of the type stand at the right of their column.
bool is_number(std::string_view type);

// JSON text of one value; the bytes belong to whoever calls the printer.
using Cell = std::string_view;
inline bool is_null(Cell cell) { return cell == "null"; }

// What a person reads: a string without its quotes, everything else as written. Null gives "".
std::string text_of(Cell cell);
// A JSON string literal.
std::string string_literal(std::string_view text);

}  // namespace headrace::cli
