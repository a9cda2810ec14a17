#pragma once

// What immutable files hold, parsed, by path; the oldest goes when the total weight passes the
// limit, and that of a file which is removed is forgotten with it. A key may go on behind a path
// with "#…". Thread use: any thread.

#include <cstddef>
#include <iterator>
#include <list>
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
    if (entries_.contains(path)) return;
    order_.push_back(path);
    entries_[path] = {std::move(value), weight, std::prev(order_.end())};
    weight_ += weight;
    while (weight_ > max_weight_ && order_.size() > 1) erase(entries_.find(order_.front()));
  }

  void forget(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(path); found != entries_.end()) erase(found);
    const std::string further = path + "#";
    auto next = entries_.lower_bound(further);
    while (next != entries_.end() && next->first.starts_with(further)) erase(next++);
  }

 private:
  struct Entry {
    std::shared_ptr<const Value> value;
    size_t weight = 0;
    std::list<std::string>::iterator place;  // in order_
  };

  void erase(typename std::map<std::string, Entry>::iterator entry) {
    weight_ -= entry->second.weight;
    order_.erase(entry->second.place);
    entries_.erase(entry);
  }

  const size_t max_weight_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::list<std::string> order_;  // the oldest first
  size_t weight_ = 0;
};

}  // namespace headrace::lake
