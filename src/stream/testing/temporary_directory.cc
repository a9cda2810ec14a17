#include "stream/testing/temporary_directory.h"

#include <cerrno>
#include <cstdlib>

#include "base/error.h"

namespace headrace::stream {

TemporaryDirectory::TemporaryDirectory() {
  path_ = (std::filesystem::temp_directory_path() / "headrace-stream-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) fail_errno(errno, "creating", path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace headrace::stream
