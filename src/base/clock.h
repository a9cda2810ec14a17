#pragma once

// Time behind an interface, so that a test decides what time it is.
// Thread use: all methods may be called from any thread.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>

namespace headrace {

// Wall-clock time since 1970-01-01 UTC, in the microseconds that Iceberg and DuckDB keep.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
// Monotonic time, for intervals.
using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::microseconds;
using std::chrono::milliseconds;

inline int64_t micros_since_epoch(Timestamp time) { return time.time_since_epoch().count(); }
inline int64_t millis_since_epoch(Timestamp time) { return micros_since_epoch(time) / 1000; }
// 2015-09-12T00:46:58.771000Z
std::string to_iso8601(Timestamp time);

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
  virtual SteadyTime steady_now() const = 0;
  // Returns true when the whole time has passed, false when a stop was requested before.
  virtual bool sleep_for(microseconds duration, std::stop_token stop) = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
  SteadyTime steady_now() const override;
  bool sleep_for(microseconds duration, std::stop_token stop) override;
};

// A clock that moves only when told to. sleep_for waits until somebody advances it far enough.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : now_(start) {}
  Timestamp now() const override;
  SteadyTime steady_now() const override;
  bool sleep_for(microseconds duration, std::stop_token stop) override;
  void advance(microseconds by);

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any moved_;
  Timestamp now_;
};

}  // namespace headrace
