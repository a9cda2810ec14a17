#include "cli/print/csv_printer.h"

namespace headrace::cli {

std::string csv_field(std::string_view text) {
  if (text.empty()) return "\"\"";
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

void CsvPrinter::begin(const std::vector<Column>& columns) {
  line_.clear();
  for (const Column& column : columns) {
    if (&column != &columns.front()) line_ += ',';
    line_ += csv_field(column.name);
  }
  sink_(line_ += '\n');
}

void CsvPrinter::row(const std::vector<Cell>& cells) {
  line_.clear();
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line_ += ',';
    if (!is_null(cells[i])) line_ += csv_field(text_of(cells[i]));
  }
  sink_(line_ += '\n');
}

void CsvPrinter::end(const ResultEnd& /*end*/) {}

}  // namespace headrace::cli
