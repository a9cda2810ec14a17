#pragma once

// Waiting times between retries: doubling from 100 ms to 30 s, each drawn from the upper half of
// its range so that many sources that failed together do not come back together.

#include <stop_token>

#include "base/clock.h"
#include "base/random.h"

namespace headrace::sources {

class Backoff {
 public:
  Backoff(Clock& clock, Random& random) : clock_(clock), random_(random) {}
  // False when a stop was requested meanwhile.
  bool wait(std::stop_token stop) { return clock_.sleep_for(next_delay(), std::move(stop)); }
  void reset() { delay_ = kFirst; }
  microseconds next_delay();

 private:
  static constexpr microseconds kFirst{100'000};
  static constexpr microseconds kLongest{30'000'000};
  Clock& clock_;
  Random& random_;
  microseconds delay_ = kFirst;
};

}  // namespace headrace::sources
