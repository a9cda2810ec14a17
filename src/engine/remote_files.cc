// Speaks DuckDB's C++ interface, as file_scan.cc does: its C interface has no way to give it files.
// Bound to the exact version of the library (third_party/duckdb/cpp has its headers); the test
// engine/tests/remote_files_test.cc fails when the two part. docs/decisions/0016-object-storage.md.

#include "engine/remote_files.h"

#include <duckdb/common/file_system.hpp>

#include "base/error.h"
#include "engine/client_context.h"
#include "engine/state.h"

namespace headrace::engine {
namespace {

class Handle final : public duckdb::FileHandle {
 public:
  Handle(duckdb::FileSystem& files, const std::string& name, duckdb::FileOpenFlags opened_for)
      : FileHandle(files, name, opened_for) {}
  void Close() override {}

  duckdb::idx_t position = 0;
};

class EngineFiles final : public duckdb::FileSystem {
 public:
  explicit EngineFiles(std::shared_ptr<RemoteFiles> files) : files_(std::move(files)) {}

  duckdb::unique_ptr<duckdb::FileHandle> OpenFile(
      const std::string& path, duckdb::FileOpenFlags flags,
      duckdb::optional_ptr<duckdb::FileOpener>) override {
    if (flags.OpenForWriting()) {
      throw duckdb::PermissionException("Cannot write %s: headrace writes objects itself", path);
    }
    return duckdb::make_uniq<Handle>(*this, path, flags);
  }

  void Read(duckdb::FileHandle& handle, void* into, int64_t size, duckdb::idx_t offset) override {
    in_engine([&] {
      files_->read_at(handle.path, offset, static_cast<char*>(into), static_cast<uint64_t>(size));
    });
  }
  int64_t Read(duckdb::FileHandle& handle, void* into, int64_t size) override {
    auto& file = handle.Cast<Handle>();
    const auto left = GetFileSize(handle) - static_cast<int64_t>(file.position);
    const int64_t read = std::min(size, std::max<int64_t>(left, 0));
    if (read > 0) Read(handle, into, read, file.position);
    file.position += static_cast<duckdb::idx_t>(read);
    return read;
  }

  int64_t GetFileSize(duckdb::FileHandle& handle) override {
    return in_engine([&] { return static_cast<int64_t>(files_->size_bytes(handle.path)); });
  }
  // Objects never change, so what was read of one stays right.
  duckdb::timestamp_t GetLastModifiedTime(duckdb::FileHandle&) override {
    return duckdb::timestamp_t(0);
  }
  std::string GetVersionTag(duckdb::FileHandle&) override { return "immutable"; }
  duckdb::FileType GetFileType(duckdb::FileHandle&) override {
    return duckdb::FileType::FILE_TYPE_REGULAR;
  }
  bool FileExists(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return in_engine([&] {
      try {
        files_->size_bytes(path);
        return true;
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::kNotFound) return false;
        throw;
      }
    });
  }
  // Names are taken as they are.
  duckdb::vector<duckdb::OpenFileInfo> Glob(const std::string& path, duckdb::FileOpener*) override {
    return {duckdb::OpenFileInfo(path)};
  }

  void Seek(duckdb::FileHandle& handle, duckdb::idx_t location) override {
    handle.Cast<Handle>().position = location;
  }
  void Reset(duckdb::FileHandle& handle) override { Seek(handle, 0); }
  duckdb::idx_t SeekPosition(duckdb::FileHandle& handle) override {
    return handle.Cast<Handle>().position;
  }
  bool CanSeek() override { return true; }
  bool OnDiskFile(duckdb::FileHandle&) override { return false; }
  bool CanHandleFile(const std::string& path) override { return files_->handles(path); }
  std::string GetName() const override { return "headrace"; }

 private:
  const std::shared_ptr<RemoteFiles> files_;
};

}  // namespace

void register_remote_files(Database::State& state, std::shared_ptr<RemoteFiles> files) {
  with_engine(state, "the SQL engine takes no files of ours", [&](duckdb::ClientContext& client) {
    duckdb::FileSystem::GetFileSystem(client).RegisterSubSystem(
        duckdb::make_uniq<EngineFiles>(std::move(files)));
  });
}

}  // namespace headrace::engine
