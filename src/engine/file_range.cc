// Bytes of a file, read through the engine's own file system.

#include "engine/state.h"

namespace headrace::engine {
namespace {

// What the engine gives has to be given back, whatever happens.
template <class Handle, void (*kDestroy)(Handle*)>
class Owned {
 public:
  explicit Owned(Handle handle = nullptr) : handle_(handle) {}
  ~Owned() { kDestroy(&handle_); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  Handle get() const { return handle_; }
  Handle* into() { return &handle_; }

 private:
  Handle handle_;
};

using Context = Owned<duckdb_client_context, duckdb_destroy_client_context>;
using Files = Owned<duckdb_file_system, duckdb_destroy_file_system>;
using Options = Owned<duckdb_file_open_options, duckdb_destroy_file_open_options>;
using File = Owned<duckdb_file_handle, duckdb_destroy_file_handle>;

[[noreturn]] void fail_file(duckdb_error_data error, const std::string& path) {
  check(error, "reading " + path);
  fail(ErrorKind::kUnavailable, "reading {}: the engine does not say why it failed", path);
}

}  // namespace

std::string Connection::read_file(const std::string& path, uint64_t offset, uint64_t size) {
  Context context;
  duckdb_connection_get_client_context(state_->connection, context.into());
  const Files files(duckdb_client_context_get_file_system(context.get()));
  const Options options(duckdb_create_file_open_options());
  duckdb_file_open_options_set_flag(options.get(), DUCKDB_FILE_FLAG_READ, true);
  File file;
  if (duckdb_file_system_open(files.get(), path.c_str(), options.get(), file.into()) ==
      DuckDBError) {
    fail_file(duckdb_file_system_error_data(files.get()), path);
  }
  const int64_t there = duckdb_file_handle_size(file.get());
  if (there < 0) fail_file(duckdb_file_handle_error_data(file.get()), path);
  const auto end = static_cast<uint64_t>(there);
  if (offset > end || size > end - offset) {
    fail(ErrorKind::kCorrupt, "reading {}: it has {} bytes, not {} from {} on", path, there, size,
         offset);
  }
  if (duckdb_file_handle_seek(file.get(), static_cast<int64_t>(offset)) == DuckDBError) {
    fail_file(duckdb_file_handle_error_data(file.get()), path);
  }
  std::string bytes(size, '\0');
  for (uint64_t done = 0; done < size;) {
    const int64_t read =
        duckdb_file_handle_read(file.get(), bytes.data() + done, static_cast<int64_t>(size - done));
    if (read < 0) fail_file(duckdb_file_handle_error_data(file.get()), path);
    if (read == 0) fail(ErrorKind::kCorrupt, "reading {}: it ends too early", path);
    done += static_cast<uint64_t>(read);
  }
  return bytes;
}

}  // namespace headrace::engine
