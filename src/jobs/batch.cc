#include "jobs/batch.h"

#include <set>
#include <tuple>

#include "base/error.h"

namespace headrace::jobs {

int64_t InputBatch::record_count() const {
  int64_t count = 0;
  for (const auto& [topic, slices] : topics) {
    for (const PartitionSlice& slice : slices) count += slice.to - slice.from;
  }
  return count;
}

void InputBatch::reject(Rejection rejection) {
  std::lock_guard lock(mutex_);
  rejections_.push_back(std::move(rejection));
}

void InputBatch::set_grown() {
  is_grown_ = true;
  has_news_ = false;
}

std::vector<Rejection> InputBatch::take_rejections() {
  std::lock_guard lock(mutex_);
  std::vector<Rejection> distinct;
  std::set<std::tuple<std::string, int, stream::Offset>> seen;
  for (Rejection& rejection : rejections_) {
    if (!rejection.topic.empty() &&
        !seen.emplace(rejection.topic, rejection.partition, rejection.offset).second) {
      continue;
    }
    distinct.push_back(std::move(rejection));
  }
  rejections_.clear();
  return distinct;
}

void BatchBoard::put(const std::string& job, std::shared_ptr<InputBatch> batch) {
  std::lock_guard lock(mutex_);
  batches_[job] = std::move(batch);
}

void BatchBoard::remove(const std::string& job) {
  std::lock_guard lock(mutex_);
  batches_.erase(job);
}

std::shared_ptr<InputBatch> BatchBoard::get(const std::string& job) const {
  std::lock_guard lock(mutex_);
  const auto found = batches_.find(job);
  if (found == batches_.end()) fail(ErrorKind::kInternal, "job {} has no batch at work", job);
  return found->second;
}

}  // namespace headrace::jobs
