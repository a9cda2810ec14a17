#pragma once

// A listing (an array of JSON objects) as a table for people.

#include <string>
#include <vector>

#include "base/json.h"
#include "cli/print/result_printer.h"

namespace headrace::cli {

enum class Shown { kText, kCount, kBytes, kRate, kMilliseconds, kTime };

struct ListedColumn {
  std::string title;
  std::string member;  // which member of an object; a column that no object has is left out
  Shown shown = Shown::kText;
};

// The value as people read it: 1,234 · 5.2 MiB · 12.3 k/s. "-" when it is not there.
std::string shown_text(const Json& object, const ListedColumn& column);
void print_listing(const JsonArray& objects, const std::vector<ListedColumn>& columns,
                   const Layout& layout, const Sink& sink);

}  // namespace headrace::cli
