#include "sources/files/file_identity.h"

#include "sources/stable_hash.h"

namespace headrace::sources {
namespace {

// Hashes the first bytes; returns how many there were.
uint32_t hash_head(ReadFile& file, uint32_t bytes, uint64_t& hash) {
  char head[FileIdentity::kHeadBytes];
  const size_t got = file.read_at(0, head, bytes);
  hash = stable_hash({head, got});
  return static_cast<uint32_t>(got);
}

}  // namespace

FileIdentity identify(ReadFile& file, uint64_t inode) {
  FileIdentity identity;
  identity.inode = inode;
  identity.head_bytes = hash_head(file, FileIdentity::kHeadBytes, identity.head_hash);
  return identity;
}

bool has_head_of(ReadFile& file, const FileIdentity& known) {
  uint64_t hash = 0;
  return hash_head(file, known.head_bytes, hash) == known.head_bytes && hash == known.head_hash;
}

}  // namespace headrace::sources
