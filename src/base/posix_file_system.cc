#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <filesystem>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file_system.h"

namespace headrace {
namespace {

std::string parent_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, std::string_view doing)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)), path_(path) {
    if (fd_ < 0) fail_errno(errno, doing, path);
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  const std::string& path() const { return path_; }

  struct stat status() const {
    struct stat status{};
    if (::fstat(fd_, &status) != 0) fail_errno(errno, "inspecting", path_);
    return status;
  }

  void write_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_errno(errno, "writing", path_);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }

  void sync() const {
    if (::fsync(fd_) != 0) fail_errno(errno, "syncing", path_);
  }

 private:
  int fd_;
  std::string path_;
};

class PosixAppendFile final : public AppendFile {
 public:
  explicit PosixAppendFile(const std::string& path)
      : file_(path, O_WRONLY | O_CREAT | O_APPEND, "opening for append"),
        size_bytes_(static_cast<uint64_t>(file_.status().st_size)) {}

  void append(std::string_view bytes) override {
    file_.write_all(bytes);
    size_bytes_ += bytes.size();
  }

  void append_all(std::span<const std::string_view> pieces) override {
    std::vector<iovec> vectors;
    vectors.reserve(pieces.size());
    for (const std::string_view piece : pieces) {
      if (!piece.empty()) vectors.push_back({const_cast<char*>(piece.data()), piece.size()});
    }
    size_t first = 0;
    while (first < vectors.size()) {
      const size_t count = std::min<size_t>(vectors.size() - first, IOV_MAX);
      const ssize_t result = ::writev(file_.get(), &vectors[first], static_cast<int>(count));
      if (result < 0 && errno == EINTR) continue;
      if (result < 0) fail_errno(errno, "writing", file_.path());
      size_bytes_ += static_cast<uint64_t>(result);
      auto written = static_cast<size_t>(result);
      while (first < vectors.size() && written >= vectors[first].iov_len) {
        written -= vectors[first].iov_len;
        ++first;
      }
      if (written > 0) {
        vectors[first].iov_base = static_cast<char*>(vectors[first].iov_base) + written;
        vectors[first].iov_len -= written;
      }
    }
  }

  void sync_data() override {
    if (::fdatasync(file_.get()) != 0) fail_errno(errno, "syncing", file_.path());
  }

  void truncate(uint64_t size_bytes) override {
    if (::ftruncate(file_.get(), static_cast<off_t>(size_bytes)) != 0) {
      fail_errno(errno, "truncating", file_.path());
    }
    size_bytes_ = size_bytes;
  }

  uint64_t size_bytes() const override { return size_bytes_; }

 private:
  Descriptor file_;
  uint64_t size_bytes_;
};

class PosixReadFile final : public ReadFile {
 public:
  explicit PosixReadFile(const std::string& path) : file_(path, O_RDONLY, "opening") {}

  size_t read_at(uint64_t offset, char* into, size_t size) override {
    size_t total = 0;
    while (total < size) {
      const ssize_t got =
          ::pread(file_.get(), into + total, size - total, static_cast<off_t>(offset + total));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail_errno(errno, "reading", file_.path());
      if (got == 0) break;
      total += static_cast<size_t>(got);
    }
    return total;
  }

  uint64_t size_bytes() const override { return static_cast<uint64_t>(file_.status().st_size); }

 private:
  Descriptor file_;
};

class PosixMappedFile final : public MappedFile {
 public:
  explicit PosixMappedFile(const std::string& path) {
    const Descriptor file(path, O_RDONLY, "opening");
    size_bytes_ = static_cast<size_t>(file.status().st_size);
    if (size_bytes_ == 0) return;
    address_ = ::mmap(nullptr, size_bytes_, PROT_READ, MAP_SHARED, file.get(), 0);
    if (address_ == MAP_FAILED) {
      address_ = nullptr;
      fail_errno(errno, "mapping", path);
    }
  }
  ~PosixMappedFile() override {
    if (address_ != nullptr) ::munmap(address_, size_bytes_);
  }
  std::string_view bytes() const override {
    return {static_cast<const char*>(address_), size_bytes_};
  }

 private:
  void* address_ = nullptr;
  size_t size_bytes_ = 0;
};

FileInfo to_info(std::string name, const struct stat& status) {
  FileInfo info;
  info.name = std::move(name);
  info.is_directory = S_ISDIR(status.st_mode);
  info.size_bytes = static_cast<uint64_t>(status.st_size);
  info.modified_micros = status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1000;
  info.inode = status.st_ino;
  return info;
}

class PosixFileSystem final : public FileSystem {
 public:
  std::unique_ptr<AppendFile> open_append(const std::string& path) override {
    return std::make_unique<PosixAppendFile>(path);
  }

  std::unique_ptr<ReadFile> open_read(const std::string& path) override {
    return std::make_unique<PosixReadFile>(path);
  }

  std::unique_ptr<MappedFile> map(const std::string& path) override {
    return std::make_unique<PosixMappedFile>(path);
  }

  std::string read(const std::string& path) override {
    PosixReadFile file(path);
    std::string content(file.size_bytes(), '\0');
    content.resize(file.read_at(0, content.data(), content.size()));
    return content;
  }

  void write_atomically(const std::string& path, std::string_view bytes) override {
    const std::string temporary = path + ".tmp";
    {
      const Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC, "writing");
      file.write_all(bytes);
      file.sync();
    }
    rename(temporary, path);
    sync_directory(parent_of(path));
  }

  void write_new(const std::string& path, std::string_view bytes) override {
    {
      const Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL, "creating");
      file.write_all(bytes);
      file.sync();
    }
    sync_directory(parent_of(path));
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  FileInfo info(const std::string& path) override {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) fail_errno(errno, "inspecting", path);
    return to_info(std::filesystem::path(path).filename().string(), status);
  }

  std::vector<FileInfo> list(const std::string& directory) override {
    DIR* handle = ::opendir(directory.c_str());
    if (handle == nullptr) fail_errno(errno, "listing", directory);
    const std::unique_ptr<DIR, int (*)(DIR*)> owner(handle, ::closedir);
    std::vector<FileInfo> entries;
    while (const dirent* entry = ::readdir(handle)) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat status{};
      // A file that vanished since it was listed is as good as never listed.
      if (::fstatat(::dirfd(handle), entry->d_name, &status, 0) != 0) continue;
      entries.push_back(to_info(name, status));
    }
    std::sort(entries.begin(), entries.end(),
              [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
    return entries;
  }

  void create_directories(const std::string& path) override {
    std::error_code failure;
    std::filesystem::create_directories(path, failure);
    if (failure) fail_errno(failure.value(), "creating directory", path);
  }

  void rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) fail_errno(errno, "renaming", from + " to " + to);
  }

  void remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail_errno(errno, "removing", path);
  }

  void remove_all(const std::string& path) override {
    std::error_code failure;
    std::filesystem::remove_all(path, failure);
    if (failure) fail_errno(failure.value(), "removing", path);
  }

  void sync_file(const std::string& path) override { Descriptor(path, O_RDONLY, "opening").sync(); }

  void sync_directory(const std::string& path) override {
    Descriptor(path, O_RDONLY | O_DIRECTORY, "opening directory").sync();
  }
};

}  // namespace

std::unique_ptr<FileSystem> make_posix_file_system() { return std::make_unique<PosixFileSystem>(); }

}  // namespace headrace
