#pragma once

// Files of a test that wants to do something in the middle of a piece of work, or to make one of
// its file operations fail.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"

namespace headrace::maintenance {

class WatchedFileSystem final : public FileSystem {
 public:
  // From now on the n-th operation fails, once. 0: none.
  void fail_in(int operations) { fail_in_ = operations; }
  // Called once, when the next file was written that is to be committed.
  void when_written(std::function<void()> call) { when_written_ = std::move(call); }

  std::unique_ptr<AppendFile> open_append(const std::string& path) override {
    count(path);
    return inner_->open_append(path);
  }
  std::unique_ptr<ReadFile> open_read(const std::string& path) override {
    count(path);
    return inner_->open_read(path);
  }
  std::unique_ptr<MappedFile> map(const std::string& path) override {
    count(path);
    return inner_->map(path);
  }
  std::string read(const std::string& path) override {
    count(path);
    return inner_->read(path);
  }
  void write_atomically(const std::string& path, std::string_view bytes) override {
    count(path);
    inner_->write_atomically(path, bytes);
  }
  void write_new(const std::string& path, std::string_view bytes) override {
    count(path);
    inner_->write_new(path, bytes);
  }
  bool exists(const std::string& path) override { return inner_->exists(path); }
  FileInfo info(const std::string& path) override {
    count(path);
    return inner_->info(path);
  }
  std::vector<FileInfo> list(const std::string& directory) override {
    count(directory);
    return inner_->list(directory);
  }
  void create_directories(const std::string& path) override {
    count(path);
    inner_->create_directories(path);
  }
  void rename(const std::string& from, const std::string& to) override {
    count(from);
    inner_->rename(from, to);
  }
  void remove(const std::string& path) override {
    count(path);
    inner_->remove(path);
  }
  void remove_all(const std::string& path) override { inner_->remove_all(path); }
  // A process that ends loses nothing that the system was given, so nobody waits for the disk.
  void sync_file(const std::string& path) override {
    count(path);
    if (when_written_) std::exchange(when_written_, nullptr)();
  }
  void sync_directory(const std::string& path) override { count(path); }

 private:
  void count(const std::string& path) {
    if (fail_in_ <= 0 || --fail_in_ != 0) return;
    fail(ErrorKind::kUnavailable, "the test lets {} fail", path);
  }

  std::unique_ptr<FileSystem> inner_ = make_posix_file_system();
  std::atomic<int> fail_in_ = 0;
  std::function<void()> when_written_;
};

}  // namespace headrace::maintenance
