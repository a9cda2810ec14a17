#include "cli/print/json_printer.h"

namespace headrace::cli {

void JsonPrinter::begin(const std::vector<Column>& columns) {
  keys_.clear();
  for (const Column& column : columns) keys_.push_back(string_literal(column.name));
  if (shape_ == Shape::kArray) sink_("[");
}

void JsonPrinter::row(const std::vector<Cell>& cells) {
  line_ = shape_ == Shape::kLines ? "{" : is_first_ ? "\n{" : ",\n{";
  is_first_ = false;
  for (size_t i = 0; i < cells.size() && i < keys_.size(); ++i) {
    if (i > 0) line_ += ',';
    line_.append(keys_[i]).append(":").append(cells[i]);
  }
  line_ += shape_ == Shape::kLines ? "}\n" : "}";
  sink_(line_);
}

void JsonPrinter::end(const ResultEnd& /*end*/) {
  if (shape_ == Shape::kArray) sink_(is_first_ ? "]\n" : "\n]\n");
}

}  // namespace headrace::cli
