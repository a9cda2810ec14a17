#include "sql_text/tokens.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::sql_text {
namespace {

using ::testing::ElementsAre;

// The tokens but for blanks, those that do not end marked with "…".
std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> tokens;
  for (size_t at = 0; at < text.size();) {
    const Token token = next_token(text, at);
    at = token.end;
    if (token.kind == TokenKind::kBlank) continue;
    tokens.emplace_back(token.of(text));
    if (token.is_open) tokens.back() += "…";
  }
  return tokens;
}

TEST(Tokens, hold_strings_names_and_comments_together) {
  EXPECT_THAT(tokens_of("a.\"b \"\"c\" = 'it''s'"),
              ElementsAre("a", ".", "\"b \"\"c\"", "=", "'it''s'"));
  EXPECT_THAT(tokens_of(R"(E'\'' date'\')"), ElementsAre(R"(E'\'')", "date", R"('\')"));
  EXPECT_THAT(tokens_of("$$a'b$$ $x$ $$ $x$ $1"), ElementsAre("$$a'b$$", "$x$ $$ $x$", "$", "1"));
  EXPECT_THAT(tokens_of("a$b$c ü"), ElementsAre("a$b$c", "ü"));
  EXPECT_THAT(tokens_of("1 -- 'x\n2"), ElementsAre("1", "-- 'x\n", "2"));
  EXPECT_THAT(tokens_of("/* /* */ ' */1=>2"), ElementsAre("/* /* */ ' */", "1", "=", ">", "2"));
}

TEST(Tokens, say_what_does_not_end) {
  EXPECT_THAT(tokens_of("a 'b"), ElementsAre("a", "'b…"));
  EXPECT_THAT(tokens_of("\"b"), ElementsAre("\"b…"));
  EXPECT_THAT(tokens_of("/* /* */"), ElementsAre("/* /* */…"));
  EXPECT_THAT(tokens_of("$$x"), ElementsAre("$$x…"));
  EXPECT_THAT(tokens_of("E'\\'"), ElementsAre("E'\\'…"));
}

TEST(Tokens, are_found_behind_blanks_and_comments) {
  const std::string_view text = " -- x\n/* y */ AT ";
  const Token found = next_meaningful(text, 0);
  EXPECT_EQ(found.of(text), "AT");
  EXPECT_TRUE(is_keyword(found, text, "at"));
  EXPECT_FALSE(is_keyword(found, text, "a"));
  EXPECT_EQ(next_meaningful(text, found.end).begin, text.size());
}

TEST(Tokens, name_things) {
  const std::string_view text = R"("a""b"Ab)";
  const Token quoted = next_token(text, 0);
  EXPECT_EQ(name_of(quoted, text), "a\"b");
  EXPECT_EQ(name_of(next_token(text, quoted.end), text), "Ab");
  EXPECT_FALSE(is_keyword(quoted, text, "a\"b"));
}

}  // namespace
}  // namespace headrace::sql_text
