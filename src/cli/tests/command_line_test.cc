#include "cli/command_line.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "cli/help/completion_script.h"
#include "cli/testing/fake_host.h"
#include "cli/testing/text_console.h"

namespace headrace::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CommandLine : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() /
                 ("headrace_cli_" + std::to_string(::getpid()) + "_" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(directory_);
    std::ofstream(directory_ / "headrace.yaml") << "name: shop\n";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  int run(std::vector<std::string> arguments) {
    console_.output.clear();
    console_.errors.clear();
    arguments.insert(arguments.begin(), {"--project", directory_.string()});
    return run_command_line(arguments, host_, console_);
  }
  testing::FakeServer& server() { return host_.server; }

  std::filesystem::path directory_;
  testing::FakeHost host_;
  testing::TextConsole console_;
};

TEST_F(CommandLine, HelpGroupsCommandsAndEndsWithExamples) {
  EXPECT_EQ(run({"--help"}), 0);
  for (const char* part : {"Make and run a project:", "Work with data:", "Look and mend:", "More:",
                           "\nExamples:\n  headrace init shop && cd shop", "deadletters"}) {
    EXPECT_THAT(console_.output, HasSubstr(part));
  }
}

TEST_F(CommandLine, EveryCommandTeachesByExample) {
  // All of them, as the help itself lists them: "  name      what it does".
  const auto commands_in = [](const std::string& help) {
    std::vector<std::string> names;
    bool lists_commands = false;
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty() && line.back() == ':') {
        lists_commands = line != "Options:" && line != "Arguments:" && line != "Examples:";
      } else if (lists_commands && line.size() > 2 && line.starts_with("  ") && line[2] != ' ') {
        names.push_back(line.substr(2, line.find(' ', 2) - 2));
      }
    }
    return names;
  };
  int commands = 0;
  const std::function<void(std::vector<std::string>)> look = [&](std::vector<std::string> path) {
    std::vector<std::string> by_flag = path;
    by_flag.emplace_back("--help");
    EXPECT_EQ(run(by_flag), 0);
    const std::string help = console_.output;
    SCOPED_TRACE(help);
    EXPECT_THAT(help, HasSubstr("Examples:\n  "));
    EXPECT_THAT(help, Not(HasSubstr("-h,--help VALUE")));
    EXPECT_THAT(help, Not(HasSubstr("# …")));
    if (!path.empty()) {
      ++commands;
      std::vector<std::string> by_name = path;
      by_name.insert(by_name.begin(), "help");
      EXPECT_EQ(run(by_name), 0);
      EXPECT_EQ(console_.output, help);
    }
    for (const std::string& name : commands_in(help)) {
      std::vector<std::string> below = path;
      below.push_back(name);
      look(below);
    }
  };
  look({});
  EXPECT_GE(commands, 30);
}

TEST_F(CommandLine, HelpOnCommandsOfCommandsAndOnTopics) {
  EXPECT_EQ(run({"help", "topics", "create"}), 0);
  EXPECT_THAT(console_.output, HasSubstr("Usage: headrace topics create [options] NAME"));
  EXPECT_EQ(run({"help", "exit-codes"}), 0);
  EXPECT_THAT(console_.output, HasSubstr("  69  unavailable"));
  EXPECT_EQ(run({"help", "exit-code"}), 3);
  EXPECT_THAT(console_.errors, HasSubstr("did you mean: exit-codes?"));
}

TEST_F(CommandLine, SuggestsTheCommandMeant) {
  EXPECT_EQ(run({"statsu"}), 2);
  EXPECT_EQ(console_.errors,
            "headrace: headrace has no command 'statsu'\n  did you mean: status?\n"
            "  see: headrace --help\n");
  EXPECT_EQ(run({"topics", "crate", "x"}), 2);
  EXPECT_THAT(console_.errors, HasSubstr("did you mean: create?"));
  EXPECT_EQ(run({"send", "t", "--skipbad"}), 2);
  EXPECT_THAT(console_.errors, HasSubstr("headrace send has no option --skipbad\n"
                                         "  did you mean: --skip-bad?\n"
                                         "  see: headrace send --help\n"));
  EXPECT_EQ(run({"tail"}), 2);
  EXPECT_THAT(console_.errors, HasSubstr("TOPIC is required"));
}

TEST_F(CommandLine, ATopicMayBeNamedLikeACommand) {
  server().on("GET /v1/topics/status", R"({"name":"status","partitions":[]})");
  EXPECT_EQ(run({"topics", "show", "status"}), 0);
  EXPECT_THAT(console_.output, HasSubstr("name        status"));
}

TEST_F(CommandLine, ErrorsCarryTheirExitCode) {
  host_.running_error = "connecting to http://127.0.0.1:8642: refused";
  EXPECT_EQ(run({"status"}), 69);
  EXPECT_EQ(console_.errors, "headrace: connecting to http://127.0.0.1:8642: refused\n");
  EXPECT_EQ(run({"status", "--json"}), 69);
  EXPECT_THAT(console_.errors, HasSubstr(R"({"error":{"type":"unavailable")"));
  host_.running_error.clear();
  EXPECT_EQ(run({"topics", "show", "nothing"}), 3);
}

TEST_F(CommandLine, WithoutAProjectItSaysHowToMakeOne) {
  std::filesystem::remove(directory_ / "headrace.yaml");
  EXPECT_EQ(run({"status"}), 3);
  EXPECT_THAT(console_.errors, HasSubstr("make one with: headrace init"));
}

TEST_F(CommandLine, GlobalOptionsStandBeforeOrAfterTheCommand) {
  server().on("GET /v1/topics", R"({"topics":[]})");
  EXPECT_EQ(run({"--server", "http://h:1", "--token", "s", "topics"}), 0);
  EXPECT_EQ(host_.connected.server_url, "http://h:1");
  EXPECT_EQ(run({"topics", "list", "--server", "http://h:2", "--json"}), 0);
  EXPECT_EQ(host_.connected.server_url, "http://h:2");
  EXPECT_EQ(console_.output, "{\"topics\":[]}\n");
}

TEST_F(CommandLine, AReaderThatGoesAwayIsNoError) {
  server().on("GET /v1/topics", R"({"topics":[{"name":"a"}]})");
  console_.closes_after = 5;
  EXPECT_EQ(run({"topics"}), 0);
  EXPECT_EQ(console_.errors, "");
}

TEST_F(CommandLine, CheckListsEveryProblem) {
  host_.report.counts = {{"topics", 2}, {"jobs", 1}};
  EXPECT_EQ(run({"check"}), 0);
  EXPECT_EQ(console_.output, "valid: 2 topics, 1 job\n");
  host_.report.problems = {
      {true, "jobs/a.yaml", 7, "unknown field 'inptu'", "did you mean 'input'?"},
      {false, "topics/t.yaml", 0, "no source feeds it", ""}};
  EXPECT_EQ(run({"check"}), 1);
  EXPECT_EQ(console_.output,
            "jobs/a.yaml:7: error: unknown field 'inptu'\n  did you mean 'input'?\n"
            "topics/t.yaml: warning: no source feeds it\n1 error\n");
  EXPECT_EQ(run({"check", "--json"}), 1);
  const Json answer = parse_json(console_.output, "output");
  EXPECT_EQ(member(answer, "valid"), Json(false));
  EXPECT_EQ(member(answer, "problems").as_array()[0].at("line"), Json(7));
}

TEST_F(CommandLine, InitServeRunAndVersionReachTheHost) {
  EXPECT_EQ(run({"init", "shop", "--name", "store"}), 0);
  EXPECT_EQ(host_.initialised.name, "store");
  EXPECT_THAT(console_.output, HasSubstr("  + shop/headrace.yaml\n"));
  EXPECT_EQ(run({"serve", "--listen", "127.0.0.1:9000"}), 0);
  EXPECT_EQ(host_.served.listen, "127.0.0.1:9000");
  EXPECT_EQ(host_.served.project_dir, directory_.string());
  EXPECT_EQ(run({"run", "clean"}), 0);
  EXPECT_EQ(console_.output,
            "clean: 1,000 records in 1.50 s, 1 dead letter (see: headrace deadletters list)\n"
            "  silver.clicks: 999 rows\n");
  EXPECT_EQ(console_.errors, "");  // no progress when it is not a terminal
  EXPECT_EQ(run({"version"}), 0);
  EXPECT_EQ(console_.output, "headrace 0.1.0\n");
}

TEST_F(CommandLine, ProgressIsForTerminals) {
  console_.is_terminal = true;
  EXPECT_EQ(run({"run", "clean"}), 0);
  EXPECT_THAT(console_.errors, HasSubstr("500 of 1,000 (50%) records"));
  EXPECT_EQ(run({"run", "clean", "--quiet"}), 0);
  EXPECT_EQ(console_.errors, "");
}

TEST_F(CommandLine, DocsWritesPagesAndFindsStaleOnes) {
  const std::string pages = (directory_ / "reference").string();
  EXPECT_EQ(run({"docs", pages}), 0);
  EXPECT_TRUE(std::filesystem::exists(directory_ / "reference" / "command-line.md"));
  EXPECT_EQ(run({"docs", pages, "--check"}), 0);
  EXPECT_EQ(console_.output, "2 pages up to date\n");
  std::ofstream(directory_ / "reference" / "nodes.md") << "old";
  EXPECT_EQ(run({"docs", pages, "--check"}), 1);
  EXPECT_THAT(console_.output, HasSubstr("stale: "));
}

// The shells themselves judge the scripts.
TEST_F(CommandLine, BashAcceptsAndUsesItsCompletion) {
  EXPECT_EQ(run({"completion", "bash"}), 0);
  const std::string script = (directory_ / "completion.bash").string();
  std::ofstream(script) << console_.output;
  const auto completes = [&](const std::string& words, int index) {
    const std::string out = (directory_ / "out").string();
    const std::string command = "bash -c 'source " + script + "; COMP_WORDS=(" + words +
                                "); COMP_CWORD=" + std::to_string(index) +
                                "; _headrace; echo \"${COMPREPLY[@]}\"' > " + out;
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ifstream file(out);
    std::string line;
    std::getline(file, line);
    return line;
  };
  EXPECT_EQ(completes("headrace sta", 1), "status");
  EXPECT_EQ(completes("headrace --project topics topics cr", 4), "create");
  EXPECT_EQ(completes("headrace send clicks --ski", 3), "--skip-bad");
}

TEST_F(CommandLine, CompletionForOtherShells) {
  EXPECT_EQ(run({"completion", "zsh"}), 0);
  EXPECT_THAT(console_.output, HasSubstr("#compdef headrace"));
  EXPECT_EQ(run({"completion", "fish"}), 0);
  EXPECT_THAT(console_.output, HasSubstr("-n '__fish_seen_subcommand_from send' -l skip-bad"));
  EXPECT_EQ(run({"completion", "tcsh"}), 2);
  EXPECT_THAT(console_.errors, HasSubstr("use bash, zsh or fish"));
}

}  // namespace
}  // namespace headrace::cli
