#include "query/time_travel.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "lake/data_writer.h"
#include "lake/time_travel.h"
#include "sql_text/tokens.h"
#include "views/stored_inputs.h"

namespace headrace::query {
namespace {

using engine::quote_identifier;
using sql_text::Token;

// Names in SQL have no case, those of tables have.
lake::TablePtr find_table(lake::Catalog& catalog, const lake::TableIdentifier& named) {
  if (lake::TablePtr table = catalog.find(named)) return table;
  for (const lake::TableIdentifier& identifier : catalog.list("")) {
    if (to_lower(identifier.to_string()) != to_lower(named.to_string())) continue;
    if (lake::TablePtr table = catalog.find(identifier)) return table;
  }
  fail(ErrorKind::kNotFound, "there is no table {} whose snapshots AT could look at",
       named.to_string());
}

// What a view keeps for itself beside its rows is hidden from SQL now, so it was then.
bool is_hidden(const lake::Field& field) { return field.name.starts_with("__"); }

[[noreturn]] void fail_not_found() {
  fail(ErrorKind::kInvalid,
       "the table that stands before AT (…) is not found in the query's text: write it with plain "
       "blanks, as database.table AT (VERSION => …)");
}

std::string columns_of(const lake::TableVersion& version) {
  const bool is_view = views::StoredInputs::from_summary(version.snapshot->summary).has_value();
  std::vector<std::string> names;
  for (const lake::Field& field : version.schema->fields) {
    if (!is_view || !is_hidden(field)) names.push_back(quote_identifier(field.name));
  }
  return format("{}", join(names, ", "));
}

}  // namespace

// A table as the parse tree has it.
struct TimeTravel::Reference {
  std::vector<std::string> names;  // catalog, schema, table, as far as they are given
  std::string alias;
  bool has_clause = false;
  bool is_timestamp = false;  // otherwise a version
  size_t location = 0;        // of the name, in the text that was parsed

  bool is_same(const Reference& other) const {
    return names == other.names && alias == other.alias && has_clause == other.has_clause;
  }
};

// The same in the text.
struct TimeTravel::Place {
  size_t name_end = 0;
  size_t clause_begin = 0;
  size_t clause_end = 0;
  std::string expression;
};

TimeTravel::TimeTravel(engine::Connection& connection, lake::Catalog& catalog)
    : connection_(connection), catalog_(catalog) {}

// All tables in the order of the tree.
void TimeTravel::collect(const Json& tree, std::vector<Reference>& references) {
  if (const JsonArray* list = tree.if_array()) {
    for (const Json& child : *list) collect(child, references);
  }
  const JsonObject* object = tree.if_object();
  if (object == nullptr) return;
  if (const Json* clause = object->if_contains("at_clause")) {
    Reference reference;
    for (const char* part : {"catalog_name", "schema_name", "table_name"}) {
      std::string name = string_member_or(tree, part, "");
      if (!name.empty()) reference.names.push_back(std::move(name));
    }
    reference.alias = string_member_or(tree, "alias", "");
    reference.has_clause = clause->is_object();
    if (reference.has_clause) {
      reference.is_timestamp = to_lower(string_member(*clause, "unit")) == "timestamp";
      const Json& location = member(tree, "query_location");
      if (!location.is_int64()) fail_not_found();
      reference.location = static_cast<size_t>(location.get_int64());
    }
    references.push_back(std::move(reference));
    return;  // what the clause is given is looked at on its own
  }
  for (const auto& [name, child] : *object) collect(child, references);
}

// name [[AS] alias [(columns)]] AT (VERSION | TIMESTAMP => expression)
TimeTravel::Place TimeTravel::place_of(const std::string& sql, size_t begin,
                                       const Reference& reference) {
  const auto next = [&](size_t at) {
    const Token token = sql_text::next_meaningful(sql, at);
    if (token.begin == token.end || token.is_open) fail_not_found();
    return token;
  };
  Place place;
  size_t at = begin;
  for (const std::string& name : reference.names) {
    Token token = next(at);
    if (at != begin) {
      if (token.of(sql) != ".") fail_not_found();
      token = next(token.end);
    } else if (token.begin != begin) {
      fail_not_found();
    }
    if (to_lower(sql_text::name_of(token, sql)) != to_lower(name)) fail_not_found();
    at = place.name_end = token.end;
  }
  for (;;) {
    const Token keyword = next(at);
    at = keyword.end;
    if (!sql_text::is_keyword(keyword, sql, "at")) continue;
    const Token parenthesis = next(at);
    if (parenthesis.of(sql) != "(") continue;
    const Token unit = next(parenthesis.end);
    const Token equals = next(unit.end);
    if (equals.of(sql) != "=") continue;
    place.clause_begin = keyword.begin;
    at = next(equals.end).end;  // behind =>
    break;
  }
  const size_t expression_begin = at;
  for (int depth = 1; depth > 0;) {
    const Token token = next(at);
    at = token.end;
    if (token.of(sql) == "(") ++depth;
    if (token.of(sql) == ")") --depth;
  }
  place.clause_end = at;
  place.expression = sql.substr(expression_begin, at - 1 - expression_begin);
  return place;
}

std::string TimeTravel::rewrite(const std::string& sql, const Statement& statement) {
  std::vector<Reference> tables;
  collect(statement.tree, tables);
  // From the back, so that places further on stay where they are. The tree may show one twice.
  std::map<size_t, std::vector<Reference*>, std::greater<>> by_place;
  for (Reference& table : tables) {
    if (table.has_clause) by_place[table.location + statement.tree_begin].push_back(&table);
  }
  if (by_place.empty()) return sql;
  std::string result = sql;
  for (auto& [begin, references] : by_place) {
    const Reference& reference = *references.front();
    const Place place = place_of(sql, begin, reference);
    const std::vector<std::string> view = make_view(reference, place.expression);
    std::vector<std::string> quoted;
    for (const std::string& name : view) quoted.push_back(quote_identifier(name));
    std::string text = format("{}", join(quoted, "."));
    const std::string alias = reference.alias.empty() ? reference.names.back() : reference.alias;
    if (reference.alias.empty()) text += " AS " + quote_identifier(alias);
    text += sql.substr(place.name_end, place.clause_begin - place.name_end);
    result.replace(begin, place.clause_end - begin, text);
    for (Reference* same : references) *same = {view, alias};
  }
  check_same(result.substr(statement.tree_begin), tables);
  return result;
}

// That what was changed is what was meant, whatever the text: the new one's parse tree has the same
// tables, but for the views.
void TimeTravel::check_same(const std::string& sql, const std::vector<Reference>& expected) {
  std::vector<Reference> found;
  collect(check_statement(connection_, sql, FileAccess::kRead).tree, found);
  const bool is_same =
      std::equal(found.begin(), found.end(), expected.begin(), expected.end(),
                 [](const Reference& a, const Reference& b) { return a.is_same(b); });
  if (!is_same) fail_not_found();
}

// `before` and `after` stand around the expression.
std::string TimeTravel::value_of(const std::string& expression, const char* before,
                                 const char* after) {
  const std::string sql = format("SELECT {}\n{}\n{}", before, expression, after);
  try {
    const Statement statement = check_statement(connection_, sql, FileAccess::kRead);
    auto rows = connection_.query_rows(rewrite(sql, statement));
    if (rows.size() == 1 && rows[0][0]) return *rows[0][0];
  } catch (const Error& error) {
    // With a line of our own query below.
    const std::string message = error.message();
    throw Error(error.kind(), format("computing what AT is given, {}: {}", trimmed(expression),
                                     message.substr(0, message.find("\n\nLINE"))));
  }
  fail(ErrorKind::kInvalid, "AT is given {}, which is NULL or no time", trimmed(expression));
}

std::vector<std::string> TimeTravel::make_view(const Reference& reference,
                                               const std::string& expression) {
  if (reference.names.size() < 2) {
    fail(ErrorKind::kInvalid,
         "AT stands behind a table of the lake, written database.table, but {} is not one",
         reference.names.back());
  }
  const lake::TablePtr table =
      find_table(catalog_, {reference.names[reference.names.size() - 2], reference.names.back()});
  lake::TableVersion version;
  if (reference.is_timestamp) {
    const std::string micros = value_of(expression, "epoch_us(CAST((", ") AS TIMESTAMPTZ))");
    version = lake::find_version_at(*table, Timestamp(microseconds(std::stoll(micros))));
  } else {
    version = lake::find_version(*table, value_of(expression, "CAST((", ") AS VARCHAR)"));
  }
  scans_.push_back(
      lake::make_scan(catalog_, table, *version.schema, version.snapshot->snapshot_id));
  const std::string view = format("{}@{}#{}", table->identifier.to_string(),
                                  version.snapshot->snapshot_id, version.schema->schema_id);
  connection_.execute(format("CREATE OR REPLACE TEMP VIEW {} AS SELECT {} FROM ({})",
                             quote_identifier(view), columns_of(version), scans_.back().sql));
  return {"temp", "main", view};
}

}  // namespace headrace::query
