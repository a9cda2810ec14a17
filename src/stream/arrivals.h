#pragma once

// Wakes those who wait for new records of a topic. Thread-safe. Private to this module.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace headrace::stream {

class Arrivals {
 public:
  // After something that a waiter's condition reads has changed.
  void notify() {
    {
      std::lock_guard lock(mutex_);
    }  // a waiter is before its check or asleep, never between
    changed_.notify_all();
  }

  // Until `condition` holds; false at the deadline or on stop.
  template <class Condition>
  bool wait(std::chrono::milliseconds timeout, std::stop_token stop, Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, stop, timeout, condition);
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
};

}  // namespace headrace::stream
