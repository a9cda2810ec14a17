#pragma once

// The metadata store: small, durable, transactional key-value pairs with a version on each, in
// named spaces ("tables", "topics", …). It holds what must change atomically and be agreed on: the
// pointer from a table to its current metadata file is the most important entry.
//
// Embedded default: SQLite. PostgreSQL when several processes, on several machines, share one
// catalog. Thread use: all methods from any thread; each call is one transaction.
// Errors: conflict (a precondition does not hold), unavailable (locked, full, no connection:
// nothing was changed), commit_unknown (the connection broke while the commit was under way, and
// the database could not be asked about it), denied, corrupt.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

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
  // Changes nothing: the entry must have the expected version (1 or more), and keeps it until the
  // transaction has ended.
  bool is_check = false;
};
Change check_version(std::string space, std::string key, int64_t expected_version);

class MetadataStore {
 public:
  virtual ~MetadataStore() = default;
  virtual std::optional<Entry> get(std::string_view space, std::string_view key) = 0;
  // Entries whose key starts with `prefix`, in the order of their keys.
  virtual std::vector<Entry> list(std::string_view space, std::string_view prefix) = 0;
  // All changes or none; durable when it returns. Throws Error conflict naming an entry whose
  // version is not the expected one.
  virtual void apply(const std::vector<Change>& changes) = 0;
  // Milliseconds since 1970 by the clock that all users of the store share: the database's.
  virtual int64_t now_ms() = 0;
};

// Opens or creates the database file. Several processes may open the same file.
std::unique_ptr<MetadataStore> open_sqlite_store(const std::string& path);

struct PostgresOptions {
  std::string url;                  // postgresql://user:password@host:port/database, or key=value …
  std::string schema = "headrace";  // made if it is not there
  // How long a call goes on trying, with back-off, while there is no connection.
  milliseconds patience{30'000};
  milliseconds open_patience{20'000};
  // Told once of each call that has to be tried again, with the reason.
  std::function<void(std::string_view doing, const std::string& why)> on_retry = {};
};

// Opens the store, or creates its tables. PostgreSQL 13 or newer. The clock must outlive the store.
std::unique_ptr<MetadataStore> open_postgres_store(const PostgresOptions& options, Clock& clock);

// What is wrong with such a URL, without connecting; empty when nothing is.
std::string complaint_about_postgres_url(const std::string& url);

// Keeps everything in memory; for tests.
std::unique_ptr<MetadataStore> make_memory_store();

}  // namespace headrace::store
