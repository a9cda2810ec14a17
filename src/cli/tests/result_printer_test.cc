#include "cli/print/result_printer.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "cli/print/table_printer.h"

namespace headrace::cli {
namespace {

const std::vector<Column> kColumns = {{"country", "VARCHAR"}, {"edits", "BIGINT"}};

std::string printed(OutputMode mode, const Layout& layout, const std::vector<Column>& columns,
                    const std::vector<std::vector<Cell>>& rows, ResultEnd end = {}) {
  std::string text;
  const auto printer =
      make_result_printer(mode, layout, [&](std::string_view piece) { text += piece; });
  printer->begin(columns);
  for (const auto& row : rows) printer->row(row);
  if (end.row_count == 0) end.row_count = static_cast<int64_t>(rows.size());
  printer->end(end);
  return text;
}

TEST(TablePrinter, AlignsNumbersRightAndMarksNull) {
  EXPECT_EQ(printed(OutputMode::kTable, {}, kColumns,
                    {{"\"Italy\"", "256"}, {"null", "7"}, {"\"日本\"", "null"}}),
            " country │ edits\n"
            "─────────┼───────\n"
            " Italy   │   256\n"
            " NULL    │     7\n"
            " 日本    │  NULL\n"
            "3 rows\n");
}

TEST(TablePrinter, TellsWhichFilesWereLeftOut) {
  Layout layout;
  layout.shows_elapsed = true;
  const auto last_line = [&](int64_t read) {
    const std::string text = printed(OutputMode::kTable, layout, {{"n", "BIGINT"}}, {{"1"}},
                                     {.elapsed_ms = 2, .files_total = 1000, .files_read = read});
    return text.substr(text.rfind('\n', text.size() - 2) + 1);
  };
  EXPECT_NE(last_line(3).find(", 3 of 1,000 files read\n"), std::string::npos) << last_line(3);
  EXPECT_EQ(last_line(1000).find("files"), std::string::npos) << last_line(1000);
}

TEST(TablePrinter, ColoursNullAndHeaderOnly) {
  Layout layout;
  layout.has_color = true;
  EXPECT_EQ(printed(OutputMode::kTable, layout, {{"a", "INTEGER"}}, {{"null"}}),
            " \033[1m   a\033[0m\n"
            "──────\n"
            " \033[2mNULL\033[0m\n"
            "\033[2m1 row\n\033[0m");
}

TEST(TablePrinter, CutsTheWidestColumnToTheTerminal) {
  Layout layout;
  layout.width = 24;
  EXPECT_EQ(printed(OutputMode::kTable, layout, {{"page", "VARCHAR"}, {"n", "BIGINT"}},
                    {{"\"A very long title of a page\"", "12"}}),
            " page              │  n\n"
            "───────────────────┼────\n"
            " A very long titl… │ 12\n"
            "1 row\n");
}

TEST(TablePrinter, LeavesOutColumnsThatDoNotFit) {
  Layout layout;
  layout.width = 24;
  const std::string text =
      printed(OutputMode::kTable, layout,
              {{"first", "VARCHAR"}, {"second", "VARCHAR"}, {"third", "VARCHAR"}},
              {{"\"aaaaaaaaaaaa\"", "\"bbbbbbbbbbbb\"", "\"cccccccccccc\""}});
  EXPECT_EQ(text,
            " first     │ second\n"
            "───────────┼────────────\n"
            " aaaaaaaa… │ bbbbbbbbb…\n"
            "1 row\n"
            "2 of 3 columns fit; .mode vertical or --format vertical shows all\n");
}

TEST(TablePrinter, TellsOfTheRowLimit) {
  ResultEnd end;
  end.truncated = true;
  EXPECT_EQ(printed(OutputMode::kTable, {}, {{"a", "INTEGER"}}, {{"1"}}, end),
            " a\n───\n 1\nfirst 1 row shown, there are more\n");
}

TEST(TablePrinter, StreamsBeyondTheRowsItHolds) {
  std::string text;
  TablePrinter printer({}, [&](std::string_view piece) { text += piece; });
  printer.begin({{"a", "INTEGER"}});
  for (int i = 0; i < 1500; ++i) printer.row({"1"});
  EXPECT_NE(text, "");  // before the end
  printer.end({1500, false, 0});
  EXPECT_EQ(text.substr(text.size() - 11), "1,500 rows\n");
}

TEST(TablePrinter, ShowsControlCharactersInsteadOfObeyingThem) {
  const std::string text =
      printed(OutputMode::kTable, {}, {{"a", "VARCHAR"}}, {{R"("x\n\u001b[31m")"}});
  EXPECT_NE(text.find(R"( x\n\x1b[31m)"), std::string::npos);
  EXPECT_EQ(text.find('\033'), std::string::npos);
}

TEST(TablePrinter, DrawsPlansAsTheyAre) {
  EXPECT_EQ(
      printed(OutputMode::kTable, {}, {{"explain_key", "VARCHAR"}, {"explain_value", "VARCHAR"}},
              {{"\"physical_plan\"", R"("┌──┐\n│\u001b│\n└──┘\n")"}}),
      "┌──┐\n│\\x1b│\n└──┘\n");
}

TEST(VerticalPrinter, PrintsOneValueALine) {
  EXPECT_EQ(printed(OutputMode::kVertical, {}, kColumns, {{"\"Italy\"", "256"}}),
            "── row 1 ──\ncountry  Italy\nedits    256\n1 row\n");
}

TEST(CsvPrinter, QuotesAsRfc4180) {
  EXPECT_EQ(printed(OutputMode::kCsv, {}, {{"a,b", "VARCHAR"}, {"c", "VARCHAR"}},
                    {{R"("x\"y")", "null"}, {R"("line\nbreak")", "\"\""}, {"[1,2]", "1.50"}}),
            "\"a,b\",c\n\"x\"\"y\",\n\"line\nbreak\",\"\"\n\"[1,2]\",1.50\n");
}

TEST(JsonPrinter, KeepsNumbersAsTheServerWroteThem) {
  const std::vector<std::vector<Cell>> rows = {{"\"a\\\"b\"", "123456789012345678901234567890"},
                                               {"null", "1.10"}};
  EXPECT_EQ(printed(OutputMode::kJson, {}, kColumns, rows),
            "[\n{\"country\":\"a\\\"b\",\"edits\":123456789012345678901234567890},\n"
            "{\"country\":null,\"edits\":1.10}\n]\n");
  EXPECT_EQ(printed(OutputMode::kNdjson, {}, kColumns, rows),
            "{\"country\":\"a\\\"b\",\"edits\":123456789012345678901234567890}\n"
            "{\"country\":null,\"edits\":1.10}\n");
  EXPECT_EQ(printed(OutputMode::kJson, {}, kColumns, {}), "[]\n");
}

TEST(OutputMode, ListsTheNamesForAnUnknownOne) {
  EXPECT_EQ(output_mode_of("csv"), OutputMode::kCsv);
  try {
    output_mode_of("xml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(),
              "unknown output mode 'xml': use table, vertical, csv, json or ndjson");
  }
}

TEST(FittedWidths, ShrinksTheWidestFirst) {
  EXPECT_EQ(fitted_widths({40, 5, 20}, 0, 3), (std::vector<int>{40, 5, 20}));
  EXPECT_EQ(fitted_widths({40, 5, 20}, 53, 3), (std::vector<int>{20, 5, 20}));
  EXPECT_EQ(fitted_widths({40, 5, 20}, 33, 3), (std::vector<int>{10, 5, 10}));
  EXPECT_EQ(fitted_widths({40, 5, 20}, 20, 3), (std::vector<int>{10, 5}));
}

}  // namespace
}  // namespace headrace::cli
