#pragma once

// Prints the result of a query while it arrives: begin, row by row, end.
//
// Life cycle: one printer for each result. Nothing is held but what the layout of a table needs
// (its first rows); csv, json and ndjson go out as they come. Thread use: one thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/print/cell.h"

namespace headrace::cli {

enum class OutputMode { kTable, kVertical, kCsv, kJson, kNdjson };

// Throws Error invalid that lists the names there are.
OutputMode output_mode_of(std::string_view name);
std::string_view name_of(OutputMode mode);

struct Layout {
  int width = 0;  // columns to fit into; 0: no bound
  bool has_color = false;
  bool shows_elapsed = false;
  bool shows_row_count = true;
};

struct ResultEnd {
  int64_t row_count = 0;   // as the server counted
  bool truncated = false;  // the row limit cut the result
  double elapsed_ms = 0;
  int64_t files_total = 0;  // of the tables' data files that the query looked at
  int64_t files_read = 0;   // that it could not leave out
};

using Sink = std::function<void(std::string_view)>;

class ResultPrinter {
 public:
  virtual ~ResultPrinter() = default;
  virtual void begin(const std::vector<Column>& columns) = 0;
  // The cells are valid during the call only.
  virtual void row(const std::vector<Cell>& cells) = 0;
  virtual void end(const ResultEnd& end) = 0;
};

std::unique_ptr<ResultPrinter> make_result_printer(OutputMode mode, const Layout& layout,
                                                   Sink sink);

}  // namespace headrace::cli
