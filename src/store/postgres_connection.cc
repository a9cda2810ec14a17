#include "store/postgres_connection.h"

#include <array>
#include <charconv>
#include <cstring>

#include <libpq-fe.h>

namespace headrace::store {
namespace {

constexpr int kOldestVersion = 130000;  // pg_current_xact_id and pg_xact_status

std::string trimmed(const char* message) {
  std::string text = message == nullptr ? "" : message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

// Codes of PostgreSQL's appendix A.
bool is_lost(std::string_view state) {
  // 25P03: the session sat idle in a transaction. 25006, read-only: the server became a standby,
  // and another connection finds the one that took its place.
  return state.starts_with("08") || state.starts_with("57P") || state == "25P03" ||
         state == "25006";
}

bool passes(std::string_view state) {
  return state.starts_with("40") || state.starts_with("53") || state.starts_with("58") ||
         state == "55P03" || state == "57014";
}

ErrorKind kind_of(std::string_view state) {
  if (state.starts_with("28") || state == "42501") return ErrorKind::kDenied;
  if (state.starts_with("XX00")) return ErrorKind::kCorrupt;
  if (state == "3D000" || state == "3F000") return ErrorKind::kInvalid;
  return ErrorKind::kInternal;
}

}  // namespace

PostgresResult::PostgresResult(pg_result* result) : result_(result) {}
void PostgresResult::Clear::operator()(pg_result* result) const { PQclear(result); }
int PostgresResult::rows() const { return PQntuples(result_.get()); }

int64_t PostgresResult::affected() const {
  const std::string_view text = PQcmdTuples(result_.get());
  int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

bool PostgresResult::is_null(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::string PostgresResult::bytes(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}

int64_t PostgresResult::integer(int row, int column) const {
  uint64_t number = 0;
  for (const char byte : bytes(row, column)) number = number << 8 | static_cast<uint8_t>(byte);
  return static_cast<int64_t>(number);
}

std::string PostgresResult::command() const { return PQcmdStatus(result_.get()); }

PostgresValue::PostgresValue(int64_t number) : bytes_(sizeof number, '\0') {
  for (size_t i = 0; i < sizeof number; ++i) {
    bytes_[i] = static_cast<char>(static_cast<uint64_t>(number) >> (56 - 8 * i));
  }
}

// The URL stands after what it may override. A server that is gone without a word is noticed by
// TCP within the time of tcp_user_timeout.
PostgresConnection::PostgresConnection(const std::string& url) {
  const std::array<const char*, 7> keywords = {"connect_timeout",
                                               "keepalives_idle",
                                               "tcp_user_timeout",
                                               "client_encoding",
                                               "fallback_application_name",
                                               "dbname",
                                               nullptr};
  const std::array<const char*, 7> values = {"5",        "10",        "15000", "UTF8",
                                             "headrace", url.c_str(), nullptr};
  connection_ = PQconnectdbParams(keywords.data(), values.data(), 1);
  if (PQstatus(connection_) != CONNECTION_OK) {
    const std::string why = trimmed(PQerrorMessage(connection_));
    const bool needs_password = PQconnectionNeedsPassword(connection_) != 0;
    PQfinish(connection_);
    if (needs_password) {
      fail(ErrorKind::kDenied,
           "connecting to the metadata store: {}; put the password into the URL of the setting "
           "store.url, by way of the environment",
           why);
    }
    throw PassingFailure(true, why);
  }
  if (PQserverVersion(connection_) < kOldestVersion) {
    const std::string where = place();
    const int version = PQserverVersion(connection_) / 10000;
    PQfinish(connection_);
    fail(ErrorKind::kUnsupported,
         "connecting to the metadata store {}: it is PostgreSQL {}; use 13 or newer", where,
         version);
  }
}

PostgresConnection::~PostgresConnection() { PQfinish(connection_); }

PostgresResult PostgresConnection::run(const std::string& sql,
                                       const std::vector<PostgresValue>& values) {
  std::vector<const char*> texts;
  std::vector<int> lengths;
  for (const PostgresValue& value : values) {
    texts.push_back(value.bytes().data());
    lengths.push_back(static_cast<int>(value.bytes().size()));
  }
  const std::vector<int> binary(values.size(), 1);
  return checked(PQexecParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                              texts.data(), lengths.data(), binary.data(), 1));
}

PostgresResult PostgresConnection::checked(pg_result* result) {
  PostgresResult answer(result);
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return answer;
  const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string state = field == nullptr ? "" : field;
  const std::string why = trimmed(PQerrorMessage(connection_));
  if (PQstatus(connection_) != CONNECTION_OK || is_lost(state)) throw PassingFailure(true, why);
  if (passes(state)) throw PassingFailure(false, why);
  fail(kind_of(state), "using the metadata store {}: {} (SQLSTATE {})", place(), why, state);
}

std::string PostgresConnection::quote_name(const std::string& name) {
  char* quoted = PQescapeIdentifier(connection_, name.data(), name.size());
  if (quoted == nullptr) {
    fail(ErrorKind::kInvalid, "naming a schema of the metadata store: {}",
         trimmed(PQerrorMessage(connection_)));
  }
  std::string text = quoted;
  PQfreemem(quoted);
  return text;
}

std::string PostgresConnection::place() const {
  return format("{}:{}/{}", PQhost(connection_), PQport(connection_), PQdb(connection_));
}

std::string complaint_about_postgres_url(const std::string& url) {
  char* message = nullptr;
  PQconninfoOption* options = PQconninfoParse(url.c_str(), &message);
  if (options != nullptr) {
    PQconninfoFree(options);
    return "";
  }
  // libpq's message may repeat the URL, and with it the password.
  PQfreemem(message);
  return "is no address of a PostgreSQL database; write postgresql://user:password@host:5432/name";
}

}  // namespace headrace::store
