#include "lake/file_remover.h"

#include <exception>
#include <utility>

namespace headrace::lake {
namespace {

constexpr size_t kMostWaiting = 10'000;

}  // namespace

FileRemover::FileRemover(objects::ObjectStore& objects)
    : objects_(objects), thread_([this](const std::stop_token& stop) { work(stop); }) {}

FileRemover::~FileRemover() {
  thread_.request_stop();
  thread_.join();
}

void FileRemover::add(const std::vector<std::string>& uris) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kMostWaiting) {
      waiting_.insert(waiting_.end(), uris.begin(), uris.end());
      added_.notify_one();
      return;
    }
  }
  remove(uris);
}

void FileRemover::work(const std::stop_token& stop) {
  for (;;) {
    std::vector<std::string> uris;
    {
      std::unique_lock lock(mutex_);
      added_.wait(lock, stop, [&] { return !waiting_.empty(); });
      uris = std::exchange(waiting_, {});
    }
    if (uris.empty()) return;
    remove(uris);
  }
}

void FileRemover::remove(const std::vector<std::string>& uris) noexcept {
  try {
    objects_.remove(uris);
  } catch (const std::exception&) {
    // What stays is an orphan; it does no harm.
  }
}

}  // namespace headrace::lake
