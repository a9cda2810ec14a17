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

// Merging two states of a kind.
std::string combined(const StateColumn& state) {
  const std::string column = "part." + quote_identifier(state.name);
  switch (state.kind) {
    case StateKind::kCount:
      return format("coalesce(sum({}), 0)", column);
    case StateKind::kSum:
    case StateKind::kWideSum:
      return format("sum({})", column);
    case StateKind::kMin:
      return format("min({})", column);
    case StateKind::kMax:
      return format("max({})", column);
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
  for (KeyColumn& key : keys_) key.type.clear();
  for (StateColumn& state : states_) state.type.clear();
  for (OutputColumn& output : outputs_) output.type.clear();
  std::vector<engine::Column> columns = connection.describe(delta_sql(relation));
  for (size_t i = 0; i < keys_.size(); ++i) {
    keys_[i].type = stored_type(keys_[i].name, columns[i].type);
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    states_[i].type = state_type(states_[i], columns[keys_.size() + i].type);
  }
  columns = connection.describe(visible_sql(delta_sql(relation)));
  for (size_t i = 0; i < outputs_.size(); ++i) {
    outputs_[i].type = stored_type(outputs_[i].name, columns[i].type);
  }
}

std::vector<engine::Column> ViewQuery::stored_columns() const {
  std::vector<engine::Column> columns;
  for (const OutputColumn& output : outputs_) columns.push_back({output.name, output.type});
  for (const KeyColumn& key : keys_) {
    if (key.hidden) columns.push_back({key.name, key.type});
  }
  for (const StateColumn& state : states_) {
    if (state.hidden) columns.push_back({state.name, state.type});
  }
  return columns;
}

// By position: a name might mean a column of the source.
std::string ViewQuery::grouping() const {
  std::vector<std::string> positions;
  for (size_t i = 1; i <= keys_.size(); ++i) positions.push_back(format("{}", i));
  return positions.empty() ? "" : format(" GROUP BY {}", join(positions, ", "));
}

std::string ViewQuery::delta_sql(const std::string& relation) const {
  std::vector<std::string> columns;
  for (const KeyColumn& key : keys_)
    columns.push_back(column_sql(key.expression, key.type, key.name));
  for (const StateColumn& state : states_) {
    columns.push_back(column_sql(state.expression, state.type, state.name));
  }
  return format("SELECT {} FROM {}{}{}", join(columns, ", "), relation,
                where_.empty() ? "" : " WHERE " + where_, grouping());
}

std::string ViewQuery::stored_states_sql(const std::string& stored) const {
  std::vector<std::string> columns;
  for (const KeyColumn& key : keys_) columns.push_back(quote_identifier(key.name));
  for (const StateColumn& state : states_) columns.push_back(quote_identifier(state.name));
  return format("SELECT {} FROM ({})", join(columns, ", "), stored);
}

std::string ViewQuery::merged_sql(const std::vector<std::string>& parts) const {
  std::vector<std::string> columns;
  for (const KeyColumn& key : keys_) columns.push_back("part." + quote_identifier(key.name));
  for (const StateColumn& state : states_) {
    columns.push_back(column_sql(combined(state), state.type, state.name));
  }
  return format("SELECT {} FROM (({})) AS part{}", join(columns, ", "),
                join(parts, ") UNION ALL ("), grouping());
}

std::string ViewQuery::visible_sql(const std::string& states) const {
  std::vector<std::string> columns;
  for (const OutputColumn& output : outputs_) {
    columns.push_back(column_sql(output.expression, output.type, output.name));
  }
  return format("SELECT {} FROM ({})", join(columns, ", "), states);
}

std::string ViewQuery::stored_sql(const std::string& states) const {
  std::vector<std::string> columns;
  for (const OutputColumn& output : outputs_) {
    columns.push_back(column_sql(output.expression, output.type, output.name));
  }
  for (const KeyColumn& key : keys_) {
    if (key.hidden) columns.push_back(quote_identifier(key.name));
  }
  for (const StateColumn& state : states_) {
    if (state.hidden) columns.push_back(quote_identifier(state.name));
  }
  return format("SELECT {} FROM ({})", join(columns, ", "), states);
}

std::string ViewQuery::fingerprint() const {
  const std::string meaning = visible_sql(delta_sql(source_.to_string()));
  return format("{:016x}", stable_hash(meaning));
}

}  // namespace headrace::views
