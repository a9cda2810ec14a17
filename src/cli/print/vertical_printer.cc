#include "cli/print/vertical_printer.h"

#include <algorithm>

#include "base/format.h"
#include "cli/print/text_width.h"
#include "cli/print/units.h"

namespace headrace::cli {

void VerticalPrinter::begin(const std::vector<Column>& columns) {
  int width = 0;
  for (const Column& column : columns) width = std::max(width, width_of(visible_text(column.name)));
  for (const Column& column : columns) {
    std::string label = visible_text(column.name);
    label.append(static_cast<size_t>(width - width_of(label)), ' ');
    labels_.push_back(std::move(label));
  }
}

void VerticalPrinter::row(const std::vector<Cell>& cells) {
  std::string text = format("── row {} ──\n", ++rows_);
  for (size_t i = 0; i < cells.size() && i < labels_.size(); ++i) {
    text +=
        format("{}  {}\n", labels_[i],
               is_null(cells[i]) ? std::string(layout_.has_color ? "\033[2mNULL\033[0m" : "NULL")
                                 : visible_text(text_of(cells[i])));
  }
  sink_(text);
}

void VerticalPrinter::end(const ResultEnd& end) {
  if (layout_.shows_row_count) sink_(row_count_line(layout_, rows_, end));
}

std::string row_count_line(const Layout& layout, int64_t shown, const ResultEnd& end) {
  std::string line;
  if (end.truncated) {
    line = format("first {} shown, there are more", counted(shown, "row"));
  } else if (end.row_count > shown) {
    line = format("{} ({} shown)", counted(end.row_count, "row"), grouped(shown));
  } else {
    line = counted(shown, "row");
  }
  if (layout.shows_elapsed) line += format(" in {}", duration_text(end.elapsed_ms));
  if (layout.shows_elapsed && end.files_read < end.files_total) {
    line += format(", {} of {} files read", grouped(end.files_read), grouped(end.files_total));
  }
  return line + "\n";
}

}  // namespace headrace::cli
