#include "cli/print/object_table.h"

#include <algorithm>

#include "cli/print/table_printer.h"
#include "cli/print/units.h"

namespace headrace::cli {
namespace {

std::string number_text(double number, Shown shown) {
  switch (shown) {
    case Shown::kBytes:
      return bytes_text(static_cast<int64_t>(number));
    case Shown::kRate:
      return rate_text(number) + "/s";
    case Shown::kMilliseconds:
      return duration_text(number);
    case Shown::kCount:
    case Shown::kText:
    case Shown::kTime:
      break;
  }
  return grouped(static_cast<int64_t>(number));
}

bool is_listed(const JsonArray& objects, const ListedColumn& column) {
  return objects.empty() || std::any_of(objects.begin(), objects.end(), [&](const Json& object) {
           return object.is_object() && object.get_object().contains(column.member);
         });
}

}  // namespace

std::string shown_text(const Json& object, const ListedColumn& column) {
  const Json* value = find_member(object, column.member);
  if (value == nullptr) return "-";
  if (value->is_string()) {
    std::string text(value->get_string());
    // 2026-01-02T03:04:05.678901Z: seconds suffice.
    if (column.shown == Shown::kTime && text.size() > 19 && text[10] == 'T') {
      text = text.substr(0, 10) + " " + text.substr(11, 8);
    }
    return text.empty() ? "-" : text;
  }
  if (value->is_array() && column.shown == Shown::kCount) {
    return grouped(static_cast<int64_t>(value->get_array().size()));
  }
  const bool is_plain_text = column.shown == Shown::kText || column.shown == Shown::kTime;
  if (value->is_number() && !is_plain_text)
    return number_text(value->to_number<double>(), column.shown);
  return to_text(*value);
}

void print_listing(const JsonArray& objects, const std::vector<ListedColumn>& columns,
                   const Layout& layout, const Sink& sink) {
  std::vector<ListedColumn> listed;
  std::vector<Column> titles;
  for (const ListedColumn& column : columns) {
    if (!is_listed(objects, column)) continue;
    const bool is_text = column.shown == Shown::kText || column.shown == Shown::kTime;
    listed.push_back(column);
    titles.push_back({column.title, is_text ? "VARCHAR" : "BIGINT"});
  }
  Layout without_count = layout;
  without_count.shows_row_count = false;
  TablePrinter printer(without_count, sink);
  printer.begin(titles);
  for (const Json& object : objects) {
    std::vector<std::string> texts;
    for (const ListedColumn& column : listed)
      texts.push_back(string_literal(shown_text(object, column)));
    printer.row(std::vector<Cell>(texts.begin(), texts.end()));
  }
  printer.end({});
}

}  // namespace headrace::cli
