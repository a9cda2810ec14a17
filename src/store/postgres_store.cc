// The metadata store in PostgreSQL. Keys and values are bytea: compared byte by byte, as the
// contract wants, and free to hold anything.
//
// A transaction locks its entries in the order of their keys, so that two cannot wait for each
// other; one that is refused for that, or for a lost connection before its COMMIT was sent, is run
// again. When the connection breaks during COMMIT the server is asked about the transaction's id
// over a new one (pg_xact_status): while it says "in progress" the outcome is open, and only when
// it cannot be asked the caller gets commit_unknown.

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <type_traits>

#include "base/error.h"
#include "store/postgres_connection.h"

namespace headrace::store {
namespace {

constexpr int64_t kPostgresFormatVersion = 1;
constexpr milliseconds kFirstPause{20};
constexpr milliseconds kLongestPause{2'000};

// How often and how long something is tried again.
class Patience {
 public:
  Patience(Clock& clock, milliseconds time) : clock_(clock), end_(clock.steady_now() + time) {}
  // False when the time is over.
  bool pause() {
    if (clock_.steady_now() + pause_ > end_) return false;
    clock_.sleep_for(pause_, {});
    pause_ = std::min(pause_ * 2, kLongestPause);
    return true;
  }

 private:
  Clock& clock_;
  const SteadyTime end_;
  milliseconds pause_ = kFirstPause;
};

// The smallest key that is greater than all that begin with the prefix; nullopt: there is none.
std::optional<std::string> end_of_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<uint8_t>(prefix.back()) == 0xFF) prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<uint8_t>(prefix.back()) + 1);
  return prefix;
}

std::vector<const Change*> in_order_of_keys(const std::vector<Change>& changes) {
  std::vector<const Change*> ordered;
  for (const Change& change : changes) ordered.push_back(&change);
  std::stable_sort(ordered.begin(), ordered.end(), [](const Change* one, const Change* other) {
    return std::tie(one->space, one->key) < std::tie(other->space, other->key);
  });
  return ordered;
}

class PostgresStore final : public MetadataStore {
 public:
  PostgresStore(const PostgresOptions& options, Clock& clock) : options_(options), clock_(clock) {
    retrying(options_.open_patience, "opening the metadata store",
             [&](PostgresConnection& connection) { prepare(connection); });
  }

  std::optional<Entry> get(std::string_view space, std::string_view key) override {
    return reading([&](PostgresConnection& connection) -> std::optional<Entry> {
      const PostgresResult found = connection.run(
          format("SELECT value, version FROM {} WHERE space = $1::bytea AND key = $2::bytea",
                 entries_),
          {space, key});
      if (found.rows() == 0) return std::nullopt;
      return Entry{std::string(key), found.bytes(0, 0), found.integer(0, 1)};
    });
  }

  std::vector<Entry> list(std::string_view space, std::string_view prefix) override {
    const auto end = end_of_prefix(std::string(prefix));
    return reading([&](PostgresConnection& connection) {
      std::vector<PostgresValue> values = {space, prefix};
      if (end) values.emplace_back(std::string_view(*end));
      const PostgresResult found =
          connection.run(format("SELECT key, value, version FROM {} WHERE space = $1::bytea AND "
                                "key >= $2::bytea{} ORDER BY key",
                                entries_, end ? " AND key < $3::bytea" : ""),
                         values);
      std::vector<Entry> entries;
      for (int row = 0; row < found.rows(); ++row) {
        entries.push_back({found.bytes(row, 0), found.bytes(row, 1), found.integer(row, 2)});
      }
      return entries;
    });
  }

  void apply(const std::vector<Change>& changes) override {
    if (changes.empty()) return;
    const std::vector<const Change*> ordered = in_order_of_keys(changes);
    retrying(options_.patience, "writing to the metadata store",
             [&](PostgresConnection& connection) { transact(connection, ordered); });
  }

  int64_t now_ms() override {
    return reading([](PostgresConnection& connection) {
      return connection.run("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
          .integer(0, 0);
    });
  }

 private:
  // The outcome of a COMMIT is open; the id tells which transaction.
  class LostCommit : public std::runtime_error {
   public:
    LostCommit(int64_t transaction_id, const std::string& why)
        : std::runtime_error(why), transaction_id_(transaction_id) {}
    int64_t transaction_id() const { return transaction_id_; }

   private:
    int64_t transaction_id_;
  };

  template <class Work>
  using Answer = std::invoke_result_t<const Work&, PostgresConnection&>;

  template <class Work>
  Answer<Work> reading(const Work& work) {
    return retrying(options_.patience, "reading the metadata store", work);
  }

  // Runs `work` over the connection, again and again while what stops it may pass. The lock is not
  // held while waiting.
  template <class Work>
  Answer<Work> retrying(milliseconds time, std::string_view doing, const Work& work) {
    Patience patience(clock_, time);
    for (bool is_first = true;; is_first = false) {
      std::string why;
      try {
        const std::lock_guard lock(mutex_);
        return attempt(work);
      } catch (const PassingFailure& failure) {
        why = failure.what();
      } catch (const LostCommit& commit) {
        if constexpr (std::is_void_v<Answer<Work>>) {
          if (is_committed(commit)) return;
        }
        why = commit.what();  // it did not take place, so it may be done again
      }
      if (is_first && options_.on_retry) options_.on_retry(doing, why);
      if (patience.pause()) continue;
      fail(ErrorKind::kUnavailable,
           "{}: {}; nothing was changed. Tried for {} ms; check that PostgreSQL runs and that "
           "the setting store.url is right",
           doing, why, time.count());
    }
  }

  template <class Work>
  Answer<Work> attempt(const Work& work) {
    try {
      if (!connection_) connect();
      return work(*connection_);
    } catch (const PassingFailure& failure) {
      if (failure.is_connection_lost()) connection_.reset();
      throw;
    } catch (const LostCommit&) {
      connection_.reset();
      throw;
    }
  }

  // What is committed must be on disk, whatever the database's default is; and a process that is
  // suspended amid a transaction must not keep the others waiting.
  void connect() {
    connection_.emplace(options_.url);
    connection_->run(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'");
    connection_->run("SET lock_timeout = '10s'");
    connection_->run("SET idle_in_transaction_session_timeout = '10s'");
  }

  void prepare(PostgresConnection& connection) {
    schema_ = connection.quote_name(options_.schema);
    entries_ = schema_ + ".entries";
    if (!has_tables(connection)) create_tables(connection);
    const int64_t version =
        connection.run(format("SELECT version FROM {}.format", schema_)).integer(0, 0);
    if (version > kPostgresFormatVersion) {
      fail(ErrorKind::kUnsupported,
           "opening the metadata store {}: its schema {} has format {}, this program knows up to "
           "{}; use a newer headrace",
           connection.place(), options_.schema, version, kPostgresFormatVersion);
    }
  }

  bool has_tables(PostgresConnection& connection) const {
    const PostgresResult found = connection.run(
        "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
        "c.relnamespace "
        "WHERE n.nspname = convert_from($1::bytea, 'UTF8') AND c.relname = 'format'",
        {std::string_view(options_.schema)});
    return found.rows() > 0;
  }

  // Of several processes that open a new store at once, one creates the tables.
  void create_tables(PostgresConnection& connection) {
    run_or_roll_back(connection, [&] {
      connection.run("BEGIN");
      connection.run("SELECT pg_advisory_xact_lock(hashtext('headrace metadata store'))");
      if (!has_tables(connection)) {
        connection.run(format("CREATE SCHEMA IF NOT EXISTS {}", schema_));
        connection.run(
            format("CREATE TABLE {} (space bytea NOT NULL, key bytea NOT NULL, "
                   "value bytea NOT NULL, version bigint NOT NULL, PRIMARY KEY (space, key))",
                   entries_));
        connection.run(format("CREATE TABLE {}.format (version bigint NOT NULL)", schema_));
        connection.run(
            format("INSERT INTO {}.format VALUES ({})", schema_, kPostgresFormatVersion));
      }
      connection.run("COMMIT");
    });
  }

  template <class Work>
  void run_or_roll_back(PostgresConnection& connection, const Work& work) {
    try {
      work();
    } catch (const LostCommit&) {
      throw;
    } catch (const PassingFailure& failure) {
      if (!failure.is_connection_lost()) connection.run("ROLLBACK");
      throw;
    } catch (...) {
      connection.run("ROLLBACK");
      throw;
    }
  }

  void transact(PostgresConnection& connection, const std::vector<const Change*>& changes) {
    run_or_roll_back(connection, [&] {
      connection.run("BEGIN ISOLATION LEVEL READ COMMITTED");
      const int64_t transaction_id =
          connection.run("SELECT pg_current_xact_id()::text::bigint").integer(0, 0);
      for (const Change* change : changes) apply_one(connection, *change);
      try {
        connection.run("COMMIT");
      } catch (const PassingFailure& failure) {
        if (!failure.is_connection_lost()) throw;
        throw LostCommit(transaction_id, failure.what());
      }
    });
  }

  void apply_one(PostgresConnection& connection, const Change& change) const {
    const bool done = change.is_check ? is_as_expected(connection, change)
                      : change.value  ? put(connection, change)
                                      : remove(connection, change);
    if (done) return;
    const PostgresResult found = connection.run(
        format("SELECT version FROM {} WHERE space = $1::bytea AND key = $2::bytea", entries_),
        {std::string_view(change.space), std::string_view(change.key)});
    fail(ErrorKind::kConflict, "changing {}/{} in the metadata store: its version is {}, not {}",
         change.space, change.key, found.rows() == 0 ? 0 : found.integer(0, 0),
         change.expected_version.value_or(0));
  }

  // The row stays as it is until the transaction has ended.
  bool is_as_expected(PostgresConnection& connection, const Change& change) const {
    return connection
               .run(format("SELECT 1 FROM {} WHERE space = $1::bytea AND key = $2::bytea "
                           "AND version = $3::bigint FOR SHARE",
                           entries_),
                    {std::string_view(change.space), std::string_view(change.key),
                     change.expected_version.value_or(0)})
               .rows() == 1;
  }

  bool put(PostgresConnection& connection, const Change& change) const {
    std::vector<PostgresValue> values = {std::string_view(change.space),
                                         std::string_view(change.key),
                                         std::string_view(*change.value)};
    std::string sql =
        format("INSERT INTO {} VALUES ($1::bytea, $2::bytea, $3::bytea, 1) ", entries_);
    if (!change.expected_version) {
      sql +=
          "ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, version = "
          "entries.version + 1";
    } else if (*change.expected_version == 0) {
      sql += "ON CONFLICT (space, key) DO NOTHING";
    } else {
      sql = format(
          "UPDATE {} SET value = $3::bytea, version = version + 1 "
          "WHERE space = $1::bytea AND key = $2::bytea AND version = $4::bigint",
          entries_);
      values.emplace_back(*change.expected_version);
    }
    return connection.run(sql, values).affected() == 1;
  }

  bool remove(PostgresConnection& connection, const Change& change) const {
    std::vector<PostgresValue> values = {std::string_view(change.space),
                                         std::string_view(change.key)};
    std::string sql =
        format("DELETE FROM {} WHERE space = $1::bytea AND key = $2::bytea", entries_);
    if (change.expected_version.value_or(0) > 0) {
      sql += " AND version = $3::bigint";
      values.emplace_back(*change.expected_version);
    }
    const int64_t removed = connection.run(sql, values).affected();
    // Of what must not exist nothing may be found; the transaction is rolled back if it was.
    return !change.expected_version || removed == (*change.expected_version == 0 ? 0 : 1);
  }

  bool is_committed(const LostCommit& commit) {
    Patience patience(clock_, options_.patience);
    for (std::string why = commit.what();;) {
      try {
        const std::lock_guard lock(mutex_);
        const std::string status = attempt([&](PostgresConnection& connection) {
          const PostgresResult found = connection.run(format(
              "SELECT coalesce(pg_xact_status('{}'), 'forgotten')", commit.transaction_id()));
          return found.bytes(0, 0);
        });
        if (status == "committed") return true;
        if (status == "aborted") return false;
        why = format("transaction {} is {}", commit.transaction_id(), status);
      } catch (const PassingFailure& failure) {
        why = failure.what();
      } catch (const Error& error) {
        // A server that does not know of the transaction: another one took its place.
        why = error.message();
      }
      if (patience.pause()) continue;
      fail(ErrorKind::kCommitUnknown,
           "writing to the metadata store: the connection was lost during COMMIT ({}), and "
           "whether it took place could not be asked: {}",
           commit.what(), why);
    }
  }

  const PostgresOptions options_;
  Clock& clock_;
  std::string schema_;  // quoted, as all names
  std::string entries_;
  std::mutex mutex_;  // guards the connection: one user at a time
  std::optional<PostgresConnection> connection_;
};

}  // namespace

std::unique_ptr<MetadataStore> open_postgres_store(const PostgresOptions& options, Clock& clock) {
  return std::make_unique<PostgresStore>(options, clock);
}

}  // namespace headrace::store
