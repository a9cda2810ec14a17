#pragma once

// A PostgreSQL for tests: the one of HEADRACE_TEST_POSTGRES when that is set (scripts/test starts
// one for the whole run), else one of this process, which ends with it.

#include <string>

namespace headrace::store {

// Empty when PostgreSQL is not installed; kNoPostgres then says what to do.
const std::string& test_postgres_url();
inline constexpr const char* kNoPostgres =
    "PostgreSQL is not installed here; scripts/setup test installs it";

// A schema that no other test has.
std::string fresh_schema();

}  // namespace headrace::store
