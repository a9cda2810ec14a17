#pragma once

// One connection to PostgreSQL: statements with binary parameters and results, and what its errors
// mean. libpq is used in this class alone. Private to this module.
//
// Thread use: one thread at a time. Failures that may pass are PassingFailure; all others Error.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/metadata_store.h"

struct pg_conn;
struct pg_result;

namespace headrace::store {

// Trying again may help. When the connection is lost it needs a new one, and a COMMIT that was sent
// has an unknown outcome.
class PassingFailure : public std::runtime_error {
 public:
  PassingFailure(bool is_connection_lost, const std::string& why)
      : std::runtime_error(why), is_connection_lost_(is_connection_lost) {}
  bool is_connection_lost() const { return is_connection_lost_; }

 private:
  bool is_connection_lost_;
};

class PostgresResult {
 public:
  explicit PostgresResult(pg_result* result);
  int rows() const;
  int64_t affected() const;  // rows that a statement changed
  bool is_null(int row, int column) const;
  std::string bytes(int row, int column) const;  // of bytea or text
  int64_t integer(int row, int column) const;    // of bigint
  std::string command() const;                   // "COMMIT", "ROLLBACK", …

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

// A parameter: bytea, or bigint.
class PostgresValue {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): lists of them are written as plain values
  PostgresValue(std::string_view bytes) : bytes_(bytes) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  PostgresValue(int64_t number);
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;  // in the binary format of the wire
};

class PostgresConnection {
 public:
  // Connects. Throws PassingFailure, or Error denied or unsupported.
  explicit PostgresConnection(const std::string& url);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // One statement, with $1, $2, … in it.
  PostgresResult run(const std::string& sql, const std::vector<PostgresValue>& values = {});
  std::string quote_name(const std::string& name);
  // host:port/database, without credentials.
  std::string place() const;

 private:
  PostgresResult checked(pg_result* result);

  pg_conn* connection_;
};

}  // namespace headrace::store
