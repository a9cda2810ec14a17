#pragma once

// A table that fits the terminal. The first rows are held to find the widths, then printed; later
// rows follow in the same widths. Columns shrink, widest first, and when even that is not enough
// the last ones are left out and named under the table.

#include <string>
#include <vector>

#include "cli/print/result_printer.h"

namespace headrace::cli {

class TablePrinter final : public ResultPrinter {
 public:
  TablePrinter(const Layout& layout, Sink sink) : layout_(layout), sink_(std::move(sink)) {}
  void begin(const std::vector<Column>& columns) override;
  void row(const std::vector<Cell>& cells) override;
  void end(const ResultEnd& end) override;

 private:
  struct Text {
    std::string text;
    bool is_null = false;
  };
  void lay_out();
  void print_plan(std::string_view drawing);
  void print_header();
  void print_row(const std::vector<Text>& cells);
  std::string padded(const Text& cell, size_t column) const;

  Layout layout_;
  Sink sink_;
  std::vector<Column> columns_;
  std::vector<std::vector<Text>> held_;
  bool is_laid_out_ = false;
  bool is_plan_ = false;     // the answer to EXPLAIN
  std::vector<int> widths_;  // of the columns shown
  int64_t rows_ = 0;
};

// Widths that fit into `available` (0: no bound) given the natural ones; fewer entries than given
// when columns must be left out.
std::vector<int> fitted_widths(const std::vector<int>& natural, int available, int separator);

}  // namespace headrace::cli
