#include "views/view_query.h"

#include <algorithm>

#include "base/error.h"

namespace headrace::views {
namespace {

using engine::quote_identifier;

std::string cast_as(const std::string& expression, const std::string& type) {
  return type.empty() ? expression : format("CAST({} AS {})", expression, type);
}

std::string column_sql(const std::string& expression, const std::string& type,
                       const std::string& name) {
  return cast_as(expression, type) + " AS " + quote_identifier(name);
}

// The distances of each part's mean from the mean of all are added to those within the parts.
std::string combined_moments(const std::string& column, const std::string& sign) {
  const std::string count = format("sum({} * struct_extract({}, 'n'))", sign, column);
  const std::string mean =
      format("sum({0} * struct_extract({1}, 'n') * struct_extract({1}, 'mean')) / nullif({2}, 0)",
             sign, column, count);
  const std::string distances = format(
      "list_sum(list_transform(list(struct_pack(s := {0}, p := {1})) FILTER (WHERE "
      "struct_extract({1}, 'n') > 0), lambda e: e.s * (e.p.m2 + e.p.n * pow(e.p.mean - ({2}), "
      "2))))",
      sign, column, mean);
  return format("struct_pack(n := coalesce({}, 0), mean := {}, m2 := greatest({}, 0))", count, mean,
                distances);
}

// Of a table of groups: a name that no column of a source has.
std::string group_column(size_t key) { return format("__headrace_group_{}", key); }

// Merging the states of a kind; those of rows that went count against it.
std::string combined(const StateColumn& state) {
  const std::string column = "part." + quote_identifier(state.name);
  const std::string sign = format("part.{}", kSignColumn);
  switch (state.kind) {
    case StateKind::kCount:
      return format("coalesce(sum({} * {}), 0)", sign, column);
    case StateKind::kSum:
    case StateKind::kWideSum: {
      std::string sum = format("sum({} * {})", sign, column);
      if (state.count_name.empty()) return sum;
      return format("CASE WHEN sum({} * part.{}) > 0 THEN {} END", sign,
                    quote_identifier(state.count_name), sum);
    }
    case StateKind::kMin:
      return format("min({})", column);
    case StateKind::kMax:
      return format("max({})", column);
    case StateKind::kLeast:
      return format(
          "list_slice(list_sort(flatten(list({0}) FILTER (WHERE {0} IS NOT NULL))), 1, {1})",
          column, state.limit);
    case StateKind::kGreatest:
      return format(
          "list_slice(list_sort(flatten(list({0}) FILTER (WHERE {0} IS NOT NULL)), 'DESC'), 1, "
          "{1})",
          column, state.limit);
    case StateKind::kMoments:
      return combined_moments(column, sign);
    case StateKind::kMultiset:
      break;
  }
  fail(ErrorKind::kInternal, "a state of a view has no kind");
}

// The type that the lake keeps for one of the engine.
std::string stored_type(const std::string& name, const std::string& type) {
  try {
    return lake::to_duckdb(lake::type_from_duckdb(type));
  } catch (const Error& error) {
    throw error.with_context(format("column {} of the view", name));
  }
}

std::string state_type(const StateColumn& state, const std::string& type) {
  if (type.find("(\"\" ") != std::string::npos) {
    fail(ErrorKind::kUnsupported,
         "column {} of the view is made of (a, b): name the parts, as in {{'a': a, 'b': b}}",
         state.name);
  }
  const bool is_sum = state.kind == StateKind::kSum;
  if (state.kind == StateKind::kCount || (is_sum && type == "HUGEINT")) return "BIGINT";
  return stored_type(state.name, type);
}

// FNV-1a: the same in every build, for a value that is kept on disk.
uint64_t stable_hash(std::string_view text) {
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

}  // namespace

void ViewQuery::bind(engine::Connection& connection, const std::string& relation) {
  const std::vector<engine::Column> source =
      connection.describe(format("SELECT * FROM {}", relation));
  for (const std::string& alias : group_aliases_) {
    for (const engine::Column& column : source) {
      if (column.name != alias) continue;
      fail(ErrorKind::kInvalid,
           "GROUP BY {} may mean the column of {} or the expression of that name; give the "
           "expression another name or group by its position",
           alias, source_.to_string());
    }
  }
  check_time(connection, relation);
  check_joined_names(connection, relation, source);
  const std::string rows = one_relation(relation, "");
  for (KeyColumn& key : keys_) key.type.clear();
  for (StateColumn& state : states_) state.type.clear();
  for (OutputColumn& output : outputs_) output.type.clear();
  std::vector<engine::Column> columns = connection.describe(delta_sql(rows));
  for (size_t i = 0; i < keys_.size(); ++i) {
    keys_[i].type = stored_type(keys_[i].name, columns[i].type);
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    states_[i].type = state_type(states_[i], columns[keys_.size() + 1 + i].type);
  }
  columns = connection.describe(visible_sql(merged_sql({delta_sql(rows)})));
  for (size_t i = 0; i < outputs_.size(); ++i) {
    outputs_[i].type = stored_type(outputs_[i].name, columns[i].type);
  }
}

void ViewQuery::check_time(engine::Connection& connection, const std::string& relation) {
  if (!window_) return;
  const std::string type =
      connection.describe(format("SELECT {} FROM {}", window_->time, relation)).at(0).type;
  if (type == "DATE" || type.starts_with("TIMESTAMP")) {
    window_->time_type = type;
    return;
  }
  if (!window_->is_named) {
    window_.reset();  // date_trunc() of an interval
    return;
  }
  fail(ErrorKind::kInvalid,
       "{}{}: a window is one of time, and {} is {}; give it a column of type TIMESTAMP, "
       "TIMESTAMPTZ or DATE, or cast it",
       window_->place, window_->call, window_->time, type);
}

std::vector<engine::Column> ViewQuery::stored_columns() const {
  std::vector<engine::Column> columns;
  for (const OutputColumn& output : outputs_) columns.push_back({output.name, output.type});
  for (const KeyColumn& key : keys_) {
    if (key.hidden) columns.push_back({key.name, key.type});
  }
  for (const StateColumn& state : states_) {
    if (is_stored(state)) columns.push_back({state.name, state.type});
  }
  return columns;
}

bool ViewQuery::is_stored(const StateColumn& state) const { return state.hidden && stores_states_; }

bool ViewQuery::has_extremes() const {
  return std::any_of(states_.begin(), states_.end(), [](const StateColumn& state) {
    return state.kind == StateKind::kMin || state.kind == StateKind::kMax ||
           state.kind == StateKind::kLeast || state.kind == StateKind::kGreatest;
  });
}

bool ViewQuery::has_multiset() const {
  return std::any_of(states_.begin(), states_.end(),
                     [](const StateColumn& state) { return state.kind == StateKind::kMultiset; });
}

// By position: a name might mean a column of the source.
std::string ViewQuery::grouping(size_t further_columns) const {
  std::vector<std::string> positions;
  for (size_t i = 1; i <= keys_.size() + further_columns; ++i) {
    positions.push_back(format("{}", i));
  }
  return positions.empty() ? "" : format(" GROUP BY {}", join(positions, ", "));
}

std::string ViewQuery::part_sql(const std::string& relation, const std::string& sign) const {
  std::vector<std::string> columns;
  for (const KeyColumn& key : keys_)
    columns.push_back(column_sql(key.expression, key.type, key.name));
  columns.push_back(format("{} AS {}", sign, kSignColumn));
  for (const StateColumn& state : states_) {
    columns.push_back(column_sql(state.expression, state.type, state.name));
  }
  if (has_sessions()) {
    return format("SELECT {} FROM {}", join(columns, ", "), sessions_sql(relation));
  }
  return format("SELECT {} FROM {}{}{}{}", join(columns, ", "), relation,
                window_ ? hops_sql(*window_) : "", groups_join_sql(), condition_sql());
}

std::string ViewQuery::groups_join_sql() const {
  if (groups_.empty()) return "";
  std::vector<std::string> conditions = {"true"};
  for (size_t i = 0; i < keys_.size(); ++i) {
    conditions.push_back(format("{} IS NOT DISTINCT FROM __groups.{}",
                                cast_as(keys_[i].expression, keys_[i].type), group_column(i)));
  }
  return format(" SEMI JOIN {} AS __groups ON {}", groups_, join(conditions, " AND "));
}

std::string ViewQuery::lost_groups_sql(const std::string& parts) const {
  std::vector<std::string> columns = {kSignColumn};
  for (size_t i = 0; i < keys_.size(); ++i) {
    columns.push_back(format("{} AS {}", quote_identifier(keys_[i].name), group_column(i)));
  }
  return format("SELECT DISTINCT {} FROM {} WHERE {} < 0", join(columns, ", "), parts, kSignColumn);
}

ViewQuery ViewQuery::of_groups(const std::string& groups) const {
  ViewQuery query = *this;
  query.groups_ = groups;
  return query;
}

std::string ViewQuery::same_groups(std::string_view keyed, std::string_view groups) const {
  std::vector<std::string> conditions = {"true"};
  for (size_t i = 0; i < keys_.size(); ++i) {
    conditions.push_back(format("{}.{} IS NOT DISTINCT FROM {}.{}", keyed,
                                quote_identifier(keys_[i].name), groups, group_column(i)));
  }
  return format("{}", join(conditions, " AND "));
}

// Of the rows that count, whatever their window.
std::vector<std::string> ViewQuery::row_conditions() const {
  std::vector<std::string> conditions;
  if (!where_.empty()) conditions.push_back(where_);
  const std::string hops = window_ ? hops_condition(*window_) : "";
  if (!hops.empty()) conditions.push_back(hops);
  return conditions;
}

std::string ViewQuery::condition_sql() const {
  std::vector<std::string> conditions = row_conditions();
  add_window_conditions(conditions);
  if (conditions.empty()) return "";
  if (conditions.size() == 1) return " WHERE " + conditions[0];
  return format(" WHERE ({})", join(conditions, ") AND ("));
}

std::string ViewQuery::delta_sql(const std::string& relation) const {
  return part_sql(relation, "1") + grouping();
}

std::string ViewQuery::signed_delta_sql(const std::string& relation) const {
  return part_sql(relation, kSignColumn) + grouping(1);
}

std::string ViewQuery::stored_states_sql(const std::string& stored) const {
  std::vector<std::string> columns;
  for (const KeyColumn& key : keys_) columns.push_back(quote_identifier(key.name));
  columns.push_back(format("1 AS {}", kSignColumn));
  for (const StateColumn& state : states_) columns.push_back(quote_identifier(state.name));
  return format("SELECT {} FROM ({})", join(columns, ", "), stored);
}

// Keys and all states that are no multisets.
std::string ViewQuery::sums_sql(const std::string& parts) const {
  std::vector<std::string> columns;
  for (const KeyColumn& key : keys_) columns.push_back("part." + quote_identifier(key.name));
  for (const StateColumn& state : states_) {
    if (state.kind == StateKind::kMultiset) continue;
    columns.push_back(column_sql(combined(state), state.type, state.name));
  }
  // One row also where there is nothing but a multiset of all rows.
  if (columns.empty()) columns.emplace_back("count(*) AS __parts");
  std::string sql = format("SELECT {} FROM {} AS part{}", join(columns, ", "), parts, grouping());
  if (!row_count_.empty() && !keys_.empty()) {
    sql += format(" HAVING sum(part.{} * part.{}) > 0", kSignColumn, quote_identifier(row_count_));
  }
  return sql;
}

// Keys and one multiset. Its values are unfolded, counted together and folded again.
std::string ViewQuery::multiset_sql(const StateColumn& state, const std::string& parts) const {
  std::vector<std::string> keys;
  for (const KeyColumn& key : keys_) keys.push_back(quote_identifier(key.name) + ", ");
  const std::string columns = format("{}", join(keys, ""));
  const std::string groups =
      keys.empty() ? "" : format("PARTITION BY {} ", columns.substr(0, columns.size() - 2));
  const std::string entries = format("SELECT {}unnest({}) AS __entry, {} FROM {}", columns,
                                     quote_identifier(state.name), kSignColumn, parts);
  const std::string counted = format(
      "SELECT {0}struct_extract(__entry, 'key') AS __key, CAST(sum({1} * struct_extract(__entry, "
      "'value')) AS BIGINT) AS __count FROM ({2}){3} HAVING __count <> 0",
      columns, kSignColumn, entries, grouping(1));
  const std::string running = format(
      "SELECT *, sum(__count) OVER ({}ORDER BY __key ROWS UNBOUNDED PRECEDING) AS __upto FROM ({})",
      groups, counted);
  const std::string folded =
      "list(struct_pack(\"key\" := __key, \"value\" := __count, upto := CAST(__upto AS BIGINT)) "
      "ORDER BY __key)";
  return format("SELECT {}{} FROM ({}){}", columns, column_sql(folded, state.type, state.name),
                running, grouping());
}

std::string ViewQuery::merged_sql(const std::vector<std::string>& parts) const {
  const std::string all = format("(({}))", join(parts, ") UNION ALL ("));
  if (!has_multiset()) return sums_sql(all);
  std::string with =
      format("WITH __part AS MATERIALIZED {}, __sums AS ({})", all, sums_sql("__part"));
  std::vector<std::string> columns;
  for (const KeyColumn& key : keys_) columns.push_back("__sums." + quote_identifier(key.name));
  std::string joins;
  for (size_t i = 0; i < states_.size(); ++i) {
    const StateColumn& state = states_[i];
    const bool is_multiset = state.kind == StateKind::kMultiset;
    const std::string from = is_multiset ? format("__set_{}", i) : "__sums";
    columns.push_back(format("{}.{}", from, quote_identifier(state.name)));
    if (!is_multiset) continue;
    with += format(", {} AS ({})", from, multiset_sql(state, "__part"));
    joins += format(" LEFT JOIN {} ON {}", from, same_keys("__sums", from));
  }
  return format("{} SELECT {} FROM __sums{}", with, join(columns, ", "), joins);
}

std::string ViewQuery::visible_sql(const std::string& states) const {
  std::vector<std::string> columns;
  for (const OutputColumn& output : outputs_) {
    columns.push_back(column_sql(output.expression, output.type, output.name));
  }
  return format("SELECT {} FROM ({})", join(columns, ", "), states);
}

std::string ViewQuery::output_names() const {
  std::vector<std::string> names;
  for (const OutputColumn& output : outputs_) names.push_back(quote_identifier(output.name));
  return format("{}", join(names, ", "));
}

std::string ViewQuery::shown_columns_sql(const std::string& stored) const {
  return format("SELECT {} FROM ({})", output_names(), stored);
}

std::string ViewQuery::current_sql(const std::string& stored, const std::string& delta) const {
  if (!has_multiset() || keys_.empty()) {
    return visible_sql(merged_sql({stored_states_sql(stored), delta}));
  }
  std::vector<std::string> outputs;
  for (const OutputColumn& output : outputs_) {
    outputs.push_back("s." + quote_identifier(output.name));
  }
  const std::string changed =
      format("SELECT s.* FROM __stored s SEMI JOIN __delta d ON {}", same_keys("s", "d"));
  return format(
      "WITH __stored AS ({}), __delta AS MATERIALIZED ({}) SELECT {} FROM __stored s ANTI JOIN "
      "__delta d ON {} UNION ALL {}",
      stored, delta, join(outputs, ", "), same_keys("s", "d"),
      visible_sql(merged_sql({stored_states_sql(changed), "SELECT * FROM __delta"})));
}

std::string ViewQuery::same_keys(std::string_view a, std::string_view b) const {
  std::vector<std::string> conditions = {"true"};
  for (const KeyColumn& key : keys_) {
    const std::string name = quote_identifier(key.name);
    conditions.push_back(format("{}.{} IS NOT DISTINCT FROM {}.{}", a, name, b, name));
  }
  return format("{}", join(conditions, " AND "));
}

std::string ViewQuery::stored_sql(const std::string& states,
                                  std::optional<int64_t> ended_until_us) const {
  std::vector<std::string> columns;
  for (const OutputColumn& output : outputs_) {
    columns.push_back(column_sql(output.expression, output.type, output.name));
  }
  for (const KeyColumn& key : keys_) {
    if (key.hidden) columns.push_back(quote_identifier(key.name));
  }
  for (const StateColumn& state : states_) {
    if (!is_stored(state)) continue;
    const std::string name = quote_identifier(state.name);
    if (ended_until_us && state.kind == StateKind::kMultiset) {
      columns.push_back(format("CASE WHEN {} THEN NULL ELSE {} END AS {}",
                               ended_sql(*ended_until_us), name, name));
    } else {
      columns.push_back(name);
    }
  }
  return format("SELECT {} FROM ({})", join(columns, ", "), states);
}

std::string ViewQuery::plain_sql() const {
  return visible_sql(merged_sql({delta_sql(one_relation(named_from(), ""))}));
}

std::string ViewQuery::fingerprint() const {
  std::vector<std::string> joined;
  for (const lake::TableIdentifier& table : joined_) joined.push_back(table.to_string());
  std::string meaning = visible_sql(delta_sql(from_sql(source_.to_string(), joined)));
  if (!stores_states_) meaning += " when it is closed";
  // Of sessions no states are stored in either case.
  if (has_sessions() && !stores_open_) meaning += ", and not before";
  return format("{:016x}", stable_hash(meaning));
}

}  // namespace headrace::views
