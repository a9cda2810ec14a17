#include "views/query_checks.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "views/aggregate.h"
#include "views/select_tree.h"

namespace headrace::views {
namespace {

std::string text_of(const JsonObject& object, std::string_view name) {
  const Json* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

bool is_given(const JsonObject& node, std::string_view name) {
  const Json* found = node.if_contains(name);
  return found != nullptr && !found->is_null();
}

void check_modifiers(const JsonObject& node) {
  static const std::map<std::string, std::string> names = {
      {"DISTINCT_MODIFIER", "SELECT DISTINCT; GROUP BY makes rows distinct"},
      {"ORDER_MODIFIER", "ORDER BY; order where the view is read"},
      {"LIMIT_MODIFIER", "LIMIT; limit where the view is read"},
      {"LIMIT_PERCENT_MODIFIER", "LIMIT; limit where the view is read"}};
  for (const Json& modifier : node.at("modifiers").as_array()) {
    const std::string type = text_of(modifier.as_object(), "type");
    const auto found = names.find(type);
    fail(ErrorKind::kUnsupported, "a view cannot have {}",
         found == names.end() ? type : found->second);
  }
}

// Its grouping sets: GROUP BY has one that holds all expressions.
void check_grouping_sets(const JsonObject& node) {
  const JsonArray& sets = node.at("group_sets").as_array();
  const size_t count = node.at("group_expressions").as_array().size();
  if (sets.empty() || (sets.size() == 1 && sets[0].as_array().size() == count)) return;
  fail(ErrorKind::kUnsupported,
       "a view cannot have ROLLUP, CUBE or GROUPING SETS; make a view for each");
}

// These parse as columns, and are functions where no column has the name.
bool is_time_of_asking(const JsonObject& column) {
  static const std::set<std::string> names = {"current_date", "current_time", "current_timestamp",
                                              "localtime", "localtimestamp"};
  const JsonArray& parts = column.at("column_names").as_array();
  return parts.size() == 1 && names.contains(to_lower(std::string(parts[0].as_string())));
}

[[noreturn]] void fail_changing(const std::string& place, const std::string& what) {
  fail(ErrorKind::kUnsupported,
       "{}{} gives another value each time it is asked, so what was counted once would be wrong "
       "later; use it where the view is read, or a column",
       place, what);
}

void check_class(const JsonObject& expression, const std::string& sql) {
  const std::string name = text_of(expression, "class");
  const std::string place = place_of(expression, sql);
  if (name == "SUBQUERY") {
    fail(ErrorKind::kUnsupported, "{}a view cannot have subqueries; join in the job before it",
         place);
  }
  if (name == "WINDOW") {
    fail(ErrorKind::kUnsupported,
         "{}a view cannot have window functions ({} … OVER); use them where the view is read",
         place, text_of(expression, "function_name"));
  }
  if (name == "STAR") {
    fail(ErrorKind::kUnsupported, "{}a view cannot select *; name the columns to group by", place);
  }
  if (name == "PARAMETER") {
    fail(ErrorKind::kInvalid, "{}a view cannot have parameters; write the value", place);
  }
  if (text_of(expression, "type") == "GROUPING_FUNCTION") {
    fail(ErrorKind::kUnsupported, "{}a view cannot have GROUPING()", place);
  }
  if (name == "COLUMN_REF" && is_time_of_asking(expression)) {
    fail_changing(place, std::string(expression.at("column_names").as_array()[0].as_string()));
  }
}

struct FunctionFacts {
  bool is_aggregate = false;
  bool is_changing = false;  // from query to query
};

std::map<std::string, FunctionFacts> facts_of(engine::Connection& connection,
                                              const std::set<std::string>& names) {
  std::map<std::string, FunctionFacts> facts;
  if (names.empty()) return facts;
  std::vector<std::string> literals;
  for (const std::string& name : names) literals.push_back(engine::quote_literal(name));
  const auto rows = connection.query_rows(
      format("SELECT function_name, bool_or(function_type = 'aggregate'), "
             "bool_or(coalesce(stability, '') IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')) "
             "FROM duckdb_functions() WHERE function_name IN ({}) GROUP BY ALL",
             join(literals, ", ")));
  for (const auto& row : rows) {
    facts[row[0].value_or("")] = {row[1] == "true", row[2] == "true"};
  }
  return facts;
}

}  // namespace

namespace {

SourceTable table_of(const JsonObject& from) {
  static const std::map<std::string, std::string> refused = {
      {"SUBQUERY", "a view reads tables, not a subquery; do that part in the job before it"},
      {"TABLE_FUNCTION", "a view reads tables, not a table function"},
      {"EMPTY", "a view needs FROM and the table that it reads, for example FROM silver.orders"}};
  const std::string type = text_of(from, "type");
  if (type != "BASE_TABLE") {
    const auto found = refused.find(type);
    fail(ErrorKind::kUnsupported, "{}",
         found == refused.end() ? "a view reads tables, with nothing done to them in FROM"
                                : found->second);
  }
  SourceTable source{{text_of(from, "schema_name"), text_of(from, "table_name")},
                     text_of(from, "alias")};
  if (source.identifier.database.empty()) {
    fail(ErrorKind::kInvalid, "FROM {}: name the table with its schema, for example silver.{}",
         source.identifier.name, source.identifier.name);
  }
  if (!text_of(from, "catalog_name").empty() || is_given(from, "at_clause")) {
    fail(ErrorKind::kUnsupported, "FROM {}: a view reads a table of this server as it is now",
         source.identifier.to_string());
  }
  if (is_given(from, "sample")) fail(ErrorKind::kUnsupported, "a view cannot read a sample");
  return source;
}

void add_tables(const JsonObject& from, std::vector<SourceTable>& tables) {
  if (text_of(from, "type") != "JOIN") {
    tables.push_back(table_of(from));
    return;
  }
  const std::string type = text_of(from, "join_type");
  const std::string kind = text_of(from, "ref_type");
  if ((type != "INNER" && type != "LEFT") || (kind != "REGULAR" && kind != "CROSS")) {
    fail(ErrorKind::kUnsupported,
         "a view can have JOIN and LEFT JOIN of tables to the first one, whose changes it follows; "
         "not {} {}",
         kind, type);
  }
  add_tables(from.at("left").as_object(), tables);
  if (text_of(from.at("right").as_object(), "type") == "JOIN") {
    fail(ErrorKind::kUnsupported, "a view cannot have joins in brackets");
  }
  add_tables(from.at("right").as_object(), tables);
}

}  // namespace

std::vector<SourceTable> tables_of(const JsonObject& node) {
  if (is_given(node, "sample")) fail(ErrorKind::kUnsupported, "a view cannot read a sample");
  std::vector<SourceTable> tables;
  add_tables(node.at("from_table").as_object(), tables);
  for (size_t i = 1; i < tables.size(); ++i) {
    if (tables[i].identifier != tables[0].identifier) continue;
    fail(ErrorKind::kUnsupported,
         "a view cannot join {} to itself: what changes would change both sides",
         tables[0].identifier.to_string());
  }
  return tables;
}

void check_clauses(const JsonObject& node) {
  const Json& map = node.at("cte_map").as_object().at("map");
  if (!map.as_array().empty()) {
    fail(ErrorKind::kUnsupported, "a view cannot have WITH; do that part in the job before it");
  }
  check_modifiers(node);
  if (is_given(node, "having")) {
    fail(ErrorKind::kUnsupported, "a view cannot have HAVING; filter where the view is read");
  }
  if (is_given(node, "qualify")) fail(ErrorKind::kUnsupported, "a view cannot have QUALIFY");
  check_grouping_sets(node);
}

void check_expressions(engine::Connection& connection, const JsonObject& node,
                       const std::string& sql) {
  std::set<std::string> functions;
  std::vector<const JsonObject*> calls;
  const auto collect = [&](const JsonObject& expression) {
    check_class(expression, sql);
    if (text_of(expression, "class") == "FUNCTION") {
      functions.insert(text_of(expression, "function_name"));
      calls.push_back(&expression);
    }
    return true;
  };
  for (const std::string_view part :
       {"select_list", "from_table", "where_clause", "group_expressions"}) {
    visit_expressions(node.at(part), collect);
  }
  const auto facts = facts_of(connection, functions);
  for (const JsonObject* call : calls) {
    const std::string name = text_of(*call, "function_name");
    const auto found = facts.find(name);
    if (found == facts.end()) continue;  // the engine says so when the types are found
    if (found->second.is_changing) fail_changing(place_of(*call, sql), name + "()");
    if (name == "first" || name == "last" || name == "any_value" || name == "arbitrary") {
      fail(
          ErrorKind::kUnsupported,
          "{}{} depends on the order in which rows are read; say which by arg_min(x, time) for the "
          "first, arg_max(x, time) for the last",
          place_of(*call, sql), name);
    }
    if (found->second.is_aggregate && !is_supported_aggregate(name)) {
      fail(ErrorKind::kUnsupported, "{}{} cannot be kept up to date by a view; it can have {}",
           place_of(*call, sql), name, kSupportedAggregates);
    }
  }
}

bool is_aggregate_call(const JsonObject& expression) {
  return text_of(expression, "class") == "FUNCTION" &&
         is_supported_aggregate(text_of(expression, "function_name"));
}

bool has_aggregate(const Json& tree) {
  bool found = false;
  visit_expressions(tree, [&](const JsonObject& expression) {
    found = found || is_aggregate_call(expression);
    return !found;
  });
  return found;
}

}  // namespace headrace::views
