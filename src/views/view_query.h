#pragma once

// The query of an incremental view, taken apart into what can be kept up to date by adding to it.
//
//   SELECT time_bucket(INTERVAL 1 HOUR, ts) AS hour, country, count(*) AS n, avg(x) AS mean
//   FROM silver.edits WHERE x > 0 GROUP BY ALL
//
// becomes *keys* (hour, country), *states* that can be merged (n: a count; __sum_mean and
// __count_mean behind the average), and *outputs* computed from both. The stored table has the
// outputs as users see them, and behind them hidden columns (their names begin with __) for what
// cannot be had back from the outputs.
//
// Types: counts and sums of integers are BIGINT, and fail rather than wrap; sums of decimals are
// DECIMAL(38, s), others as in the engine; the sum behind an average of integers is DECIMAL(38, 0).
//
// Life cycle: parse() says whether the query can be a view, bind() gives the types; only then may
// the SQL be asked for. Thread use: const methods from any thread. Errors of parse and bind:
// invalid for a wrong query, unsupported for a right one that cannot be a view; both name the part.

#include <string>
#include <vector>

#include "engine/database.h"
#include "lake/table.h"

namespace headrace::views {

struct KeyColumn {
  std::string name;
  std::string expression;  // over the source's columns
  std::string type = {};
  bool hidden = false;  // grouped by, but not selected
};

enum class StateKind { kCount, kSum, kWideSum, kMin, kMax };  // kWideSum: behind an average

struct StateColumn {
  std::string name;
  std::string expression;  // the aggregate over the source's rows
  StateKind kind = StateKind::kCount;
  std::string type = {};
  bool hidden = false;
};

struct OutputColumn {
  std::string name;
  std::string expression;  // over keys and states
  std::string type = {};
};

class ViewQuery {
 public:
  static ViewQuery parse(engine::Connection& connection, const std::string& sql);

  const lake::TableIdentifier& source() const { return source_; }
  const std::vector<KeyColumn>& keys() const { return keys_; }
  const std::vector<StateColumn>& states() const { return states_; }
  const std::vector<OutputColumn>& outputs() const { return outputs_; }

  // `relation` is SQL that stands after FROM and has the source's columns; it is not run.
  void bind(engine::Connection& connection, const std::string& relation);

  // Of the stored table: outputs, then what is hidden.
  std::vector<engine::Column> stored_columns() const;

  // SELECTs. Keys and states of any rows of the source:
  std::string delta_sql(const std::string& relation) const;
  // of stored rows:
  std::string stored_states_sql(const std::string& stored) const;
  // of several SELECTs of keys and states, merged by key:
  std::string merged_sql(const std::vector<std::string>& parts) const;
  // What is stored and what users see, from a SELECT of keys and states.
  std::string stored_sql(const std::string& states) const;
  std::string visible_sql(const std::string& states) const;

  // Tells apart queries whose stored rows mean different things.
  std::string fingerprint() const;

 private:
  friend class ViewQueryParser;
  ViewQuery() = default;
  std::string grouping() const;

  lake::TableIdentifier source_;
  std::string where_;
  std::vector<KeyColumn> keys_;
  std::vector<StateColumn> states_;
  std::vector<OutputColumn> outputs_;
  std::vector<std::string> group_aliases_;  // that may be columns of the source instead
};

}  // namespace headrace::views
