#pragma once

// A SELECT as the engine's own parser sees it, as a tree of JSON (json_serialize_sql), and
// expressions of it as SQL text again. So a view's query is taken apart without a grammar of ours.
//
// An expression is an object with the members class, type, alias, query_location and more by class.
// Thread use: as the Connection's.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "engine/database.h"

namespace headrace::views {

// The node of the one SELECT in the text. Error invalid when the text is not one.
JsonObject parse_select(engine::Connection& connection, const std::string& sql);

// The expression as SQL, without its alias.
std::string render(engine::Connection& connection, const Json& expression);

// What stands after FROM, as SQL.
std::string render_from(engine::Connection& connection, const Json& from_table);

// The same for expressions that differ at most in alias, place and upper or lower case of columns.
std::string identity_of(const Json& expression);

bool is_class(const Json& expression, std::string_view class_name);

Json column_reference(const std::string& name);

// Visits all expressions under a tree, those above first. False from `visit`: not what is below.
void visit_expressions(const Json& tree, const std::function<bool(const JsonObject&)>& visit);

// Visits them to be changed: `replace` returns the expression to put in its place, or nullopt to
// go on below it.
void replace_expressions(Json& tree,
                         const std::function<std::optional<Json>(const JsonObject&)>& replace);

// "line 3: ", or nothing when the place is not known.
std::string place_of(const JsonObject& expression, const std::string& sql);

}  // namespace headrace::views
