#include "cli/sql/shell.h"

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/fake_host.h"
#include "cli/testing/text_console.h"

namespace headrace::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kOneRow =
    R"({"columns":[{"name":"n","type":"BIGINT"}],"rows":[[1]],"row_count":1,"elapsed_ms":1.0})";

class ScriptedEditor final : public LineEditor {
 public:
  LineInput read_line(const std::string& prompt) override {
    prompts.push_back(prompt);
    if (inputs.empty()) return {LineInput::Kind::kEnd, ""};
    LineInput input = inputs.front();
    inputs.pop_front();
    return input;
  }
  void remember(const std::string& entry) override { history.push_back(entry); }

  std::deque<LineInput> inputs;
  std::vector<std::string> prompts, history;
};

class ShellTest : public ::testing::Test {
 protected:
  void type(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) editor_.inputs.push_back({LineInput::Kind::kLine, line});
    session_.globals().project = ".";
    Service service(host_.connect({}));
    SeededRandom random(1);
    QueryRunner runner(session_, service, random);
    Shell(session_, runner, {}).run_interactive(editor_, "shop");
  }

  testing::FakeHost host_;
  testing::TextConsole console_;
  Session session_{host_, console_};
  ScriptedEditor editor_;
};

TEST_F(ShellTest, AStatementMayTakeSeveralLines) {
  host_.server.on("POST /v1/query", kOneRow);
  type({"select ';' as n,", "1;", ""});
  EXPECT_THAT(editor_.prompts, ElementsAre("shop> ", "  ...> ", "shop> ", "shop> "));
  EXPECT_THAT(editor_.history, ElementsAre("select ';' as n, 1;"));
  ASSERT_EQ(host_.server.requests.size(), 1U);
  EXPECT_THAT(host_.server.requests[0].body, HasSubstr(R"("sql":"select ';' as n,\n1")"));
  EXPECT_EQ(console_.output, " n\n───\n 1\n1 row\n");
}

TEST_F(ShellTest, InterruptDropsTheStatementBegun) {
  host_.server.on("POST /v1/query", kOneRow);
  editor_.inputs.push_back({LineInput::Kind::kLine, "select 'half"});
  editor_.inputs.push_back({LineInput::Kind::kInterrupted, ""});
  type({"select 1;"});
  EXPECT_EQ(editor_.prompts[2], "shop> ");
  ASSERT_EQ(host_.server.requests.size(), 1U);
}

TEST_F(ShellTest, ErrorsArePrintedAndItGoesOn) {
  host_.server.on(
      "POST /v1/query",
      R"({"error":{"type":"not_found","message":"table nope does not exist","code":404}})", 404);
  host_.server.on("POST /v1/query", kOneRow);
  type({"from nope; from t;", "from t;"});
  EXPECT_THAT(console_.errors, HasSubstr("not_found: table nope does not exist\n"));
  EXPECT_EQ(host_.server.requests.size(), 2U);  // the rest of the failed line is not run
  EXPECT_THAT(console_.output, HasSubstr("1 row\n"));
}

TEST_F(ShellTest, DotCommands) {
  host_.server.on("POST /v1/query", kOneRow);
  type({".mode csv", "from t;", ".mode table", ".timer on", "from t;", ".rows 5", "from t;",
        ".tables click", ".schema silver.t", ".mdoe", ".quit", "never"});
  EXPECT_THAT(console_.output, HasSubstr("n\n1\n n\n───\n 1\n1 row in 1.0 ms\n"));
  EXPECT_THAT(console_.errors, HasSubstr("there is no command .mdoe; did you mean .mode?"));
  EXPECT_THAT(host_.server.requests[2].body, HasSubstr(R"("max_rows":5)"));
  EXPECT_THAT(host_.server.requests[3].body, HasSubstr("ILIKE '%click%'"));
  EXPECT_THAT(host_.server.requests[4].body, HasSubstr("DESCRIBE silver.t"));
  EXPECT_EQ(editor_.inputs.size(), 1U);
}

TEST(Completer, OffersWhatFits) {
  int loads = 0;
  Completer completer([&loads]() -> CatalogRows {
    ++loads;
    return {{"silver", "clicks", "user_id"},
            {"silver", "clicks", "url"},
            {"silver", "orders", "id"},
            {"system", "jobs", "name"}};
  });
  EXPECT_THAT(completer.complete("select * from s", "s"),
              ::testing::IsSupersetOf({"silver.", "system.", "select"}));
  EXPECT_THAT(completer.complete("from silver.", "silver."),
              ElementsAre("silver.clicks", "silver.orders"));
  EXPECT_THAT(completer.complete("from silver.clicks where u", "u"),
              ::testing::IsSupersetOf({"user_id", "url", "union"}));
  EXPECT_THAT(completer.complete("SEL", "SEL"), ElementsAre("SELECT"));
  EXPECT_THAT(completer.complete(".t", ".t"), ElementsAre(".tables", ".timer"));
  EXPECT_EQ(loads, 1);
  completer.forget();
  completer.complete("from s", "s");
  EXPECT_EQ(loads, 2);
}

TEST(HistoryPath, FollowsXdg) {
  testing::TextConsole console;
  EXPECT_EQ(history_path(console), "");
  console.variables["HOME"] = "/home/me";
  EXPECT_EQ(history_path(console), "/home/me/.local/state/headrace/history");
  console.variables["XDG_STATE_HOME"] = "/state";
  EXPECT_EQ(history_path(console), "/state/headrace/history");
}

}  // namespace
}  // namespace headrace::cli
