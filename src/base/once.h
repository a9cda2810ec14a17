#pragma once

// Runs a function until it has succeeded once. In place of std::call_once, which hangs on some
// platforms, and under ThreadSanitizer everywhere, when the function has thrown before.

#include <atomic>
#include <mutex>

namespace headrace {

// For any number of threads: all wait for the one that runs the function.
class Once {
 public:
  template <class Function>
  void run(Function&& function) {
    if (is_done_.load(std::memory_order_acquire)) return;
    const std::lock_guard lock(mutex_);
    if (is_done_.load(std::memory_order_relaxed)) return;
    std::forward<Function>(function)();
    is_done_.store(true, std::memory_order_release);
  }

 private:
  std::atomic<bool> is_done_ = false;
  std::mutex mutex_;
};

}  // namespace headrace
