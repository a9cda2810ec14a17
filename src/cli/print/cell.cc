#include "cli/print/cell.h"

#include <array>
#include <cctype>

#include "base/json.h"

namespace headrace::cli {

bool is_number(std::string_view type) {
  constexpr std::array<std::string_view, 18> kNumbers = {
      "TINYINT",  "SMALLINT",  "INTEGER",  "INT",     "BIGINT",   "HUGEINT",
      "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT",
      "REAL",     "DOUBLE",    "DECIMAL",  "NUMERIC", "LONG",     "BIGNUM"};
  const size_t end = type.find_first_of("( ");
  if (!type.empty() && type.back() == ']') return false;
  std::string base;
  for (const char c : type.substr(0, end)) {
    base += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  for (const std::string_view number : kNumbers) {
    if (base == number) return true;
  }
  return false;
}

std::string text_of(Cell cell) {
  if (is_null(cell)) return "";
  if (cell.empty() || cell.front() != '"') return std::string(cell);
  if (cell.find('\\') == std::string_view::npos && cell.size() >= 2) {
    return std::string(cell.substr(1, cell.size() - 2));
  }
  const Json value = parse_json(cell, "a value of the result");
  return std::string(value.as_string());
}

std::string string_literal(std::string_view text) {
  return to_text(Json(boost::json::string(text)));
}

}  // namespace headrace::cli
