#pragma once

// Paces records by a time in them: a record is due when as much time has passed since the first one
// as lies between their times, divided by the speed. The first record after a start is due at once,
// so a restart does not wait for what is past. A record older than one before it is due at once.

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace headrace::sources {

class ReplayPace {
 public:
  // `speed`: times real time, above 0.
  ReplayPace(Clock& clock, double speed) : clock_(clock), speed_(speed) {}
  // How long to wait until a record of that time is due; 0 when it is.
  microseconds wait_for(int64_t record_time_ms);

 private:
  Clock& clock_;
  const double speed_;
  std::optional<int64_t> first_ms_;
  SteadyTime started_;
};

}  // namespace headrace::sources
