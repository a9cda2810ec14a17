#pragma once

// One value a line, for rows too wide for a table.

#include <string>
#include <vector>

#include "cli/print/result_printer.h"

namespace headrace::cli {

class VerticalPrinter final : public ResultPrinter {
 public:
  VerticalPrinter(const Layout& layout, Sink sink) : layout_(layout), sink_(std::move(sink)) {}
  void begin(const std::vector<Column>& columns) override;
  void row(const std::vector<Cell>& cells) override;
  void end(const ResultEnd& end) override;

 private:
  Layout layout_;
  Sink sink_;
  std::vector<std::string> labels_;  // padded to one width
  int64_t rows_ = 0;
};

// "2 rows (1.2 ms)" with what a limit left out.
std::string row_count_line(const Layout& layout, int64_t shown, const ResultEnd& end);

}  // namespace headrace::cli
