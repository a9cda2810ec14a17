#pragma once

// Rows as JSON objects: one array, or one object a line. Values go out as the server wrote them.

#include <string>
#include <vector>

#include "cli/print/result_printer.h"

namespace headrace::cli {

class JsonPrinter final : public ResultPrinter {
 public:
  enum class Shape { kArray, kLines };
  JsonPrinter(Shape shape, Sink sink) : shape_(shape), sink_(std::move(sink)) {}
  void begin(const std::vector<Column>& columns) override;
  void row(const std::vector<Cell>& cells) override;
  void end(const ResultEnd& end) override;

 private:
  Shape shape_;
  Sink sink_;
  std::vector<std::string> keys_;  // as JSON literals
  std::string line_;
  bool is_first_ = true;
};

}  // namespace headrace::cli
