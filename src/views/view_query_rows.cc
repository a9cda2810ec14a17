// The rows that a query is over: those of its source, with those of the tables it joins.

#include "base/error.h"
#include "base/text.h"
#include "views/view_query.h"

namespace headrace::views {

using engine::quote_identifier;

std::string table_place(size_t index) { return format("__headrace_table_{}_", index); }

std::string ViewQuery::from_sql(const std::string& source,
                                const std::vector<std::string>& joined) const {
  if (joined_.empty()) return source;
  std::string sql;
  size_t done = 0;
  // The places stand in the order of the tables.
  for (size_t i = 0; i <= joined.size(); ++i) {
    const std::string place = table_place(i);
    const size_t at = from_.find(place, done);
    sql += from_.substr(done, at - done) + (i == 0 ? source : joined[i - 1]);
    done = at + place.size();
  }
  return sql + from_.substr(done);
}

std::string ViewQuery::rows_sql(const std::string& source, const std::vector<std::string>& joined,
                                std::optional<int64_t> first_us) const {
  const std::string from = from_sql(source, joined);
  if (!first_us) return one_relation(from, "");
  return one_relation(from, format(" WHERE ({}) >= {}", window_->time, time_literal(*first_us)));
}

// Rows that are numbered and aligned to sessions are read through subqueries, where the tables of
// FROM have no names any more. So each is there as a struct of its name, with the columns that the
// query takes from it: `o.amount` means a field of it then.
std::string ViewQuery::one_relation(const std::string& from, const std::string& condition) const {
  const bool is_one = joined_.empty() || !has_sessions();
  if (is_one && condition.empty()) return from;
  std::string structs;
  for (const NamedColumns& named : named_columns_) {
    std::vector<std::string> fields;
    for (const std::string& column : named.columns) {
      fields.push_back(format("{} := {}.{}", quote_identifier(column),
                              quote_identifier(named.table), quote_identifier(column)));
    }
    structs += format("struct_pack({}) AS {}, ", join(fields, ", "), quote_identifier(named.table));
  }
  return format("(SELECT {}* FROM {}{})", structs, from, condition);
}

// As one relation, what two tables call the same would be taken from the first one.
void ViewQuery::check_joined_names(engine::Connection& connection, const std::string& relation,
                                   const std::vector<engine::Column>& columns) const {
  if (!has_sessions() || joined_.empty()) return;
  for (const NamedColumns& named : named_columns_) {
    for (const engine::Column& column : columns) {
      if (to_lower(column.name) != to_lower(named.table)) continue;
      fail(ErrorKind::kUnsupported,
           "{}{}: {} is the name of a table and of a column here; give the table another one, with "
           "AS",
           window_->place, window_->call, named.table);
    }
  }
  std::vector<std::string> expressions;
  for (const KeyColumn& key : keys_) expressions.push_back(key.expression);
  for (const StateColumn& state : states_) expressions.push_back(state.expression);
  connection.describe(format(
      "SELECT {} FROM {} CROSS JOIN (SELECT CAST(NULL AS {}) AS {}, CAST(NULL AS {}) AS {}){}{}",
      join(expressions, ", "), relation, window_->time_type, kSessionStart, window_->time_type,
      kSessionEnd, where_.empty() ? "" : " WHERE " + where_, grouping()));
}

std::string ViewQuery::named_from() const {
  std::vector<std::string> joined;
  for (const lake::TableIdentifier& table : joined_) {
    joined.push_back(engine::quote_name(table.database, table.name));
  }
  return from_sql(engine::quote_name(source_.database, source_.name), joined);
}

}  // namespace headrace::views
