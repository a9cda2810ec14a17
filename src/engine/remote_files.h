#pragma once

// Files that the engine reads through us: what SQL names by a path that they handle
// (read_parquet('s3://…')). Read only. The engine reads ranges, from many threads at once, and
// keeps what it read in its own memory cache, by path and version.
//
// Errors that the methods throw end the query with their message; not_found and denied keep their
// kind as far as the engine has one for it.

#include <cstdint>
#include <memory>
#include <string>

namespace headrace::engine {

class RemoteFiles {
 public:
  virtual ~RemoteFiles() = default;
  // Whether `path` is one of these files, by its form alone.
  virtual bool handles(const std::string& path) const = 0;
  virtual uint64_t size_bytes(const std::string& path) = 0;
  // Exactly `size` bytes from `offset`.
  virtual void read_at(const std::string& path, uint64_t offset, char* into, uint64_t size) = 0;
};

}  // namespace headrace::engine
