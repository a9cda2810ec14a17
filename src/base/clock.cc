#include "base/clock.h"

#include "base/format.h"

namespace headrace {

std::string to_iso8601(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const int64_t micros = (time - seconds).count();
  return format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), micros);
}

Timestamp SystemClock::now() const {
  return std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady_now() const { return std::chrono::steady_clock::now(); }

bool SystemClock::sleep_for(microseconds duration, std::stop_token stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any wake;
  wake.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

Timestamp ManualClock::now() const {
  std::lock_guard lock(mutex_);
  return now_;
}

SteadyTime ManualClock::steady_now() const { return SteadyTime(now().time_since_epoch()); }

bool ManualClock::sleep_for(microseconds duration, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const Timestamp until = now_ + duration;
  return moved_.wait(lock, stop, [&] { return now_ >= until; });
}

void ManualClock::advance(microseconds by) {
  {
    std::lock_guard lock(mutex_);
    now_ += by;
  }
  moved_.notify_all();
}

}  // namespace headrace
