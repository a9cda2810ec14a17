// The shell as a person meets it: a real process on a pseudo-terminal.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command_line.h"
#include "cli/testing/fake_host.h"

namespace headrace::cli {
namespace {

using ::testing::HasSubstr;

constexpr int kPatienceMs = 20'000;  // far more than needed, only ends a test that hangs

http::Response answer_query(const http::Request& request) {
  http::Response response;
  if (request.body.find("information_schema") != std::string::npos) {
    response.body =
        R"({"columns":[],"rows":[["silver","clicks","user_id"]],"row_count":1,"elapsed_ms":1})";
  } else if (request.body.find("forever") != std::string::npos) {
    while (!request.cancelled.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    fail(ErrorKind::kCancelled, "request cancelled");
  } else {
    response.body = R"({"columns":[{"name":"grüße","type":"BIGINT"}],"rows":[[4711]],)"
                    R"("row_count":1,"elapsed_ms":1})";
  }
  return response;
}

class Terminal : public ::testing::Test {
 protected:
  void SetUp() override {
    state_ = std::filesystem::temp_directory_path() /
             ("headrace_terminal_" + std::to_string(::getpid()));
    winsize size{24, 80, 0, 0};
    child_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
    ASSERT_GE(child_, 0);
    if (child_ == 0) run_child();
    EXPECT_TRUE(wait_for("shop> ")) << seen_;
  }

  void TearDown() override {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    ::close(terminal_);
    std::filesystem::remove_all(state_);
  }

  [[noreturn]] void run_child() {
    ::setenv("XDG_STATE_HOME", state_.c_str(), 1);
    ::setenv("TERM", "xterm", 1);
    ::setenv("NO_COLOR", "1", 1);
    testing::FakeHost host;
    host.server.on("GET /v1/status", R"({"name":"shop"})");
    host.server.on("POST /v1/query", answer_query);
    std::vector<std::string> words = {"headrace", "--server", "http://127.0.0.1:1", "sql"};
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    ::_exit(run_command_line(static_cast<int>(pointers.size()), pointers.data(), host));
  }

  void type(const std::string& keys) {
    seen_.clear();
    ASSERT_EQ(::write(terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }

  bool wait_for(const std::string& text) {
    while (seen_.find(text) == std::string::npos) {
      pollfd entry{terminal_, POLLIN, 0};
      if (::poll(&entry, 1, kPatienceMs) <= 0) return false;
      char buffer[4096];
      const ssize_t size = ::read(terminal_, buffer, sizeof buffer);
      if (size <= 0) return false;
      seen_.append(buffer, static_cast<size_t>(size));
    }
    return true;
  }

  int wait_for_end() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::filesystem::path state_;
  pid_t child_ = -1;
  int terminal_ = -1;
  std::string seen_;
};

TEST_F(Terminal, RunsAQueryAndKeepsItsHistory) {
  type("select 'ü'\r");
  ASSERT_TRUE(wait_for("...> ")) << seen_;
  type("as x;\r");
  ASSERT_TRUE(wait_for("4711")) << seen_;
  ASSERT_TRUE(wait_for("shop> ")) << seen_;
  type("\x04");
  EXPECT_EQ(wait_for_end(), 0);
  std::ifstream history(state_ / "headrace" / "history");
  const std::string text{std::istreambuf_iterator<char>(history), {}};
  EXPECT_THAT(text, HasSubstr("select"));
  EXPECT_THAT(text, HasSubstr("as"));
}

TEST_F(Terminal, TabCompletesTables) {
  type("from sil\t");
  ASSERT_TRUE(wait_for("ver.")) << seen_;
  type("cl\t");
  ASSERT_TRUE(wait_for("icks")) << seen_;
  type(";\r");
  ASSERT_TRUE(wait_for("4711")) << seen_;
}

TEST_F(Terminal, InterruptDropsTheLineAtOnce) {
  type("select half");
  ASSERT_TRUE(wait_for("half")) << seen_;
  type("\x03");
  ASSERT_TRUE(wait_for("shop> ")) << seen_;
  type("select 1;\r");
  ASSERT_TRUE(wait_for("4711")) << seen_;
}

TEST_F(Terminal, InterruptCancelsTheQueryAndTheShellGoesOn) {
  type("select forever;\r");
  ASSERT_TRUE(wait_for("forever;\r\n")) << seen_;
  // Only once the query runs does Ctrl-C mean the query; before, it would mean the line.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  type("\x03");
  ASSERT_TRUE(wait_for("cancelled: query cancelled")) << seen_;
  ASSERT_TRUE(wait_for("shop> ")) << seen_;
}

}  // namespace
}  // namespace headrace::cli
