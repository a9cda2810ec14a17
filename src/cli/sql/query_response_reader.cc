#include "cli/sql/query_response_reader.h"

#include "base/error.h"

namespace headrace::cli {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

std::vector<Column> columns_of(const Json& value) {
  std::vector<Column> columns;
  if (!value.is_array()) return columns;
  for (const Json& column : value.get_array()) {
    columns.push_back({string_member(column, "name"), string_member_or(column, "type", "")});
  }
  return columns;
}

}  // namespace

void QueryResponseReader::feed(std::string_view bytes) {
  for (const char c : bytes) take(c);
}

void QueryResponseReader::finish() {
  if (is_done_) return;
  fail(ErrorKind::kUnavailable,
       "reading the result: the server's answer broke off; run the query again");
}

// depth 0: outside, 1: members of the document, 2: rows, 3: cells of a row, 4 and more: inside one.
void QueryResponseReader::take(char c) {
  if (is_done_) {
    if (!is_blank(c)) fail(ErrorKind::kInternal, "the result is followed by more text");
    return;
  }
  std::string& text = depth_ == 1 && expects_key_ ? key_ : in_rows_ ? row_ : value_;
  if (in_string_) {
    text += c;
    if (is_escaped_) {
      is_escaped_ = false;
    } else if (c == '\\') {
      is_escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
    }
    return;
  }
  if (c == '"') {
    in_string_ = true;
    text += c;
  } else if (c == '{' || c == '[' || c == '}' || c == ']' || c == ',' || c == ':') {
    take_structure(c);
  } else if (!is_blank(c)) {
    if (depth_ == 0) fail(ErrorKind::kInternal, "the result is not a JSON object");
    text += c;
  }
}

void QueryResponseReader::take_structure(char c) {
  const bool opens = c == '{' || c == '[';
  const bool closes = c == '}' || c == ']';
  if (opens) {
    ++depth_;
    if (depth_ == 1) return;
    if (depth_ == 2 && c == '[' && key_ == "\"rows\"") {
      in_rows_ = true;
      return;
    }
    if (in_rows_ && depth_ == 3) {
      row_.clear();
      cell_ends_.clear();
      return;
    }
  } else if (closes) {
    if (--depth_ < 0) fail(ErrorKind::kInternal, "the result is not valid JSON");
    if (in_rows_ && depth_ == 2) {
      if (!row_.empty()) end_cell();
      cells_.clear();
      size_t start = 0;
      for (const size_t end : cell_ends_) {
        cells_.push_back(std::string_view(row_).substr(start, end - start));
        start = end;
      }
      events_.row(cells_);
      return;
    }
    if (in_rows_ && depth_ == 1) {
      in_rows_ = false;
      return;
    }
    if (depth_ == 0) {
      end_value();
      is_done_ = true;
      return;
    }
  } else if (depth_ == 1) {
    if (c == ':') {
      expects_key_ = false;
    } else {
      end_value();
    }
    return;
  } else if (in_rows_ && depth_ == 3 && c == ',') {
    end_cell();
    return;
  } else if (in_rows_ && depth_ == 2) {
    return;
  }
  (in_rows_ ? row_ : value_) += c;
}

void QueryResponseReader::end_cell() { cell_ends_.push_back(row_.size()); }

void QueryResponseReader::end_value() {
  if (!value_.empty()) {
    const std::string key(parse_json(key_, "the result").as_string());
    Json value = parse_json(value_, "the result");
    if (key == "columns") {
      has_columns_ = true;
      events_.columns(columns_of(value));
    } else {
      members_[key] = std::move(value);
    }
  }
  key_.clear();
  value_.clear();
  expects_key_ = true;
}

}  // namespace headrace::cli
