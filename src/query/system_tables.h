#pragma once

// The tables of the schema `system` (system.topics, system.jobs, …): each is a name, columns, and a
// function that gives the rows at the time a query starts. Behind them is the table function
// headrace_system(name).

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "engine/database.h"

namespace headrace::query {

// NULL, BOOLEAN, BIGINT, DOUBLE, VARCHAR, TIMESTAMPTZ
using SystemValue = std::variant<std::monostate, bool, int64_t, double, std::string, Timestamp>;
using SystemRow = std::vector<SystemValue>;

struct SystemTable {
  std::string name;
  std::string summary;
  std::vector<engine::Column> columns;           // types of SystemValue only
  std::function<std::vector<SystemRow>()> rows;  // from any thread
};

// Makes them part of the database's SQL, with system.system_tables listing them. Call once.
void register_system_tables(engine::Database& database, std::vector<SystemTable> tables);

}  // namespace headrace::query
