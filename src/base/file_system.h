#pragma once

// Files behind an interface: what must be durable, or what a test must be able to make fail, goes
// through here. Every method throws Error (not_found, already_exists, denied, unavailable for a
// full disk or an I/O error, invalid) naming the path.
//
// Thread use: a FileSystem may be used from any thread; one file object by one thread at a time,
// but for MappedFile, which is immutable and may be read by all.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

// Appends to the end of one file. Nothing is durable before sync_data() returns.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  virtual void append(std::string_view bytes) = 0;
  // Several pieces, in order, in one system call where possible.
  virtual void append_all(std::span<const std::string_view> pieces) = 0;
  virtual void sync_data() = 0;  // fdatasync
  virtual void truncate(uint64_t size_bytes) = 0;
  virtual uint64_t size_bytes() const = 0;
};

// A whole file mapped for reading; the view stays valid as long as the object lives, even when the
// file is removed meanwhile.
class MappedFile {
 public:
  virtual ~MappedFile() = default;
  virtual std::string_view bytes() const = 0;
};

class ReadFile {
 public:
  virtual ~ReadFile() = default;
  // Reads up to `size` bytes from `offset`; fewer only at the end of the file.
  virtual size_t read_at(uint64_t offset, char* into, size_t size) = 0;
  virtual uint64_t size_bytes() const = 0;
};

struct FileInfo {
  std::string name;  // without the directory
  bool is_directory = false;
  uint64_t size_bytes = 0;
  int64_t modified_micros = 0;
  uint64_t inode = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Opens for appending, creating the file when it is not there.
  virtual std::unique_ptr<AppendFile> open_append(const std::string& path) = 0;
  virtual std::unique_ptr<ReadFile> open_read(const std::string& path) = 0;
  virtual std::unique_ptr<MappedFile> map(const std::string& path) = 0;
  virtual std::string read(const std::string& path) = 0;
  // Writes a temporary file beside it, syncs, renames over `path`, syncs the directory: afterwards
  // the file holds either its old or its new content, durably.
  virtual void write_atomically(const std::string& path, std::string_view bytes) = 0;
  // Writes a new file durably (content and directory entry). already_exists when it is there.
  virtual void write_new(const std::string& path, std::string_view bytes) = 0;
  virtual bool exists(const std::string& path) = 0;
  virtual FileInfo info(const std::string& path) = 0;
  // Entries of a directory, by name.
  virtual std::vector<FileInfo> list(const std::string& directory) = 0;
  virtual void create_directories(const std::string& path) = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;
  virtual void remove(const std::string& path) = 0;  // no error when it is not there
  virtual void remove_all(const std::string& path) = 0;
  virtual void sync_file(const std::string& path) = 0;  // fsync a file written by somebody else
  virtual void sync_directory(const std::string& path) = 0;  // makes created names durable
};

// The operating system's files.
std::unique_ptr<FileSystem> make_posix_file_system();

}  // namespace headrace
