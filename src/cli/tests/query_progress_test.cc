#include "cli/sql/query_progress.h"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/fake_host.h"
#include "cli/testing/text_console.h"

namespace headrace::cli {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class QueryProgressTest : public ::testing::Test {
 protected:
  // Watches until the query has been asked for twice, and returns what was printed.
  std::string shown(std::optional<double> part) {
    std::atomic<int> asked = 0;
    QueryProgress progress(
        session_,
        [&] {
          ++asked;
          return part;
        },
        milliseconds(0));
    SystemClock clock;
    while (asked < 2) clock.sleep_for(milliseconds(1), {});
    progress.stop();
    return console_.errors;
  }

  testing::FakeHost host_;
  testing::TextConsole console_;
  Session session_{host_, console_};
};

TEST_F(QueryProgressTest, TellsHowFarTheQueryIsAndTakesItsLineAway) {
  console_.is_terminal = true;
  EXPECT_THAT(shown(0.42), AllOf(HasSubstr("running for 0 s, 42 % done (Ctrl-C cancels it)"),
                                 EndsWith("\r\033[K")));
}

TEST_F(QueryProgressTest, TellsTheTimeAloneWhenNothingElseIsKnown) {
  console_.is_terminal = true;
  EXPECT_THAT(shown(std::nullopt), HasSubstr("running for 0 s (Ctrl-C cancels it)"));
}

TEST_F(QueryProgressTest, IsSilentWithoutATerminal) {
  bool is_asked = false;
  QueryProgress progress(
      session_,
      [&] {
        is_asked = true;
        return std::optional(0.5);
      },
      milliseconds(0));
  progress.stop();
  EXPECT_FALSE(is_asked);
  EXPECT_EQ(console_.errors, "");
}

TEST_F(QueryProgressTest, AsksTheServerForTheQueryOfItsName) {
  session_.globals().server = "http://127.0.0.1:1";
  host_.server.on("GET /v1/queries",
                  R"({"queries":[{"query_id":"other","progress":0.1},
                                 {"query_id":"mine","progress":0.5}]})");
  EXPECT_EQ(ask_server(session_, "mine")(), 0.5);
  EXPECT_EQ(ask_server(session_, "gone")(), std::nullopt);
  host_.running_error = "nobody answers";
  EXPECT_EQ(ask_server(session_, "mine")(), std::nullopt);
}

}  // namespace
}  // namespace headrace::cli
