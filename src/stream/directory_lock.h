#pragma once

// Keeps a second writing process out of a log directory. The lock is the operating system's
// (flock), so it ends with the process, however that ends. Private to this module.

#include <string>

namespace headrace::stream {

class DirectoryLock {
 public:
  // Error conflict, naming the process that holds it.
  explicit DirectoryLock(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace headrace::stream
