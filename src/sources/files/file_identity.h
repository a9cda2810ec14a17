#pragma once

// Tells a file from others though it is renamed, grows or is replaced under its name: its inode and
// a hash of its first bytes.

#include <cstdint>

#include "base/file_system.h"

namespace headrace::sources {

struct FileIdentity {
  static constexpr uint32_t kHeadBytes = 1024;

  uint64_t inode = 0;
  uint32_t head_bytes = 0;  // how many bytes head_hash is of: fewer while the file is shorter
  uint64_t head_hash = 0;

  // Whether the head is long enough to know the file by it alone, say after a restore.
  bool is_distinctive() const { return head_bytes == kHeadBytes; }
};

FileIdentity identify(ReadFile& file, uint64_t inode);
// Whether the file starts with the bytes that `known` was made of.
bool has_head_of(ReadFile& file, const FileIdentity& known);

}  // namespace headrace::sources
