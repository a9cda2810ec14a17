#pragma once

// Reads the JSON answer of POST /v1/query while it streams in, row by row:
//   {"query_id":"…","columns":[{"name","type"}],"rows":[[…],…],"row_count":N,"truncated":false,…}
// Cells are handed on as JSON text, so no number loses digits and no result is held whole.
//
// Throws Error unavailable when the answer breaks off, internal when it is not what it should be.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "cli/print/cell.h"

namespace headrace::cli {

class QueryResponseReader {
 public:
  struct Events {
    std::function<void(const std::vector<Column>&)> columns;
    std::function<void(const std::vector<Cell>&)> row;
  };
  explicit QueryResponseReader(Events events) : events_(std::move(events)) {}

  void feed(std::string_view bytes);
  // Checks that the document ended. The members beside columns and rows are in members().
  void finish();
  const JsonObject& members() const { return members_; }
  // An error the server met after it began to answer stands in the document as a member "error".
  bool has_error() const { return members_.contains("error"); }

 private:
  void take(char c);
  void take_structure(char c);
  void end_value();
  void end_cell();

  Events events_;
  JsonObject members_;
  bool has_columns_ = false;
  int depth_ = 0;
  bool in_string_ = false;
  bool is_escaped_ = false;
  bool is_done_ = false;
  bool expects_key_ = true;
  std::string key_;    // at depth 1, JSON text of the key just read
  std::string value_;  // text of the member being read
  bool in_rows_ = false;
  std::string row_;  // the cells' texts, one after the other
  std::vector<size_t> cell_ends_;
  std::vector<Cell> cells_;
};

}  // namespace headrace::cli
