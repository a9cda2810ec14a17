#include "objects/folder_store.h"

#include <cerrno>
#include <exception>
#include <filesystem>
#include <mutex>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/crc32c.h"
#include "objects/uri.h"

namespace headrace::objects {
namespace {

std::string tag_of(std::string_view bytes) {
  return format("{:08x}-{}", codec::crc32c(bytes), bytes.size());
}

// Keeps other processes from replacing what is being compared. The lock is the operating system's
// (flock, of the folder itself), so it ends with the process and leaves no file.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder)
      : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (descriptor_ < 0) fail_errno(errno, "opening", folder);
    if (::flock(descriptor_, LOCK_EX) == 0) return;
    const int error_number = errno;
    ::close(descriptor_);
    fail_errno(error_number, "locking", folder);
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

class FolderStore final : public ObjectStore {
 public:
  explicit FolderStore(FileSystem& files) : files_(files) {}

  ObjectInfo put(const std::string& uri, std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    files_.write_atomically(local_path(uri), bytes);
    return {uri, bytes.size(), tag_of(bytes)};
  }

  ObjectInfo put_if_absent(const std::string& uri, std::string_view bytes) override {
    files_.write_new(local_path(uri), bytes);
    return {uri, bytes.size(), tag_of(bytes)};
  }

  ObjectInfo put_if_match(const std::string& uri, std::string_view bytes,
                          const std::string& etag) override {
    const std::lock_guard lock(mutex_);
    const std::string path = local_path(uri);
    const FolderLock against_processes(std::filesystem::path(path).parent_path().string());
    if (tag_of(files_.read(path)) != etag) {
      fail(ErrorKind::kConflict, "writing {}: it is not what it was any more", uri);
    }
    files_.write_atomically(path, bytes);
    return {uri, bytes.size(), tag_of(bytes)};
  }

  ObjectInfo upload(const std::string& path, const std::string& uri) override {
    const auto source = files_.map(path);
    files_.write_new(local_path(uri), source->bytes());
    return {uri, source->bytes().size(), tag_of(source->bytes())};
  }

  std::string get(const std::string& uri) override { return files_.read(local_path(uri)); }

  ObjectPart get_range(const std::string& uri, uint64_t offset, uint64_t size,
                       const std::string& etag) override {
    const std::string path = local_path(uri);
    if (!etag.empty() && tag_of(files_.read(path)) != etag) {
      fail(ErrorKind::kConflict, "reading {}: it is not what it was any more", uri);
    }
    const auto file = files_.open_read(path);
    return part(*file, uri, offset, size);
  }

  ObjectPart get_end(const std::string& uri, uint64_t size) override {
    const auto file = files_.open_read(local_path(uri));
    const uint64_t all = file->size_bytes();
    return part(*file, uri, all > size ? all - size : 0, size);
  }

  ObjectInfo head(const std::string& uri) override {
    const FileInfo info = files_.info(local_path(uri));
    return {uri, info.size_bytes, {}, info.modified_micros};
  }

  void list(const std::string& folder, const OnObject& each) override {
    list_below(local_path(folder), each);
  }

  bool is_empty(const std::string& folder) override {
    const std::string path = local_path(folder);
    return !files_.exists(path) || files_.list(path).empty();
  }

  void remove(const std::vector<std::string>& uris) override {
    std::exception_ptr first;
    for (const std::string& uri : uris) {
      try {
        files_.remove(local_path(uri));
      } catch (const Error&) {
        if (first == nullptr) first = std::current_exception();
      }
    }
    if (first != nullptr) std::rethrow_exception(first);
  }

  void remove_folder(const std::string& folder) override { files_.remove_all(local_path(folder)); }

  int64_t remove_abandoned_uploads(const std::string&, Timestamp) override { return 0; }

  void make_folder(const std::string& folder) override {
    const std::string path = local_path(folder);
    std::vector<std::string> missing;
    std::filesystem::path at(path);
    while (!at.empty() && at.has_relative_path() && !files_.exists(at.string())) {
      missing.push_back(at.string());
      at = at.parent_path();
    }
    files_.create_directories(path);
    // A name is durable when the directory that holds it is synced.
    for (const std::string& created : missing) {
      files_.sync_directory(std::filesystem::path(created).parent_path().string());
    }
  }

 private:
  static ObjectPart part(ReadFile& file, const std::string& uri, uint64_t offset, uint64_t size) {
    ObjectPart result;
    result.object = {uri, file.size_bytes(), {}};
    const uint64_t left = offset < file.size_bytes() ? file.size_bytes() - offset : 0;
    result.bytes.resize(std::min(size, left));
    result.bytes.resize(file.read_at(offset, result.bytes.data(), result.bytes.size()));
    if (result.bytes.size() == file.size_bytes()) result.object.etag = tag_of(result.bytes);
    return result;
  }

  // Folders may go or come while they are looked at.
  void list_below(const std::string& directory, const OnObject& each) {
    std::vector<FileInfo> entries;
    try {
      entries = files_.list(directory);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kNotFound) return;
      throw;
    }
    for (const FileInfo& entry : entries) {
      const std::string path = directory + "/" + entry.name;
      if (entry.is_directory) {
        list_below(path, each);
      } else {
        each({file_uri(path), entry.size_bytes, {}, entry.modified_micros});
      }
    }
  }

  FileSystem& files_;
  std::mutex mutex_;  // of those that read what they replace
};

}  // namespace

std::unique_ptr<ObjectStore> make_folder_store(FileSystem& files) {
  return std::make_unique<FolderStore>(files);
}

}  // namespace headrace::objects
