#include "cli/interrupt.h"

#include <atomic>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"

namespace headrace::cli {
namespace {

// What the signal handler may touch.
std::atomic<int> signal_pipe{-1};
std::atomic<int> signals_seen{0};

extern "C" void on_signal(int /*number*/) {
  const int saved = errno;
  if (signals_seen.fetch_add(1) >= 1) ::_exit(130);
  const char byte = 's';
  // A full pipe cannot be: at most one byte is ever written.
  [[maybe_unused]] const ssize_t written = ::write(signal_pipe.load(), &byte, 1);
  errno = saved;
}

}  // namespace

Interrupt::Interrupt() {
  if (::pipe2(pipe_, O_CLOEXEC) != 0) fail_errno(errno, "making", "a pipe for signals");
  signals_seen = 0;
  signal_pipe = pipe_[1];
  watcher_ = std::jthread([this] {
    char byte = 0;
    while (::read(pipe_[0], &byte, 1) < 0 && errno == EINTR) {
    }
    if (byte == 's') source_.request_stop();
  });
  struct sigaction action{};
  action.sa_handler = on_signal;  // without SA_RESTART: a blocked read returns to its caller
  ::sigaction(SIGINT, &action, &old_interrupt_);
  ::sigaction(SIGTERM, &action, &old_terminate_);
}

Interrupt::~Interrupt() {
  ::sigaction(SIGINT, &old_interrupt_, nullptr);
  ::sigaction(SIGTERM, &old_terminate_, nullptr);
  const char byte = 'e';
  [[maybe_unused]] const ssize_t written = ::write(pipe_[1], &byte, 1);
  if (watcher_.joinable()) watcher_.join();
  signal_pipe = -1;
  ::close(pipe_[0]);
  ::close(pipe_[1]);
}

}  // namespace headrace::cli
