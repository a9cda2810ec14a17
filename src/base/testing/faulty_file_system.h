#pragma once

// A file system that fails its n-th mutating or reading operation, for fault loops:
//
//   for (int n = 1;; n += kFaultStep) {
//     FaultyFileSystem files(*posix, n);
//     if (run(files)) break;            // no operation failed: the loop is complete
//     check_that_nothing_was_lost();
//   }

#include <atomic>
#include <memory>

#include "base/file_system.h"

namespace headrace {

class FaultyFileSystem final : public FileSystem {
 public:
  // `fail_at` counts from 1; 0 never fails. A failing append writes the first half of its bytes
  // before it throws Error unavailable, as a full disk does. With `stay_broken`, every operation
  // after the failing one fails too, as after a lost device.
  FaultyFileSystem(FileSystem& inner, int fail_at, bool stay_broken = false)
      : inner_(inner), fail_at_(fail_at), stay_broken_(stay_broken) {}

  bool failed() const { return operations_ >= fail_at_ && fail_at_ > 0; }
  int operations() const { return operations_; }

  std::unique_ptr<AppendFile> open_append(const std::string& path) override;
  std::unique_ptr<ReadFile> open_read(const std::string& path) override;
  std::unique_ptr<MappedFile> map(const std::string& path) override;
  std::string read(const std::string& path) override;
  void write_atomically(const std::string& path, std::string_view bytes) override;
  void write_new(const std::string& path, std::string_view bytes) override;
  bool exists(const std::string& path) override;
  FileInfo info(const std::string& path) override;
  std::vector<FileInfo> list(const std::string& directory) override;
  void create_directories(const std::string& path) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;
  void remove_all(const std::string& path) override;
  void sync_file(const std::string& path) override;
  void sync_directory(const std::string& path) override;

 private:
  friend class FaultyAppendFile;
  friend class FaultyReadFile;
  // Counts one operation; true when it is to fail.
  bool is_next_to_fail();
  void count(std::string_view doing, const std::string& path);

  FileSystem& inner_;
  const int fail_at_;
  const bool stay_broken_;
  std::atomic<int> operations_{0};
};

}  // namespace headrace
