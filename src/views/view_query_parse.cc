// From the tree of a SELECT to keys, states and outputs.

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "views/aggregate.h"
#include "views/query_checks.h"
#include "views/select_tree.h"
#include "views/view_query.h"

namespace headrace::views {
namespace {

constexpr std::string_view kHidden = "__";

std::vector<std::string> column_parts(const JsonObject& column) {
  std::vector<std::string> parts;
  for (const Json& part : column.at("column_names").as_array()) {
    parts.emplace_back(part.as_string());
  }
  return parts;
}

// edits.country and silver.edits.country → country where there is but one table, and
// silver.edits.country → edits.country where there are several.
void drop_qualifiers(Json& tree, const SourceTable& source, bool is_alone) {
  const std::string name = to_lower(source.shown_name());
  replace_expressions(tree, [&](const JsonObject& expression) -> std::optional<Json> {
    if (!is_class(Json(expression), "COLUMN_REF")) return std::nullopt;
    std::vector<std::string> parts = column_parts(expression);
    size_t drop = 0;
    if (parts.size() > 2 && source.alias.empty() &&
        to_lower(parts[0]) == to_lower(source.identifier.database) && to_lower(parts[1]) == name) {
      drop = 2;
    } else if (parts.size() > 1 && to_lower(parts[0]) == name) {
      drop = 1;
    }
    if (!is_alone && drop > 0) --drop;
    if (drop == 0) return std::nullopt;
    JsonObject column = expression;
    JsonArray rest;
    for (size_t i = drop; i < parts.size(); ++i) rest.emplace_back(parts[i]);
    column["column_names"] = std::move(rest);
    return column;
  });
}

struct SelectItem {
  std::string name;
  Json expression;
};

std::optional<size_t> position_in_group_by(const Json& expression) {
  if (!is_class(expression, "CONSTANT")) return std::nullopt;
  const Json* value = find_member(member(expression, "value"), "value");
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return static_cast<size_t>(value->get_int64());
}

}  // namespace

class ViewQueryParser {
 public:
  ViewQueryParser(engine::Connection& connection, const std::string& sql, SourceKind source_kind)
      : connection_(connection), sql_(sql) {
    query_.source_kind_ = source_kind;
  }

  ViewQuery parse() {
    node_ = parse_select(connection_, sql_);
    check_clauses(node_);
    const std::vector<SourceTable> tables = tables_of(node_);
    query_.source_ = tables[0].identifier;
    check_expressions(connection_, node_, sql_);
    for (const std::string_view part :
         {"select_list", "from_table", "where_clause", "group_expressions"}) {
      for (const SourceTable& table : tables) {
        drop_qualifiers(node_.at(part), table, tables.size() == 1);
      }
    }
    const JsonObject written = node_;
    query_.window_ = replace_windows(connection_, node_, sql_);
    read_joins(tables);
    if (query_.has_sessions() && tables.size() > 1) {
      for (const SourceTable& table : tables) read_named_columns(table, written);
    }
    read_where();
    read_items();
    read_keys();
    read_window();
    read_direct_states();
    for (const SelectItem& item : items_) add_output(item);
    if (query_.states_.empty()) {
      fail(ErrorKind::kUnsupported,
           "a view needs an aggregate, for example count(*) AS rows; it can have {}",
           kSupportedAggregates);
    }
    if (query_.source_kind_ == SourceKind::kChanging) {
      query_.row_count_ = add_state({StateKind::kCount, "count_star()"}, "__rows", true);
    }
    return std::move(query_);
  }

 private:
  void read_joins(const std::vector<SourceTable>& tables) {
    if (tables.size() == 1) return;
    std::vector<Json*> places;
    Json* from = &node_.at("from_table");
    for (; string_member(*from, "type") == "JOIN"; from = &from->as_object().at("left")) {
      places.insert(places.begin(), &from->as_object().at("right"));
    }
    places.insert(places.begin(), from);
    for (size_t i = 0; i < tables.size(); ++i) {
      JsonObject& place = places[i]->as_object();
      place["alias"] = tables[i].shown_name();
      place["schema_name"] = "";
      place["table_name"] = table_place(i);
      if (i > 0) query_.joined_.push_back(tables[i].identifier);
    }
    query_.from_ = render_from(connection_, node_.at("from_table"));
  }

  // See ViewQuery::one_relation(). The window's time is in the query as it was written.
  void read_named_columns(const SourceTable& table, const JsonObject& written) {
    const std::string name = to_lower(table.shown_name());
    std::vector<std::string> columns;
    std::set<std::string> known;
    for (const std::string_view part : {"select_list", "where_clause", "group_expressions"}) {
      visit_expressions(written.at(part), [&](const JsonObject& expression) {
        if (!is_class(Json(expression), "COLUMN_REF")) return true;
        const std::vector<std::string> parts = column_parts(expression);
        if (to_lower(parts[0]) != name) return true;
        if (parts.size() == 1) {
          fail(ErrorKind::kUnsupported, "{}{}: name the column of this table that is meant",
               place_of(expression, sql_), parts[0]);
        }
        if (known.insert(to_lower(parts[1])).second) columns.push_back(parts[1]);
        return true;
      });
    }
    if (!columns.empty()) query_.named_columns_.push_back({table.shown_name(), columns});
  }

  void read_where() {
    const Json& where = node_.at("where_clause");
    if (where.is_null()) return;
    if (has_aggregate(where)) {
      fail(ErrorKind::kInvalid, "WHERE cannot have aggregates; use FILTER (WHERE …) of one");
    }
    query_.where_ = render(connection_, where);
  }

  void read_items() {
    std::set<std::string> names;
    for (const Json& expression : node_.at("select_list").as_array()) {
      SelectItem item{name_of_item(expression), expression};
      if (item.name.starts_with(kHidden)) {
        fail(ErrorKind::kInvalid, "{}: names that begin with __ are kept for hidden columns",
             item.name);
      }
      if (!names.insert(to_lower(item.name)).second) {
        fail(ErrorKind::kInvalid, "two columns of the view are named {}; give one another name",
             item.name);
      }
      items_.push_back(std::move(item));
    }
  }

  std::string name_of_item(const Json& expression) {
    std::string alias = string_member(expression, "alias");
    if (!alias.empty()) return alias;
    if (is_class(expression, "COLUMN_REF")) return column_parts(expression.as_object()).back();
    fail(ErrorKind::kInvalid, "{}give {} a name: {} AS name",
         place_of(expression.as_object(), sql_), render(connection_, expression),
         render(connection_, expression));
  }

  void read_keys() {
    if (string_member(node_, "aggregate_handling") == "FORCE_AGGREGATES") {  // GROUP BY ALL
      for (const SelectItem& item : items_) {
        if (!has_aggregate(item.expression)) add_key(item.expression);
      }
      return;
    }
    for (const Json& group : node_.at("group_expressions").as_array()) add_key(resolved(group));
  }

  // What a position or the name of a selected expression stands for.
  Json resolved(const Json& group) {
    if (const auto position = position_in_group_by(group)) {
      if (*position < 1 || *position > items_.size()) {
        fail(ErrorKind::kInvalid, "GROUP BY {}: there are {} selected columns", *position,
             items_.size());
      }
      return items_[*position - 1].expression;
    }
    if (!is_class(group, "COLUMN_REF")) return group;
    const std::vector<std::string> parts = column_parts(group.as_object());
    if (parts.size() != 1) return group;
    for (const SelectItem& item : items_) {
      if (to_lower(item.name) != to_lower(parts[0])) continue;
      if (identity_of(item.expression) != identity_of(group)) {
        query_.group_aliases_.push_back(parts[0]);
      }
      return item.expression;
    }
    return group;
  }

  // A window that is asked for by name must be a key, if only by its end.
  void read_window() {
    if (!query_.window_) {
      find_plain_window();
      return;
    }
    Window& window = *query_.window_;
    if (window.is_session()) {
      read_session(window);
      return;
    }
    if (!keys_.contains(identity_of(window.start))) {
      const std::string start = render(connection_, window.start);
      const bool has_end = std::any_of(
          query_.keys_.begin(), query_.keys_.end(),
          [&](const KeyColumn& key) { return key.expression.find(start) != std::string::npos; });
      if (!has_end) {
        fail(ErrorKind::kInvalid, "{}{}: the window must stand in GROUP BY, too", window.place,
             window.call);
      }
      add_key(window.start);
    }
    window.key = keys_.at(identity_of(window.start));
  }

  // Both ends are stored, to find the sessions that a row belongs to.
  void read_session(Window& window) {
    const bool is_key =
        std::any_of(query_.keys_.begin(), query_.keys_.end(), [](const KeyColumn& key) {
          return key.expression.find(kSessionStart) != std::string::npos ||
                 key.expression.find(kSessionEnd) != std::string::npos;
        });
    if (!is_key) {
      fail(ErrorKind::kInvalid, "{}{}: the window must stand in GROUP BY, too", window.place,
           window.call);
    }
    add_key(column_reference(kSessionStart));
    add_key(column_reference(kSessionEnd));
    window.key = keys_.at(identity_of(column_reference(kSessionStart)));
    window.end_key = keys_.at(identity_of(column_reference(kSessionEnd)));
  }

  void find_plain_window() {
    std::optional<Window> only;
    for (const Json& expression : key_expressions_) {
      std::optional<Window> window = plain_window(connection_, expression);
      if (!window) continue;
      if (only) return;
      only = std::move(window);
      only->key = keys_.at(identity_of(expression));
    }
    query_.window_ = std::move(only);
  }

  void add_key(const Json& expression) {
    if (has_aggregate(expression)) {
      fail(ErrorKind::kInvalid, "{}GROUP BY cannot have aggregates",
           place_of(expression.as_object(), sql_));
    }
    const std::string identity = identity_of(expression);
    if (keys_.contains(identity)) return;
    KeyColumn key;
    key.expression = render(connection_, expression);
    const auto item = std::find_if(items_.begin(), items_.end(), [&](const SelectItem& each) {
      return identity_of(each.expression) == identity;
    });
    key.hidden = item == items_.end();
    key.name = key.hidden ? format("{}key_{}", kHidden, query_.keys_.size() + 1) : item->name;
    keys_[identity] = key.name;
    key_expressions_.push_back(expression);
    query_.keys_.push_back(std::move(key));
  }

  // Aggregates that are selected as they are, so that others can use their states.
  void read_direct_states() {
    for (const SelectItem& item : items_) {
      if (!is_aggregate_call(item.expression.as_object())) continue;
      const Aggregate aggregate = checked_aggregate(item.expression.as_object());
      if (aggregate.result == "$0") add_states(aggregate, item.name, true);
    }
  }

  Aggregate checked_aggregate(const JsonObject& call) {
    if (has_aggregate(call.at("children")) || has_aggregate(call.at("filter"))) {
      fail(ErrorKind::kInvalid, "{}an aggregate of an aggregate is not possible",
           place_of(call, sql_));
    }
    try {
      return aggregate_of(connection_, call, query_.source_kind_);
    } catch (const Error& error) {
      throw Error(error.kind(), place_of(call, sql_) + error.message());
    }
  }

  // The names of the columns that hold them. With `first_is_shown`, the first is a column of the
  // view.
  std::vector<std::string> add_states(const Aggregate& aggregate, const std::string& item,
                                      bool first_is_shown) {
    std::vector<std::string> columns;
    for (const AggregateState& state : aggregate.states) {
      const bool is_shown = first_is_shown && columns.empty();
      columns.push_back(add_state(state, is_shown ? item : hidden_name(state, item), !is_shown));
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      if (!aggregate.states[i].count) continue;
      for (StateColumn& column : query_.states_) {
        if (column.name == columns[i]) column.count_name = columns[*aggregate.states[i].count];
      }
    }
    return columns;
  }

  // The name of the column that holds it.
  std::string add_state(const AggregateState& state, const std::string& name, bool hidden) {
    // A sum behind an average is kept wider than one that is selected.
    std::string identity = state.expression;
    if (state.kind == StateKind::kWideSum) identity += " wide";
    const auto found = states_.find(identity);
    if (found != states_.end()) return found->second;
    states_[identity] = name;
    query_.states_.push_back({name, state.expression, state.kind, "", hidden, state.limit});
    return name;
  }

  std::string hidden_name(const AggregateState& state, const std::string& item) const {
    const std::string base = format("{}{}_{}", kHidden, name_of(state.kind), item);
    std::string name = base;
    const auto is_taken = [&](const StateColumn& each) { return each.name == name; };
    for (int number = 2; std::any_of(query_.states_.begin(), query_.states_.end(), is_taken);
         ++number) {
      name = format("{}_{}", base, number);
    }
    return name;
  }

  // The expression over the states of one aggregate.
  Json result_of(const JsonObject& call, const std::string& item) {
    const Aggregate aggregate = checked_aggregate(call);
    const std::vector<std::string> columns = add_states(aggregate, item, false);
    if (aggregate.result == "$0") return column_reference(columns[0]);
    std::vector<std::string> quoted;
    for (const std::string& column : columns) quoted.push_back(engine::quote_identifier(column));
    const JsonObject node =
        parse_select(connection_, "SELECT " + with_states(aggregate.result, quoted));
    return node.at("select_list").as_array()[0];
  }

  void add_output(const SelectItem& item) {
    std::optional<JsonObject> missing;
    Json holder(boost::json::array_kind);
    holder.as_array().push_back(item.expression);
    replace_expressions(holder, [&](const JsonObject& each) -> std::optional<Json> {
      const auto key = keys_.find(identity_of(each));
      if (key != keys_.end()) return column_reference(key->second);
      if (is_aggregate_call(each)) return result_of(each, item.name);
      if (is_class(each, "COLUMN_REF") && !missing) missing = each;
      return std::nullopt;
    });
    if (missing) {
      fail(ErrorKind::kInvalid,
           "{}column {} must stand in GROUP BY or in an aggregate such as max({})",
           place_of(*missing, sql_), join(column_parts(*missing), "."),
           join(column_parts(*missing), "."));
    }
    query_.outputs_.push_back({item.name, render(connection_, holder.as_array()[0]), ""});
  }

  engine::Connection& connection_;
  const std::string& sql_;
  ViewQuery query_;
  JsonObject node_;
  std::vector<SelectItem> items_;
  std::map<std::string, std::string> keys_;  // identity → name
  std::vector<Json> key_expressions_;
  std::map<std::string, std::string> states_;  // identity → name
};

ViewQuery ViewQuery::parse(engine::Connection& connection, const std::string& sql,
                           SourceKind source_kind) {
  return ViewQueryParser(connection, sql, source_kind).parse();
}

}  // namespace headrace::views
