#pragma once

// What immutable files hold, parsed, by path; the oldest goes when the total weight passes the
// limit. Thread use: any thread.

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace headrace::lake {

template <class Value>
class FileCache {
 public:
  explicit FileCache(size_t max_weight) : max_weight_(max_weight) {}

  std::shared_ptr<const Value> find(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(path);
    return found == entries_.end() ? nullptr : found->second.value;
  }

  void put(const std::string& path, std::shared_ptr<const Value> value, size_t weight) {
    const std::lock_guard lock(mutex_);
    if (!entries_.emplace(path, Entry{std::move(value), weight}).second) return;
    order_.push_back(path);
    weight_ += weight;
    while (weight_ > max_weight_ && order_.size() > 1) {
      const auto oldest = entries_.find(order_.front());
      weight_ -= oldest->second.weight;
      entries_.erase(oldest);
      order_.pop_front();
    }
  }

 private:
  struct Entry {
    std::shared_ptr<const Value> value;
    size_t weight;
  };
  const size_t max_weight_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::deque<std::string> order_;
  size_t weight_ = 0;
};

}  // namespace headrace::lake
