#include "views/select_tree.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace headrace::views {
namespace {

constexpr size_t kMaxDepth = 500;

Json parse_tree(const std::string& text) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;  // expressions nest deeper than the 32 levels of the default
  boost::system::error_code error;
  Json tree = boost::json::parse(text, error, {}, options);
  if (error) {
    fail(ErrorKind::kUnsupported,
         "reading a view's query: its expressions nest too deep ({}); split them", error.message());
  }
  return tree;
}

std::string line_at(size_t position, const std::string& sql) {
  if (position > sql.size()) return "";
  const auto line = std::count(sql.begin(), sql.begin() + static_cast<ptrdiff_t>(position), '\n');
  return format("line {}: ", line + 1);
}

[[noreturn]] void fail_parse(const Json& answer, const std::string& sql) {
  const std::string position = string_member_or(answer, "position", "");
  size_t at = sql.size() + 1;
  std::from_chars(position.data(), position.data() + position.size(), at);
  if (string_member_or(answer, "error_type", "") == "not implemented") {
    fail(ErrorKind::kInvalid, "a view is one SELECT with aggregates, nothing else");
  }
  fail(ErrorKind::kInvalid, "{}{}", line_at(at, sql),
       string_member_or(answer, "error_message", "the query cannot be parsed"));
}

// Without what does not change the meaning.
Json canonical(const Json& tree) {
  if (tree.is_array()) {
    JsonArray result;
    for (const Json& child : tree.get_array()) result.push_back(canonical(child));
    return result;
  }
  if (!tree.is_object()) return tree;
  JsonObject result;
  for (const auto& [key, child] : tree.get_object()) {
    if (key == "query_location") continue;
    if (key == "column_names") {
      result[key] = to_lower(to_text(child));
    } else {
      result[key] = canonical(child);
    }
  }
  return result;
}

}  // namespace

JsonObject parse_select(engine::Connection& connection, const std::string& sql) {
  const auto text =
      connection.query_value(format("SELECT json_serialize_sql({})", engine::quote_literal(sql)));
  if (!text) fail(ErrorKind::kInvalid, "the view's query is empty");
  const Json answer = parse_tree(*text);
  if (member(answer, "error").as_bool()) fail_parse(answer, sql);
  const JsonArray& statements = member(answer, "statements").as_array();
  if (statements.size() != 1) {
    fail(ErrorKind::kInvalid, "a view is one SELECT; this has {} statements", statements.size());
  }
  const Json& node = member(statements[0], "node");
  if (string_member(node, "type") != "SELECT_NODE") {
    fail(ErrorKind::kUnsupported,
         "a view is one SELECT over one table; UNION, INTERSECT and EXCEPT are not possible");
  }
  return node.as_object();
}

namespace {

std::string render_select(engine::Connection& connection, JsonObject node,
                          std::string_view beginning) {
  const JsonObject statements{
      {"error", false},
      {"statements",
       JsonArray{JsonObject{{"node", std::move(node)}, {"named_param_map", JsonArray{}}}}}};
  const auto text = connection.query_value(
      format("SELECT json_deserialize_sql({}::JSON)", engine::quote_literal(to_text(statements))));
  if (!text || !text->starts_with(beginning)) {
    fail(ErrorKind::kInternal, "the engine does not give an expression back as SQL");
  }
  return text->substr(beginning.size());
}

// The engine wants every member of a node, so the node of a plain SELECT lends them.
const JsonObject& plain_select(engine::Connection& connection) {
  static const JsonObject plain = parse_select(connection, "SELECT 1");
  return plain;
}

}  // namespace

std::string render(engine::Connection& connection, const Json& expression) {
  Json unnamed = expression;
  unnamed.as_object()["alias"] = "";
  JsonObject node = plain_select(connection);
  JsonArray selected;
  selected.push_back(std::move(unnamed));
  node["select_list"] = std::move(selected);
  return render_select(connection, std::move(node), "SELECT ");
}

std::string render_from(engine::Connection& connection, const Json& from_table) {
  JsonObject node = plain_select(connection);
  node["from_table"] = from_table;
  return render_select(connection, std::move(node), "SELECT 1 FROM ");
}

std::string identity_of(const Json& expression) {
  Json tree = canonical(expression);
  tree.as_object()["alias"] = "";
  return to_text(tree);
}

bool is_class(const Json& expression, std::string_view class_name) {
  const Json* found = expression.is_object() ? find_member(expression, "class") : nullptr;
  return found != nullptr && found->is_string() &&
         std::string_view(found->get_string()) == class_name;
}

Json column_reference(const std::string& name) {
  return JsonObject{{"class", "COLUMN_REF"},
                    {"type", "COLUMN_REF"},
                    {"alias", ""},
                    {"query_location", 0},
                    {"column_names", JsonArray{Json(name)}}};
}

void visit_expressions(const Json& tree, const std::function<bool(const JsonObject&)>& visit) {
  if (tree.is_array()) {
    for (const Json& child : tree.get_array()) visit_expressions(child, visit);
  } else if (tree.is_object()) {
    const JsonObject& object = tree.get_object();
    if (object.contains("class") && !visit(object)) return;
    for (const auto& [key, child] : object) visit_expressions(child, visit);
  }
}

void replace_expressions(Json& tree,
                         const std::function<std::optional<Json>(const JsonObject&)>& replace) {
  if (tree.is_array()) {
    for (Json& child : tree.get_array()) replace_expressions(child, replace);
  } else if (tree.is_object()) {
    if (tree.get_object().contains("class")) {
      if (std::optional<Json> replacement = replace(tree.get_object())) {
        // The name of a struct's member is the alias of its value.
        replacement->as_object()["alias"] = tree.get_object()["alias"];
        tree = std::move(*replacement);
        return;
      }
    }
    for (auto& [key, child] : tree.get_object()) replace_expressions(child, replace);
  }
}

std::string place_of(const JsonObject& expression, const std::string& sql) {
  const auto* place = expression.if_contains("query_location");
  if (place == nullptr || !place->is_int64() || place->get_int64() < 0) return "";
  return line_at(static_cast<size_t>(place->get_int64()), sql);
}

}  // namespace headrace::views
