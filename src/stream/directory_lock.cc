#include "stream/directory_lock.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"

namespace headrace::stream {
namespace {

// '~' is not possible in the name of a topic.
constexpr std::string_view kLockFile = "~lock";

std::string read_holder(int descriptor) {
  char text[32];
  const ssize_t size = ::pread(descriptor, text, sizeof text, 0);
  std::string holder(text, size > 0 ? static_cast<size_t>(size) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder.empty() ? "unknown" : holder;
}

}  // namespace

DirectoryLock::DirectoryLock(const std::string& directory) {
  const std::string path = format("{}/{}", directory, kLockFile);
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail_errno(errno, "opening", path);
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int error_number = errno;
    const std::string holder = read_holder(descriptor_);
    ::close(descriptor_);
    if (error_number != EWOULDBLOCK) fail_errno(error_number, "locking", path);
    fail(ErrorKind::kConflict,
         "opening the log {}: process {} has it open for writing; stop that one first, or open the "
         "log read-only",
         directory, holder);
  }
  // The number is for people only: that it is not written hinders nothing.
  const std::string pid = format("{}\n", ::getpid());
  if (::ftruncate(descriptor_, 0) != 0 ||
      ::pwrite(descriptor_, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    errno = 0;
  }
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

}  // namespace headrace::stream
