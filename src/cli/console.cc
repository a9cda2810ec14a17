#include "cli/console.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"

namespace headrace::cli {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;

void write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      if (errno == EPIPE) throw OutputClosed{};
      fail_errno(errno, "writing to", descriptor == 1 ? "standard output" : "standard error");
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

winsize window() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) size = {};
  return size;
}

}  // namespace

SystemConsole::SystemConsole()
    : in_is_terminal_(::isatty(STDIN_FILENO) == 1),
      out_is_terminal_(::isatty(STDOUT_FILENO) == 1),
      err_is_terminal_(::isatty(STDERR_FILENO) == 1),
      has_color_(out_is_terminal_ && environment("NO_COLOR").empty() &&
                 environment("TERM") != "dumb") {}

SystemConsole::~SystemConsole() {
  try {
    flush();
  } catch (...) {
    // Nobody reads any more and nobody is left to tell.
    pending_.clear();
  }
}

void SystemConsole::out(std::string_view text) {
  pending_ += text;
  if (out_is_terminal_ || pending_.size() >= kBufferBytes) flush();
}

void SystemConsole::flush() {
  std::string bytes;
  bytes.swap(pending_);
  write_all(STDOUT_FILENO, bytes);
}

void SystemConsole::err(std::string_view text) {
  try {
    flush();
    write_all(STDERR_FILENO, text);
  } catch (const OutputClosed&) {
    pending_.clear();  // a message nobody reads must not end the work
  }
}

int SystemConsole::width() const {
  if (!out_is_terminal_) return 0;
  const int columns = window().ws_col;
  return columns > 0 ? columns : 80;
}

int SystemConsole::height() const {
  const int rows = window().ws_row;
  return rows > 0 ? rows : 24;
}

std::string SystemConsole::environment(const std::string& name) const {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

std::string styled(const Console& console, Style style, std::string_view text) {
  if (!console.has_color() || style == Style::kPlain || text.empty()) return std::string(text);
  const char* start = "";
  switch (style) {
    case Style::kPlain:
      break;
    case Style::kDim:
      start = "\033[2m";
      break;
    case Style::kBold:
      start = "\033[1m";
      break;
    case Style::kRed:
      start = "\033[31m";
      break;
    case Style::kYellow:
      start = "\033[33m";
      break;
    case Style::kGreen:
      start = "\033[32m";
      break;
  }
  return std::string(start).append(text).append("\033[0m");
}

}  // namespace headrace::cli
