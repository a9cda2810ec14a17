#include "cli/progress.h"

namespace headrace::cli {

Progress::Progress(Session& session, const Clock& clock)
    : session_(session),
      clock_(clock),
      is_shown_(session.console().err_is_terminal() && !session.globals().quiet &&
                !session.globals().json),
      start_(clock.steady_now()),
      next_(start_) {}

Progress::~Progress() { clear(); }

void Progress::update(const std::string& text) {
  if (!is_shown_) return;
  const SteadyTime now = clock_.steady_now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  session_.console().err("\r" + text + "\033[K");
  has_line_ = true;
}

void Progress::clear() {
  if (has_line_) session_.console().err("\r\033[K");
  has_line_ = false;
}

double Progress::elapsed_seconds() const {
  return std::chrono::duration<double>(clock_.steady_now() - start_).count();
}

}  // namespace headrace::cli
