#include <chrono>
#include <mutex>
#include <thread>

#include <sqlite3.h>

#include "base/error.h"
#include "store/metadata_store.h"

namespace headrace::store {
namespace {

constexpr int kSqliteFormatVersion = 1;
constexpr int kBusyTimeoutMs = 10'000;

ErrorKind kind_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorKind::kCorrupt;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return ErrorKind::kDenied;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return ErrorKind::kInternal;
    default:
      return ErrorKind::kUnavailable;
  }
}

// A connection and the file it belongs to, for messages.
class Handle {
 public:
  explicit Handle(std::string path) : path_(std::move(path)) {
    const int code =
        sqlite3_open_v2(path_.c_str(), &db_,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) {
      const std::string why = db_ != nullptr ? sqlite3_errmsg(db_) : "out of memory";
      sqlite3_close_v2(db_);
      fail(kind_of(code),
           "opening the metadata store {}: {}; check that its directory exists "
           "and may be written",
           path_, why);
    }
    sqlite3_extended_result_codes(db_, 1);
    sqlite3_busy_timeout(db_, kBusyTimeoutMs);
  }
  ~Handle() { sqlite3_close_v2(db_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void check(int code, std::string_view doing) const {
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
    fail(kind_of(code), "{} in the metadata store {}: {}", doing, path_, sqlite3_errmsg(db_));
  }
  void execute(const char* sql, std::string_view doing) const {
    check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), doing);
  }
  sqlite3* get() const { return db_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  sqlite3* db_ = nullptr;
};

class Statement {
 public:
  Statement(const Handle& handle, const char* sql) : handle_(handle) {
    handle_.check(
        sqlite3_prepare_v3(handle.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr),
        "preparing a statement");
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(int index, std::string_view text) const {
    handle_.check(sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(),
                                      text.size(), SQLITE_STATIC, SQLITE_UTF8),
                  "binding a value");
  }
  void bind(int index, int64_t number) const {
    handle_.check(sqlite3_bind_int64(statement_, index, number), "binding a value");
  }
  bool step(std::string_view doing) const {
    const int code = sqlite3_step(statement_);
    handle_.check(code, doing);
    return code == SQLITE_ROW;
  }
  std::string text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {bytes == nullptr ? "" : bytes,
            static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }
  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  void reset() const {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

 private:
  const Handle& handle_;
  sqlite3_stmt* statement_ = nullptr;
};

// A statement is left ready for its next use on every way out.
class Use {
 public:
  explicit Use(const Statement& statement) : statement_(statement) {}
  ~Use() { statement_.reset(); }
  const Statement* operator->() const { return &statement_; }

 private:
  const Statement& statement_;
};

class Transaction {
 public:
  explicit Transaction(const Handle& handle) : handle_(handle) {
    handle_.execute("BEGIN IMMEDIATE", "starting a transaction");
  }
  ~Transaction() {
    if (!committed_) sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    handle_.execute("COMMIT", "committing");
    committed_ = true;
  }

 private:
  const Handle& handle_;
  bool committed_ = false;
};

// WAL lets readers of other processes go on while one writes; FULL makes a commit durable before it
// returns.
void prepare_database(const Handle& handle) {
  handle.execute("PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY;",
                 "setting up");
  int64_t version = 0;
  {
    const Statement user_version(handle, "PRAGMA user_version");
    if (user_version.step("reading the format version")) version = user_version.integer(0);
  }
  if (version == kSqliteFormatVersion) return;
  if (version > kSqliteFormatVersion) {
    fail(ErrorKind::kUnsupported,
         "opening the metadata store {}: it has format {}, this program knows up to {}; use a "
         "newer headrace",
         handle.path(), version, kSqliteFormatVersion);
  }
  handle.execute("PRAGMA journal_mode=WAL", "switching to write-ahead logging");
  Transaction transaction(handle);
  handle.execute(
      "CREATE TABLE IF NOT EXISTS format (version INTEGER NOT NULL);"
      "INSERT INTO format SELECT 1 WHERE NOT EXISTS (SELECT * FROM format);"
      "CREATE TABLE IF NOT EXISTS entries (space TEXT NOT NULL, key TEXT NOT NULL,"
      "  value TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID;"
      "PRAGMA user_version=1;",
      "creating the tables");
  transaction.commit();
}

// The handle with its tables in place: statements can be prepared on it.
class PreparedHandle : public Handle {
 public:
  // Of several processes that open a new file at once one switches it to write-ahead logging;
  // SQLite tells the others that it is busy, without the patience asked of it.
  explicit PreparedHandle(const std::string& path) : Handle(path) {
    constexpr int kAttempts = 100;
    for (int attempt = 1;; ++attempt) {
      try {
        prepare_database(*this);
        return;
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kUnavailable || attempt == kAttempts) throw;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
};

class SqliteStore final : public MetadataStore {
 public:
  explicit SqliteStore(const std::string& path)
      : handle_(path),
        get_(handle_, "SELECT value, version FROM entries WHERE space=?1 AND key=?2"),
        list_(handle_,
              "SELECT key, value, version FROM entries WHERE space=?1 AND key>=?2 ORDER BY key"),
        put_(handle_,
             "INSERT INTO entries (space, key, value, version) VALUES (?1, ?2, ?3, ?4) "
             "ON CONFLICT (space, key) DO UPDATE SET value=excluded.value, "
             "version=excluded.version"),
        remove_(handle_, "DELETE FROM entries WHERE space=?1 AND key=?2") {}

  std::optional<Entry> get(std::string_view space, std::string_view key) override {
    const std::lock_guard lock(mutex_);
    const Use get(get_);
    get->bind(1, space);
    get->bind(2, key);
    if (!get->step("reading")) return std::nullopt;
    return Entry{std::string(key), get->text(0), get->integer(1)};
  }

  std::vector<Entry> list(std::string_view space, std::string_view prefix) override {
    const std::lock_guard lock(mutex_);
    const Use list(list_);
    list->bind(1, space);
    list->bind(2, prefix);
    std::vector<Entry> entries;
    while (list->step("listing")) {
      Entry entry{list->text(0), list->text(1), list->integer(2)};
      if (!entry.key.starts_with(prefix)) break;
      entries.push_back(std::move(entry));
    }
    return entries;
  }

  void apply(const std::vector<Change>& changes) override {
    if (changes.empty()) return;
    const std::lock_guard lock(mutex_);
    Transaction transaction(handle_);
    for (const Change& change : changes) apply_one(change);
    transaction.commit();
  }

  // Its users are on one machine: they share the machine's clock.
  int64_t now_ms() override { return millis_since_epoch(SystemClock().now()); }

 private:
  int64_t version_of(const Change& change) const {
    const Use get(get_);
    get->bind(1, change.space);
    get->bind(2, change.key);
    return get->step("reading") ? get->integer(1) : 0;
  }

  void apply_one(const Change& change) const {
    const int64_t version = version_of(change);
    if (change.expected_version && *change.expected_version != version) {
      fail(ErrorKind::kConflict, "changing {}/{} in the metadata store: its version is {}, not {}",
           change.space, change.key, version, *change.expected_version);
    }
    if (change.is_check) return;
    const Use statement(change.value ? put_ : remove_);
    statement->bind(1, change.space);
    statement->bind(2, change.key);
    if (change.value) {
      statement->bind(3, *change.value);
      statement->bind(4, version + 1);
    }
    statement->step("writing");
  }

  std::mutex mutex_;  // guards everything below: one connection, one user at a time
  PreparedHandle handle_;
  Statement get_;
  Statement list_;
  Statement put_;
  Statement remove_;
};

}  // namespace

std::unique_ptr<MetadataStore> open_sqlite_store(const std::string& path) {
  return std::make_unique<SqliteStore>(path);
}

}  // namespace headrace::store
