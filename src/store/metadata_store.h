#pragma once

// The metadata store: small, durable, transactional key-value pairs with a version on each, in
// named spaces ("tables", "topics", …). It holds what must change atomically and be agreed on: the
// pointer from a table to its current metadata file is the most important entry.
//
// Embedded default: SQLite. The contract is such that PostgreSQL can stand in for it.
// Thread use: all methods from any thread; each call is one transaction.
// Errors: conflict (a precondition does not hold), unavailable (locked, full, I/O), corrupt.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::store {

struct Entry {
  std::string key;
  std::string value;
  int64_t version = 0;  // 1 when created, one more with each change
};

// One change of a transaction. expected_version: nullopt = whatever is there, 0 = must not exist.
struct Change {
  std::string space;
  std::string key;
  std::optional<std::string> value;  // nullopt removes the entry
  std::optional<int64_t> expected_version;
};

class MetadataStore {
 public:
  virtual ~MetadataStore() = default;
  virtual std::optional<Entry> get(std::string_view space, std::string_view key) = 0;
  // Entries whose key starts with `prefix`, in the order of their keys.
  virtual std::vector<Entry> list(std::string_view space, std::string_view prefix) = 0;
  // All changes or none; durable when it returns. Throws Error conflict naming the first entry
  // whose version is not the expected one.
  virtual void apply(const std::vector<Change>& changes) = 0;
};

// Opens or creates the database file. Several processes may open the same file.
std::unique_ptr<MetadataStore> open_sqlite_store(const std::string& path);

// Keeps everything in memory; for tests.
std::unique_ptr<MetadataStore> make_memory_store();

}  // namespace headrace::store
