#pragma once

// Removes files that nothing refers to any more, beside the commits that left them: those need not
// wait for it. What is not removed when the process ends is an orphan, and goes with those.
//
// Life cycle: destroying it removes what is left. Thread use: any thread; one of its own.

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "objects/object_store.h"

namespace headrace::lake {

class FileRemover {
 public:
  explicit FileRemover(objects::ObjectStore& objects);
  ~FileRemover();
  FileRemover(const FileRemover&) = delete;
  FileRemover& operator=(const FileRemover&) = delete;

  // What cannot be removed stays. With very many before them, removes these at once.
  void add(const std::vector<std::string>& uris);

 private:
  void work(const std::stop_token& stop);
  void remove(const std::vector<std::string>& uris) noexcept;

  objects::ObjectStore& objects_;
  std::mutex mutex_;
  std::condition_variable_any added_;
  std::vector<std::string> waiting_;
  std::jthread thread_;
};

}  // namespace headrace::lake
