#include "sources/files/replay_pace.h"

#include <algorithm>

namespace headrace::sources {

microseconds ReplayPace::wait_for(int64_t record_time_ms) {
  const SteadyTime now = clock_.steady_now();
  if (!first_ms_) {
    first_ms_ = record_time_ms;
    started_ = now;
  }
  const auto passed = std::chrono::duration_cast<microseconds>(now - started_);
  const double due = static_cast<double>(record_time_ms - *first_ms_) * 1000.0 / speed_;
  constexpr double kLongest = 1e15;  // 31 years: nonsense in the data must not overflow
  return std::max(microseconds(0),
                  microseconds(static_cast<int64_t>(std::min(due, kLongest))) - passed);
}

}  // namespace headrace::sources
