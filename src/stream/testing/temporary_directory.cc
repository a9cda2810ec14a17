#include "stream/testing/temporary_directory.h"

#include <cerrno>
#include <cstdlib>

#include <unistd.h>

#include "base/error.h"

namespace headrace::stream {

namespace {

// Memory, where there is such: these tests are about what is synced when, not about how fast.
std::filesystem::path base_directory() {
  const std::filesystem::path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  path_ = (base_directory() / "headrace-stream-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) fail_errno(errno, "creating", path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace headrace::stream
