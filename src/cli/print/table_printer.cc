#include "cli/print/table_printer.h"

#include <algorithm>
#include <numeric>

#include "base/format.h"
#include "cli/print/text_width.h"
#include "cli/print/vertical_printer.h"

namespace headrace::cli {
namespace {

constexpr size_t kHeldRows = 1000;
constexpr int kNarrowest = 8;  // no column is cut below this while another can give way
constexpr int kSeparatorWidth = 3;

std::string repeated(std::string_view piece, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += piece;
  return out;
}

std::string dimmed(const Layout& layout, std::string_view text) {
  return layout.has_color ? format("\033[2m{}\033[0m", text) : std::string(text);
}

int total_width(const std::vector<int>& widths, int separator) {
  if (widths.empty()) return 0;
  // One blank before the first and after the last column, a separator between two.
  return std::accumulate(widths.begin(), widths.end(), 0) + 2 +
         separator * (static_cast<int>(widths.size()) - 1);
}

}  // namespace

std::vector<int> fitted_widths(const std::vector<int>& natural, int available, int separator) {
  std::vector<int> widths = natural;
  if (available <= 0) return widths;
  while (total_width(widths, separator) > available) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest > kNarrowest) {
      --*widest;
    } else if (widths.size() > 1) {
      widths = std::vector<int>(natural.begin(),
                                natural.begin() + static_cast<ptrdiff_t>(widths.size()) - 1);
    } else {
      break;
    }
  }
  return widths;
}

void TablePrinter::begin(const std::vector<Column>& columns) {
  columns_ = columns;
  for (Column& column : columns_) column.name = visible_text(column.name);
  is_plan_ = columns.size() == 2 && columns[1].name == "explain_value";
}

void TablePrinter::row(const std::vector<Cell>& cells) {
  ++rows_;
  if (is_plan_) {
    print_plan(text_of(cells[1]));
    return;
  }
  std::vector<Text> texts;
  texts.reserve(cells.size());
  for (const Cell cell : cells) {
    texts.push_back(is_null(cell) ? Text{"NULL", true} : Text{visible_text(text_of(cell)), false});
  }
  if (is_laid_out_) {
    print_row(texts);
    return;
  }
  held_.push_back(std::move(texts));
  if (held_.size() >= kHeldRows) lay_out();
}

void TablePrinter::end(const ResultEnd& end) {
  if (is_plan_) return;
  if (!is_laid_out_) lay_out();
  if (!layout_.shows_row_count) return;
  sink_(dimmed(layout_, row_count_line(layout_, rows_, end)));
  if (widths_.size() < columns_.size()) {
    sink_(dimmed(layout_, format("{} of {} columns fit; .mode vertical or --format vertical shows "
                                 "all\n",
                                 widths_.size(), columns_.size())));
  }
}

// What EXPLAIN answers is a drawing of many lines, which is no use in a cell.
void TablePrinter::print_plan(std::string_view drawing) {
  while (!drawing.empty()) {
    const size_t end = std::min(drawing.find('\n'), drawing.size());
    sink_(visible_text(drawing.substr(0, end)) + "\n");
    drawing.remove_prefix(std::min(end + 1, drawing.size()));
  }
}

void TablePrinter::lay_out() {
  is_laid_out_ = true;
  std::vector<int> natural;
  for (size_t i = 0; i < columns_.size(); ++i) {
    int width = std::max(1, width_of(columns_[i].name));
    for (const auto& row : held_) {
      if (i < row.size()) width = std::max(width, width_of(row[i].text));
    }
    natural.push_back(width);
  }
  widths_ = fitted_widths(natural, layout_.width, kSeparatorWidth);
  if (widths_.empty()) return;
  print_header();
  for (const auto& row : held_) print_row(row);
  held_.clear();
}

std::string TablePrinter::padded(const Text& cell, size_t column) const {
  const std::string text = cut_to_width(cell.text, widths_[column]);
  const std::string blanks(static_cast<size_t>(widths_[column] - width_of(text)), ' ');
  const std::string shown = cell.is_null ? dimmed(layout_, text) : text;
  return is_number(columns_[column].type) ? blanks + shown : shown + blanks;
}

void TablePrinter::print_header() {
  std::string names = " ";
  std::string rule = "─";
  for (size_t i = 0; i < widths_.size(); ++i) {
    if (i > 0) {
      names += " │ ";
      rule += "─┼─";
    }
    const std::string name = padded({columns_[i].name, false}, i);
    names += layout_.has_color ? format("\033[1m{}\033[0m", name) : name;
    rule += repeated("─", widths_[i]);
  }
  names.erase(names.find_last_not_of(' ') + 1);
  sink_(names + "\n" + rule + "─\n");
}

void TablePrinter::print_row(const std::vector<Text>& cells) {
  std::string line = " ";
  for (size_t i = 0; i < widths_.size(); ++i) {
    if (i > 0) line += " │ ";
    line += padded(i < cells.size() ? cells[i] : Text{}, i);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  sink_(line += '\n');
}

}  // namespace headrace::cli
