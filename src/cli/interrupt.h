#pragma once

// Ctrl-C (and SIGTERM) as a stop token. The first one asks the work to stop, so that it can cancel
// its query or finish its batch; the second ends the process at once with exit code 130.
//
// Life cycle: signals go here while the object lives, and to whoever had them before afterwards;
// one at a time. Thread use: made and destroyed by the thread that runs the command.

#include <stop_token>
#include <thread>

#include <signal.h>

namespace headrace::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  bool is_requested() const { return source_.stop_requested(); }
  // What the signal does, for tests and for those who read the terminal themselves.
  void request() { source_.request_stop(); }

 private:
  std::stop_source source_;
  struct sigaction old_interrupt_{};
  struct sigaction old_terminate_{};
  int pipe_[2] = {-1, -1};
  std::jthread watcher_;  // callbacks of a stop token must not run inside a signal handler
};

}  // namespace headrace::cli
