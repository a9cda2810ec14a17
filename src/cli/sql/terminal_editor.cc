#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include <editline/readline.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/print/text_width.h"
#include "cli/sql/line_editor.h"

namespace headrace::cli {
namespace {

constexpr int kHistoryEntries = 5000;
// What ends a word. A dot is part of one: silver.orders.
constexpr const char* kWordBreaks = " \t\n\"'`@$><=;|&{(,)+-*/";

// libedit's callbacks take no context.
const LineEditor::Complete* completer = nullptr;
std::vector<std::string>* candidates = nullptr;
volatile std::sig_atomic_t interrupted = 0;
// Ctrl-C writes to its end 1. A signal just before a read(), or to another thread, would not end
// it.
int interrupts[2] = {-1, -1};

extern "C" void on_interrupt(int /*number*/) {
  const int saved = errno;
  interrupted = 1;
  [[maybe_unused]] const ssize_t written = ::write(interrupts[1], "c", 1);
  errno = saved;
}

// The next byte, or nothing at the end or when Ctrl-C was pressed.
std::optional<char> read_byte(int terminal) {
  for (;;) {
    pollfd entries[2] = {{terminal, POLLIN, 0}, {interrupts[0], POLLIN, 0}};
    if (::poll(entries, 2, -1) < 0 && errno != EINTR) return std::nullopt;
    if (interrupted != 0) return std::nullopt;
    if (entries[0].revents == 0) continue;
    char byte = 0;
    const ssize_t size = ::read(terminal, &byte, 1);
    if (size == 1) return byte;
    if (size == 0 || errno != EINTR) return std::nullopt;
  }
}

// Reads one character itself: libedit's own reader takes an interrupted read() up again, so that
// Ctrl-C would be noticed only at the second time.
extern "C" int read_character(FILE* stream) {
  std::string bytes;
  while (bytes.size() < 4) {
    const std::optional<char> next = read_byte(::fileno(stream));
    if (!next) return EOF;
    const char byte = *next;
    bytes += byte;
    std::string_view text = bytes;
    const char32_t code_point = take_code_point(text);
    if (text.empty() && code_point != 0xFFFD) return static_cast<int>(code_point);
    if (bytes.size() == 1 && static_cast<unsigned char>(byte) < 0xC0) break;
  }
  return '?';
}

extern "C" char* next_candidate(const char* /*text*/, int state) {
  if (candidates == nullptr || static_cast<size_t>(state) >= candidates->size()) return nullptr;
  return ::strdup((*candidates)[static_cast<size_t>(state)].c_str());
}

extern "C" char** attempt_completion(const char* text, int /*start*/, int end) {
  rl_attempted_completion_over = 1;  // no file names
  std::vector<std::string> found;
  const std::string_view line(rl_line_buffer);
  found = (*completer)(line.substr(0, std::min(line.size(), static_cast<size_t>(end))), text);
  if (found.empty()) return nullptr;
  // libedit asks by number: it counts the calls in `state` only as zero or not.
  candidates = &found;
  const bool goes_on =
      found.size() == 1 && (found.front().back() == '.' || found.front().back() == '(');
  rl_completion_append_character = goes_on ? 0 : static_cast<unsigned char>(' ');
  char** matches = rl_completion_matches(text, next_candidate);
  candidates = nullptr;
  return matches;
}

class TerminalEditor final : public LineEditor {
 public:
  TerminalEditor(std::string history_path, Complete complete)
      : history_path_(std::move(history_path)), complete_(std::move(complete)) {
    completer = &complete_;
    if (::pipe2(interrupts, O_CLOEXEC | O_NONBLOCK) != 0) {
      fail_errno(errno, "making", "a pipe for signals");
    }
    rl_readline_name = "headrace";
    rl_catch_signals = 0;
    rl_getc_function = read_character;
    rl_attempted_completion_function = attempt_completion;
    rl_completer_word_break_characters = const_cast<char*>(kWordBreaks);
    rl_basic_word_break_characters = kWordBreaks;
    rl_initialize();
    using_history();
    stifle_history(kHistoryEntries);
    load_history();
  }

  ~TerminalEditor() override {
    rl_deprep_terminal();
    completer = nullptr;
    for (int& end : interrupts) ::close(std::exchange(end, -1));
  }

  LineInput read_line(const std::string& prompt) override {
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = on_interrupt;
    forget_interrupts();
    ::sigaction(SIGINT, &action, &before);
    rl_resize_terminal();
    // libedit would do it after the prompt: an end of file that is typed at once would be lost.
    rl_prep_terminal(1);
    char* line = ::readline(prompt.c_str());
    ::sigaction(SIGINT, &before, nullptr);
    if (interrupted != 0) {
      std::free(line);
      std::fputs("^C\n", stdout);
      std::fflush(stdout);
      return {LineInput::Kind::kInterrupted, ""};
    }
    if (line == nullptr) return {LineInput::Kind::kEnd, ""};
    std::string text(line);
    std::free(line);
    return {LineInput::Kind::kLine, std::move(text)};
  }

  void remember(const std::string& entry) override {
    if (entry.empty() || entry == last_) return;
    last_ = entry;
    add_history(entry.c_str());
    if (!history_path_.empty()) write_history(history_path_.c_str());
  }

 private:
  static void forget_interrupts() {
    char byte = 0;
    while (::read(interrupts[0], &byte, 1) == 1) {
    }
    interrupted = 0;
  }

  void load_history() {
    if (history_path_.empty()) return;
    std::error_code failure;
    std::filesystem::create_directories(std::filesystem::path(history_path_).parent_path(),
                                        failure);
    // Queries may hold what nobody else should read.
    const int descriptor = ::open(history_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) {
      history_path_.clear();
      return;
    }
    ::close(descriptor);
    read_history(history_path_.c_str());
  }

  std::string history_path_;
  Complete complete_;
  std::string last_;
};

}  // namespace

std::unique_ptr<LineEditor> make_terminal_editor(const std::string& history_path,
                                                 LineEditor::Complete complete) {
  return std::make_unique<TerminalEditor>(history_path, std::move(complete));
}

}  // namespace headrace::cli
