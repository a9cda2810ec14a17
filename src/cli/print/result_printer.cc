#include "cli/print/result_printer.h"

#include <array>

#include "base/error.h"
#include "cli/print/csv_printer.h"
#include "cli/print/json_printer.h"
#include "cli/print/table_printer.h"
#include "cli/print/vertical_printer.h"

namespace headrace::cli {
namespace {

struct Named {
  OutputMode mode;
  std::string_view name;
};
constexpr std::array<Named, 5> kModes = {{{OutputMode::kTable, "table"},
                                          {OutputMode::kVertical, "vertical"},
                                          {OutputMode::kCsv, "csv"},
                                          {OutputMode::kJson, "json"},
                                          {OutputMode::kNdjson, "ndjson"}}};

}  // namespace

OutputMode output_mode_of(std::string_view name) {
  for (const Named& named : kModes) {
    if (named.name == name) return named.mode;
  }
  fail(ErrorKind::kInvalid, "unknown output mode '{}': use table, vertical, csv, json or ndjson",
       name);
}

std::string_view name_of(OutputMode mode) {
  for (const Named& named : kModes) {
    if (named.mode == mode) return named.name;
  }
  return "";
}

std::unique_ptr<ResultPrinter> make_result_printer(OutputMode mode, const Layout& layout,
                                                   Sink sink) {
  switch (mode) {
    case OutputMode::kVertical:
      return std::make_unique<VerticalPrinter>(layout, std::move(sink));
    case OutputMode::kCsv:
      return std::make_unique<CsvPrinter>(std::move(sink));
    case OutputMode::kJson:
      return std::make_unique<JsonPrinter>(JsonPrinter::Shape::kArray, std::move(sink));
    case OutputMode::kNdjson:
      return std::make_unique<JsonPrinter>(JsonPrinter::Shape::kLines, std::move(sink));
    case OutputMode::kTable:
      break;
  }
  return std::make_unique<TablePrinter>(layout, std::move(sink));
}

}  // namespace headrace::cli
