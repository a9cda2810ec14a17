#include "cli/sql/statement_splitter.h"

#include <random>

#include <gtest/gtest.h>

namespace headrace::cli {
namespace {

struct Case {
  std::string name;
  std::string script;
  std::vector<std::string> statements;
  std::string rest;
  bool is_blank;
  bool is_open;
};

class StatementSplitter : public ::testing::TestWithParam<Case> {};

TEST_P(StatementSplitter, CutsWhereAStatementEnds) {
  const Split split = split_statements(GetParam().script);
  EXPECT_EQ(split.statements, GetParam().statements);
  EXPECT_EQ(split.rest, GetParam().rest);
  EXPECT_EQ(split.rest_is_blank, GetParam().is_blank);
  EXPECT_EQ(split.rest_is_open, GetParam().is_open);
}

INSTANTIATE_TEST_SUITE_P(
    Lexical, StatementSplitter,
    ::testing::Values(
        Case{"two", "select 1; select 2;", {"select 1", "select 2"}, "", true, false},
        Case{"unfinished", "select 1; select", {"select 1"}, " select", false, false},
        Case{"empty", " ;; \n", {}, " \n", true, false},
        Case{"string", "select ';', 'it''s;';", {"select ';', 'it''s;'"}, "", true, false},
        Case{"open_string", "select 'a;", {}, "select 'a;", false, true},
        Case{"plain_backslash",
             R"(select '\'; select 2;)",
             {R"(select '\')", "select 2"},
             "",
             true,
             false},
        Case{"escape_string", R"(select E'\';';)", {R"(select E'\';')"}, "", true, false},
        Case{"name_ending_in_e", R"(select date'\'; x)", {R"(select date'\')"}, " x", false, false},
        Case{"quoted_name", R"(select ";"";";)", {R"(select ";"";")"}, "", true, false},
        Case{"line_comment", "select 1 -- a;b\n;", {"select 1 -- a;b"}, "", true, false},
        Case{"comment_only", "-- nothing;\n", {}, "-- nothing;\n", true, false},
        Case{"comment_at_end", "select 1; -- done", {"select 1"}, " -- done", true, false},
        Case{"block_comment",
             "select /* ; /* ; */ ; */ 1;",
             {"select /* ; /* ; */ ; */ 1"},
             "",
             true,
             false},
        Case{"open_comment", "select 1; /* ;", {"select 1"}, " /* ;", false, true},
        Case{"dollars", "select $$a;'b$$;", {"select $$a;'b$$"}, "", true, false},
        Case{"tagged", "select $x$a;$$;$x$;", {"select $x$a;$$;$x$"}, "", true, false},
        Case{"open_dollars", "select $x$a;", {}, "select $x$a;", false, true},
        Case{"parameter", "select $1; select $2;", {"select $1", "select $2"}, "", true, false},
        Case{"dollar_in_name", "select a$b$c; x", {"select a$b$c"}, " x", false, false},
        Case{"minus", "select 1 - -1;", {"select 1 - -1"}, "", true, false},
        Case{"division", "select 4/2;", {"select 4/2"}, "", true, false},
        Case{"utf8", "select 'ü;ü';", {"select 'ü;ü'"}, "", true, false}),
    [](const ::testing::TestParamInfo<Case>& test) { return test.param.name; });

// Whatever the text, cutting it line by line as a shell does gives the same statements.
TEST(StatementSplitterRandom, LineByLineGivesTheSame) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {"'",  "\"",  ";", "--", "\n", "/*", "*/",
                                           "$$", "$x$", "a", " ",  "E",  "\\", "1"};
  for (int round = 0; round < 3000; ++round) {
    std::string script;
    for (int i = 0; i < 12; ++i) script += pieces[random() % pieces.size()];
    script += "\n";
    const Split whole = split_statements(script);
    std::vector<std::string> statements;
    std::string pending;
    for (size_t at = 0; at < script.size();) {
      const size_t end = script.find('\n', at) + 1;
      pending += script.substr(at, end - at);
      at = end;
      const Split part = split_statements(pending);
      statements.insert(statements.end(), part.statements.begin(), part.statements.end());
      pending = part.rest;
    }
    ASSERT_EQ(statements, whole.statements) << script;
    ASSERT_EQ(pending, whole.rest) << script;
  }
}

}  // namespace
}  // namespace headrace::cli
