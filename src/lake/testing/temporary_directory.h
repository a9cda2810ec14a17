#pragma once

// A directory that goes with its object, for tests.

#include <string>

namespace headrace::lake {

class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& name = "headrace-lake");
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace headrace::lake
