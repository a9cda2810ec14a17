#include "base/testing/faulty_file_system.h"

#include "base/error.h"

namespace headrace {

class FaultyAppendFile final : public AppendFile {
 public:
  FaultyAppendFile(FaultyFileSystem& faults, std::unique_ptr<AppendFile> inner, std::string path)
      : faults_(faults), inner_(std::move(inner)), path_(std::move(path)) {}

  void append(std::string_view bytes) override {
    if (faults_.is_next_to_fail()) {
      inner_->append(bytes.substr(0, bytes.size() / 2));
      fail(ErrorKind::kUnavailable, "writing {}: injected fault", path_);
    }
    inner_->append(bytes);
  }
  void append_all(std::span<const std::string_view> pieces) override {
    for (const std::string_view piece : pieces) append(piece);
  }
  void sync_data() override {
    faults_.count("syncing", path_);
    inner_->sync_data();
  }
  void truncate(uint64_t size_bytes) override {
    faults_.count("truncating", path_);
    inner_->truncate(size_bytes);
  }
  uint64_t size_bytes() const override { return inner_->size_bytes(); }

 private:
  FaultyFileSystem& faults_;
  std::unique_ptr<AppendFile> inner_;
  std::string path_;
};

class FaultyReadFile final : public ReadFile {
 public:
  FaultyReadFile(FaultyFileSystem& faults, std::unique_ptr<ReadFile> inner, std::string path)
      : faults_(faults), inner_(std::move(inner)), path_(std::move(path)) {}

  size_t read_at(uint64_t offset, char* into, size_t size) override {
    faults_.count("reading", path_);
    return inner_->read_at(offset, into, size);
  }
  uint64_t size_bytes() const override { return inner_->size_bytes(); }

 private:
  FaultyFileSystem& faults_;
  std::unique_ptr<ReadFile> inner_;
  std::string path_;
};

bool FaultyFileSystem::is_next_to_fail() {
  const int operation = ++operations_;
  return fail_at_ > 0 && (operation == fail_at_ || (stay_broken_ && operation > fail_at_));
}

void FaultyFileSystem::count(std::string_view doing, const std::string& path) {
  if (is_next_to_fail()) fail(ErrorKind::kUnavailable, "{} {}: injected fault", doing, path);
}

std::unique_ptr<AppendFile> FaultyFileSystem::open_append(const std::string& path) {
  count("opening", path);
  return std::make_unique<FaultyAppendFile>(*this, inner_.open_append(path), path);
}

std::unique_ptr<ReadFile> FaultyFileSystem::open_read(const std::string& path) {
  count("opening", path);
  return std::make_unique<FaultyReadFile>(*this, inner_.open_read(path), path);
}

std::unique_ptr<MappedFile> FaultyFileSystem::map(const std::string& path) {
  count("mapping", path);
  return inner_.map(path);
}

std::string FaultyFileSystem::read(const std::string& path) {
  count("reading", path);
  return inner_.read(path);
}

void FaultyFileSystem::write_atomically(const std::string& path, std::string_view bytes) {
  count("writing", path);
  inner_.write_atomically(path, bytes);
}

void FaultyFileSystem::write_new(const std::string& path, std::string_view bytes) {
  count("creating", path);
  inner_.write_new(path, bytes);
}

bool FaultyFileSystem::exists(const std::string& path) { return inner_.exists(path); }

FileInfo FaultyFileSystem::info(const std::string& path) {
  count("inspecting", path);
  return inner_.info(path);
}

std::vector<FileInfo> FaultyFileSystem::list(const std::string& directory) {
  count("listing", directory);
  return inner_.list(directory);
}

void FaultyFileSystem::create_directories(const std::string& path) {
  count("creating directory", path);
  inner_.create_directories(path);
}

void FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  count("renaming", from);
  inner_.rename(from, to);
}

void FaultyFileSystem::remove(const std::string& path) {
  count("removing", path);
  inner_.remove(path);
}

void FaultyFileSystem::remove_all(const std::string& path) {
  count("removing", path);
  inner_.remove_all(path);
}

void FaultyFileSystem::sync_file(const std::string& path) {
  count("syncing", path);
  inner_.sync_file(path);
}

void FaultyFileSystem::sync_directory(const std::string& path) {
  count("syncing", path);
  inner_.sync_directory(path);
}

}  // namespace headrace
