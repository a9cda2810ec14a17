#include "query/statement.h"

#include <algorithm>
#include <regex>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace headrace::query {
namespace {

// Two levels for each of an expression; the engine itself takes 1,000 of those.
constexpr size_t kMaxDepth = 4'000;

// Table functions that look at their arguments, the catalog or a topic, never at files.
const std::set<std::string, std::less<>> kHarmlessFunctions = {"duckdb_columns",
                                                               "duckdb_constraints",
                                                               "duckdb_databases",
                                                               "duckdb_functions",
                                                               "duckdb_indexes",
                                                               "duckdb_keywords",
                                                               "duckdb_memory",
                                                               "duckdb_optimizers",
                                                               "duckdb_schemas",
                                                               "duckdb_settings",
                                                               "duckdb_tables",
                                                               "duckdb_types",
                                                               "duckdb_views",
                                                               "generate_series",
                                                               "headrace_system",
                                                               "headrace_topic",
                                                               "icu_calendar_names",
                                                               "json_each",
                                                               "json_tree",
                                                               "pg_timezone_names",
                                                               "pragma_database_size",
                                                               "pragma_table_info",
                                                               "pragma_version",
                                                               "range",
                                                               "repeat",
                                                               "repeat_row",
                                                               "unnest"};

const std::set<std::string, std::less<>> kRelations = {
    "BASE_TABLE", "EMPTY",    "EXPRESSION_LIST", "JOIN",
    "PIVOT",      "SHOW_REF", "SUBQUERY",        "TABLE_FUNCTION"};

Json parse_tree(engine::Connection& connection, const std::string& sql) {
  const auto text =
      connection.query_value(format("SELECT json_serialize_sql({})", engine::quote_literal(sql)));
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  Json tree = boost::json::parse(text.value_or("null"), error, {}, options);
  if (error) {
    fail(ErrorKind::kUnsupported, "the query's expressions nest too deep ({}): split them",
         error.message());
  }
  return tree;
}

bool is_failure(const Json& tree) { return member(tree, "error").as_bool(); }
bool is_mistake(const Json& tree) {
  return string_member_or(tree, "error_type", "") != "not implemented";
}

// What stands behind EXPLAIN; nullopt when it is no SELECT. Nothing but these words may come before
// it, so that the engine cannot see another statement there.
std::optional<Statement> parse_explained(engine::Connection& connection, const std::string& sql) {
  static const std::regex head(R"(^\s*explain\b\s*(analyze\b\s*)?)", std::regex::icase);
  static const std::regex options(R"(^\([a-z0-9_,\s]*\)\s*)", std::regex::icase);
  std::smatch found;
  if (!std::regex_search(sql, found, head)) return std::nullopt;
  std::string explained = found.suffix();
  Json tree = parse_tree(connection, explained);
  if (is_failure(tree) && std::regex_search(explained, found, options)) {
    explained = found.suffix();
    tree = parse_tree(connection, explained);
  }
  if (is_failure(tree)) return std::nullopt;
  return Statement{true, std::move(tree), sql.size() - explained.size()};
}

// Walks a parse tree and throws at what could be a file.
class FileCheck {
 public:
  explicit FileCheck(engine::Connection& connection) : connection_(connection) {}

  void visit(const Json& tree) {
    if (const JsonArray* list = tree.if_array()) {
      for (const Json& child : *list) visit(child);
    }
    const JsonObject* object = tree.if_object();
    if (object == nullptr) return;
    if (is_relation(*object)) check_relation(tree);
    for (const auto& [name, child] : *object) visit(child);
  }

 private:
  // Expressions have a class, nodes of a query are called so.
  static bool is_relation(const JsonObject& object) {
    if (object.contains("class") || !object.contains("sample")) return false;
    const Json* type = object.if_contains("type");
    return type != nullptr && type->is_string() && !type->get_string().ends_with("_NODE");
  }

  void check_relation(const Json& relation) {
    const std::string type = string_member(relation, "type");
    if (!kRelations.contains(type)) {
      fail(ErrorKind::kUnsupported, "queries cannot read from {} on this server", type);
    }
    if (type == "TABLE_FUNCTION") check_function(member(relation, "function"));
    if (type == "BASE_TABLE" || type == "SHOW_REF") check_table(relation);
  }

  static void check_function(const Json& function) {
    const std::string name = to_lower(string_member(function, "function_name"));
    if (kHarmlessFunctions.contains(name)) return;
    fail(ErrorKind::kDenied,
         "the table function {} is not open to queries on this server: it may read files. Read "
         "them with a job, or allow it with server.query_file_access: read",
         name);
  }

  void check_table(const Json& table) {
    std::vector<std::string> names;
    for (const char* part : {"catalog_name", "schema_name", "table_name"}) {
      std::string name = string_member_or(table, part, "");
      if (!name.empty()) names.push_back(std::move(name));
    }
    const std::string joined = format("{}", join(names, "."));
    // The engine looks for a file by its extension, in the parts of a name joined by dots.
    if (joined.find_first_of("./\\") == std::string::npos) return;
    if (names.size() == 2 && to_lower(names[0]) == "system" && is_system_table(names[1])) return;
    check_in_catalog(names);
  }

  bool is_system_table(const std::string& name) {
    return connection_.query_integer(
               format("SELECT count(*) FROM headrace_system('system_tables') WHERE name = {}",
                      engine::quote_literal(to_lower(name)))) > 0;
  }

  // The engine's own search in its catalog, which knows of no files.
  void check_in_catalog(const std::vector<std::string>& names) {
    std::vector<std::string> quoted;
    for (const std::string& name : names) quoted.push_back(engine::quote_identifier(name));
    try {
      connection_.query_rows(format("SELECT 1 FROM pragma_table_info({}) LIMIT 0",
                                    engine::quote_literal(format("{}", join(quoted, ".")))));
    } catch (const Error& error) {
      const std::string message = error.message();  // with a line of our own query below
      throw Error(error.kind(), message.substr(0, message.find("\n\nLINE")));
    }
  }

  engine::Connection& connection_;
};

}  // namespace

Statement check_statement(engine::Connection& connection, const std::string& sql,
                          FileAccess access) {
  Statement statement{false, parse_tree(connection, sql)};
  if (is_failure(statement.tree) && is_mistake(statement.tree)) {
    connection.describe(sql);  // says it better, with the place
    fail(ErrorKind::kInvalid, "{}",
         string_member_or(statement.tree, "error_message", "a syntax error"));
  }
  if (is_failure(statement.tree)) {
    std::optional<Statement> explained = parse_explained(connection, sql);
    if (!explained) {
      fail(ErrorKind::kInvalid,
           "queries only read (SELECT, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN of a SELECT, PIVOT with "
           "its values): tables are written by jobs and views, see jobs/*.yaml and views/*.sql");
    }
    statement = std::move(*explained);
  }
  const JsonArray& statements = member(statement.tree, "statements").as_array();
  if (statements.size() != 1) {
    fail(ErrorKind::kInvalid, "a query is one statement, but the text has {}", statements.size());
  }
  if (access == FileAccess::kNone) FileCheck(connection).visit(statement.tree);
  return statement;
}

}  // namespace headrace::query
