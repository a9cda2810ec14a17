#pragma once

// Which SELECTs can be incremental views at all, seen from their tree alone.
// Errors: unsupported or invalid, naming the part and its line.

#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/database.h"
#include "lake/table.h"

namespace headrace::views {

// The tables that are read: the first is the one whose changes are followed, the others are joined
// to its rows.
struct SourceTable {
  lake::TableIdentifier identifier;
  std::string alias;

  const std::string& shown_name() const { return alias.empty() ? identifier.name : alias; }
};
std::vector<SourceTable> tables_of(const JsonObject& node);

// Refuses clauses and expressions that depend on more than the one row they look at, or on the
// time of asking.
void check_clauses(const JsonObject& node);
void check_expressions(engine::Connection& connection, const JsonObject& node,
                       const std::string& sql);

// Of expressions that were checked.
bool is_aggregate_call(const JsonObject& expression);
bool has_aggregate(const Json& tree);

}  // namespace headrace::views
