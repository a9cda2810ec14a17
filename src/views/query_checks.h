#pragma once

// Which SELECTs can be incremental views at all, seen from their tree alone.
// Errors: unsupported or invalid, naming the part and its line.

#include <set>
#include <string>

#include "base/json.h"
#include "engine/database.h"
#include "lake/table.h"

namespace headrace::views {

// The one table that is read.
struct SourceTable {
  lake::TableIdentifier identifier;
  std::string alias;
};
SourceTable source_of(const JsonObject& node);

// Refuses clauses and expressions that depend on more than the one row they look at, or on the
// time of asking.
void check_clauses(const JsonObject& node);
void check_expressions(engine::Connection& connection, const JsonObject& node,
                       const std::string& sql);

// Of expressions that were checked.
bool is_aggregate_call(const JsonObject& expression);
bool has_aggregate(const Json& tree);

}  // namespace headrace::views
