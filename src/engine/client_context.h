#pragma once

// Between this module, the engine's C interface and its C++ one. Only for the files of this module
// that need the latter.

#include <string>

#include <duckdb.h>
#include <duckdb/common/exception.hpp>
#include <duckdb/main/client_context.hpp>

#include "base/error.h"
#include "engine/state.h"

namespace duckdb {

// What a duckdb_client_context points to, as the library's own capi_internal.hpp has it.
struct CClientContextWrapper {
  ClientContext& context;
};

}  // namespace duckdb

namespace headrace::engine {

// Runs `use` with the C++ context of a connection.
template <class Use>
auto with_client_context(duckdb_connection connection, Use use) {
  struct Held {
    ~Held() { duckdb_destroy_client_context(&handle); }
    duckdb_client_context handle = nullptr;
  } held;
  duckdb_connection_get_client_context(connection, &held.handle);
  return use(reinterpret_cast<duckdb::CClientContextWrapper*>(held.handle)->context);
}

// Runs `use` with the C++ context of the engine's own connection. internal, "<failing>: …", when
// DuckDB complains.
template <class Use>
void with_engine(Database::State& state, const char* failing, Use use) {
  std::string failure;
  state.with_own_connection([&](duckdb_connection connection) {
    with_client_context(connection, [&](duckdb::ClientContext& context) {
      try {
        use(context);
      } catch (const std::exception& error) {
        failure = error.what();
      }
    });
  });
  if (!failure.empty()) fail(ErrorKind::kInternal, "{}: {}", failing, failure);
}

// Runs ours inside of DuckDB: an Error becomes what DuckDB takes for an error of a file.
template <class Act>
auto in_engine(Act act) {
  try {
    return act();
  } catch (const Error& error) {
    throw duckdb::IOException(error.message());
  }
}

}  // namespace headrace::engine
