#pragma once

// CSV as RFC 4180 has it, with a header line: fields with a comma, quote or line break are quoted,
// lines end with \n (what Unix tools expect; readers of the RFC take both). NULL is the empty
// field, the empty string is "". Nested values are their JSON text.

#include <string>
#include <string_view>

#include "cli/print/result_printer.h"

namespace headrace::cli {

std::string csv_field(std::string_view text);

class CsvPrinter final : public ResultPrinter {
 public:
  explicit CsvPrinter(Sink sink) : sink_(std::move(sink)) {}
  void begin(const std::vector<Column>& columns) override;
  void row(const std::vector<Cell>& cells) override;
  void end(const ResultEnd& end) override;

 private:
  Sink sink_;
  std::string line_;
};

}  // namespace headrace::cli
