#include "cli/sql/query_response_reader.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace headrace::cli {
namespace {

struct Seen {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  JsonObject members;
};

Seen read(std::string_view document, size_t piece) {
  Seen seen;
  QueryResponseReader reader({[&](const std::vector<Column>& columns) {
                                for (const Column& column : columns)
                                  seen.columns.push_back(column.name + ":" + column.type);
                              },
                              [&](const std::vector<Cell>& cells) {
                                seen.rows.emplace_back(cells.begin(), cells.end());
                              }});
  for (size_t at = 0; at < document.size(); at += piece) reader.feed(document.substr(at, piece));
  reader.finish();
  seen.members = reader.members();
  return seen;
}

constexpr std::string_view kDocument =
    R"({"query_id":"q-1", "columns":[{"name":"a,[","type":"VARCHAR"},{"name":"b","type":"INTEGER[]"}],
 "rows":[["x]\"\\", [1, [2]]], [null,{"k":[1,2]}],["",12345678901234567890123]],
 "row_count":3,"truncated":true,"elapsed_ms":1.5})";

TEST(QueryResponseReader, ReadsTheSameInPiecesOfAnySize) {
  for (size_t piece = 1; piece < kDocument.size(); ++piece) {
    const Seen seen = read(kDocument, piece);
    EXPECT_EQ(seen.columns, (std::vector<std::string>{"a,[:VARCHAR", "b:INTEGER[]"}));
    EXPECT_EQ(seen.rows,
              (std::vector<std::vector<std::string>>{{R"("x]\"\\")", "[1,[2]]"},
                                                     {"null", R"({"k":[1,2]})"},
                                                     {R"("")", "12345678901234567890123"}}));
    EXPECT_EQ(seen.members.at("query_id"), "q-1");
    EXPECT_EQ(seen.members.at("row_count"), 3);
    EXPECT_EQ(seen.members.at("truncated"), true);
  }
}

TEST(QueryResponseReader, ReadsAResultWithoutRows) {
  const Seen seen =
      read(R"({"columns":[{"name":"a","type":"INTEGER"}],"rows":[],"row_count":0})", 3);
  EXPECT_EQ(seen.columns.size(), 1U);
  EXPECT_TRUE(seen.rows.empty());
}

TEST(QueryResponseReader, EveryCutIsNoticed) {
  for (size_t length = 0; length < kDocument.size(); ++length) {
    EXPECT_THROW(read(kDocument.substr(0, length), 16), Error) << length;
  }
}

TEST(QueryResponseReader, RefusesWhatIsNoObject) {
  EXPECT_THROW(read("nonsense", 8), Error);
  EXPECT_THROW(read("{}{}", 4), Error);
  EXPECT_THROW(read("]", 1), Error);
}

}  // namespace
}  // namespace headrace::cli
