#include "lake/testing/temporary_directory.h"

#include <filesystem>

#include <stdlib.h>

#include "base/error.h"

namespace headrace::lake {

TemporaryDirectory::TemporaryDirectory(const std::string& name) {
  std::string pattern = (std::filesystem::temp_directory_path() / (name + "-XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) fail_errno(errno, "making a directory", pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace headrace::lake
