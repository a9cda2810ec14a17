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
#include "tables/live_tables.h"
#include "views/window.h"

namespace headrace::views {

struct KeyColumn {
  std::string name;
  std::string expression;  // over the source's columns
  std::string type = {};
  bool hidden = false;  // grouped by, but not selected
};

// What can happen to the rows of the source: some come, or some also change and go.
enum class SourceKind { kAppended, kChanging };

enum class StateKind {
  kCount,
  kSum,
  kWideSum,  // behind an average
  kMin,      // these four only over sources that are appended to
  kMax,
  kLeast,  // the least n, as a list
  kGreatest,
  kMoments,   // count, mean and squared distances, behind variances
  kMultiset,  // multiset.h
};

struct StateColumn {
  std::string name;
  std::string expression;  // the aggregate over the source's rows
  StateKind kind = StateKind::kCount;
  std::string type = {};
  bool hidden = false;
  int64_t limit = 0;            // of kLeast and kGreatest
  std::string count_name = {};  // of a sum over rows that may go: the state with their number
};

struct OutputColumn {
  std::string name;
  std::string expression;  // over keys and states
  std::string type = {};
};

// Of relations whose rows come (1) and go (-1): the column that tells which.
using tables::kSignColumn;

// Stands in ViewQuery's FROM for a table.
std::string table_place(size_t index);

class ViewQuery {
 public:
  static ViewQuery parse(engine::Connection& connection, const std::string& sql,
                         SourceKind source_kind);

  SourceKind source_kind() const { return source_kind_; }
  // Does it keep states from which rows cannot be taken away?
  bool has_extremes() const;
  bool has_multiset() const;
  const lake::TableIdentifier& source() const { return source_; }
  // Joined to the source's rows, read whole.
  const std::vector<lake::TableIdentifier>& joined() const { return joined_; }
  // What stands after FROM: the source's rows with the joined ones (SQL of each, in order).
  std::string from_sql(const std::string& source, const std::vector<std::string>& joined) const;
  // The same as one relation, where sessions are to be made of them; without rows of before a time,
  // if it is given.
  std::string rows_sql(const std::string& source, const std::vector<std::string>& joined,
                       std::optional<int64_t> first_us = std::nullopt) const;
  const std::vector<KeyColumn>& keys() const { return keys_; }
  // What tumble(), hop() and the like say; without them, a key that is a window by time_bucket() or
  // date_trunc(), if it is the only one.
  const std::optional<Window>& window() const { return window_; }
  const std::string& type_of_key(const std::string& name) const;
  const std::vector<StateColumn>& states() const { return states_; }
  const std::vector<OutputColumn>& outputs() const { return outputs_; }

  // `relation` is SQL that stands after FROM, as from_sql() gives it, and has the columns of all
  // tables; it is not run.
  void bind(engine::Connection& connection, const std::string& relation);

  // What is stored is final: no states beside the outputs. Before bind(). And nothing is stored of
  // open windows.
  void store_finals_only() { stores_states_ = false; }
  void store_closed_only() { stores_states_ = stores_open_ = false; }

  // The same over windows alone that end after one time and by another one, in µs since the epoch.
  // A row without a time is in a window that never ends. Needs window(), as the next three do.
  ViewQuery of_windows(std::optional<int64_t> after_us, std::optional<int64_t> until_us) const;
  // Of stored rows: whether their window ended by then; and all columns of those that did, without
  // multisets, which nothing can change any more.
  std::string ended_sql(int64_t until_us) const;
  std::string ended_rows_sql(const std::string& stored, int64_t until_us) const;
  // SELECT of two numbers, of a relation with kSignColumn: the newest time of rows that came, in
  // µs, and how many changes are to windows that ended by then.
  std::string event_time_sql(const std::string& relation, std::optional<int64_t> until_us) const;

  // Sessions are made again from the source's rows where something changed. *Points* are the places
  // of changes, from a relation with kSignColumn; a stored session is affected by one in it or
  // within the gap of it; *intervals* (keys, __first, __last) are the points and the affected
  // sessions. The rows of the source in the intervals make the new sessions, and these can meet
  // none that is not affected. Places are in µs.
  //
  // Of a query of_windows(after) the sessions that ended by then are closed: they are not affected
  // and keep their rows, and what is made anew and over by then, without a row of an affected
  // session, is late and left out.
  static constexpr const char* kPlace = "__headrace_at";  // the column of points
  bool has_sessions() const { return window_ && window_->is_session(); }
  std::string session_points_sql(const std::string& changes) const;
  std::string affected_sessions_sql(const std::string& stored, const std::string& points) const;
  std::string session_intervals_sql(const std::string& affected, const std::string& points) const;
  // `intervals` empty: all.
  std::string closed_intervals_sql(const std::string& stored, const std::string& intervals) const;
  // Stands after FROM. Without those in `closed`, if it is given.
  std::string rows_in_intervals_sql(const std::string& rows, const std::string& intervals,
                                    const std::string& closed) const;
  // Stands after FROM: the rows from a time on, and those at points before it (empty: without
  // them). Rows without a time are left out.
  std::string rows_since_sql(const std::string& rows, int64_t since_us,
                             const std::string& points) const;
  // Of sessions that are not over, the keys.
  std::string open_sessions_sql(const std::string& rows) const;
  // Keys and states. `affected` empty: there are none.
  std::string made_sessions_sql(const std::string& rows, const std::string& affected) const;
  // SELECT of the number of changes that are late, given what was made of the others. `affected`
  // empty: there are none.
  std::string late_rows_sql(const std::string& changes, const std::string& made,
                            const std::string& affected, const std::string& closed) const;
  // What users see of stored rows, changes and all rows of the source; and of all rows, without the
  // closed sessions.
  std::string current_sessions_sql(const std::string& stored, const std::string& changes,
                                   const std::string& rows) const;
  std::string whole_sessions_sql(const std::string& stored, const std::string& rows) const;
  // SELECT of the first and the last place, and whether there are rows without a time.
  static std::string range_of_places_sql(const std::string& table, const std::string& first,
                                         const std::string& last);
  // The keys beside the session, as columns of points.
  std::vector<std::pair<KeyColumn, std::string>> session_keys() const;

  // Over rows that are only appended to, the states of groups that lose rows all the same are made
  // again from the source. SELECT of these groups, from a table of parts; the same query over the
  // rows of such groups alone; and the condition that a row with the keys is of one of them.
  std::string lost_groups_sql(const std::string& parts) const;
  ViewQuery of_groups(const std::string& groups) const;
  std::string same_groups(std::string_view keyed, std::string_view groups) const;

  // Of the stored table: outputs, then what is hidden.
  std::vector<engine::Column> stored_columns() const;

  // SELECTs. *Parts* are keys, kSignColumn and states: of rows of the source that came, or that
  // came and went (a relation with kSignColumn),
  std::string delta_sql(const std::string& relation) const;
  std::string signed_delta_sql(const std::string& relation) const;
  // and of stored rows.
  std::string stored_states_sql(const std::string& stored) const;
  // Keys and states of several parts, merged by key: each key once, if any of its rows are left.
  std::string merged_sql(const std::vector<std::string>& parts) const;
  // What is stored and what users see, from a SELECT of keys and states that are merged. Windows
  // that ended by then are stored without multisets.
  std::string stored_sql(const std::string& states,
                         std::optional<int64_t> ended_until_us = std::nullopt) const;
  std::string visible_sql(const std::string& states) const;
  // What users see of stored rows and one more part. Stored rows that it leaves alone are shown as
  // they are.
  std::string current_sql(const std::string& stored, const std::string& delta) const;
  // Of stored rows: what users see.
  std::string shown_columns_sql(const std::string& stored) const;
  std::string output_names() const;
  // "a.key IS NOT DISTINCT FROM b.key AND …"
  std::string same_keys(std::string_view a, std::string_view b) const;

  // A part of bind(): invalid when a window that is named in the query is none of time.
  void check_time(engine::Connection& connection, const std::string& relation);

  // Its tables by name, to stand after FROM, and the whole query over them in words of the engine;
  // not incremental.
  std::string named_from() const;
  std::string plain_sql() const;

  // Tells apart queries whose stored rows mean different things.
  std::string fingerprint() const;

 private:
  friend class ViewQueryParser;
  ViewQuery() = default;
  std::string part_sql(const std::string& relation, const std::string& sign) const;
  std::string grouping(size_t further_columns = 0) const;
  std::string sums_sql(const std::string& parts) const;
  std::string multiset_sql(const StateColumn& state, const std::string& parts) const;
  bool is_stored(const StateColumn& state) const;
  std::vector<std::string> row_conditions() const;
  std::string sessions_sql(const std::string& rows) const;
  std::string places_sql(const std::string& rows) const;
  std::string intervals_of_sessions_sql(const std::string& sessions) const;
  std::string same_points(std::string_view a, std::string_view b) const;
  std::string same_session_keys(std::string_view rows, std::string_view points) const;
  std::string one_relation(const std::string& from, const std::string& condition) const;
  void check_joined_names(engine::Connection& connection, const std::string& relation,
                          const std::vector<engine::Column>& columns) const;
  std::string time_literal(int64_t time_us) const;
  void add_window_conditions(std::vector<std::string>& conditions) const;
  std::string condition_sql() const;
  std::string groups_join_sql() const;

  SourceKind source_kind_ = SourceKind::kAppended;
  std::string row_count_;  // the state with the number of a group's rows, where they may go
  lake::TableIdentifier source_;
  std::vector<lake::TableIdentifier> joined_;
  std::string from_;  // with joined tables: FROM with a place for each table
  // Of sessions over joined tables: what the query names as table.column.
  struct NamedColumns {
    std::string table;
    std::vector<std::string> columns;
  };
  std::vector<NamedColumns> named_columns_;
  std::string where_;
  std::optional<Window> window_;
  std::optional<int64_t> after_us_;  // of_windows()
  std::optional<int64_t> until_us_;
  std::string groups_;  // of_groups()
  bool stores_states_ = true;
  bool stores_open_ = true;
  std::vector<KeyColumn> keys_;
  std::vector<StateColumn> states_;
  std::vector<OutputColumn> outputs_;
  std::vector<std::string> group_aliases_;  // that may be columns of the source instead
};

}  // namespace headrace::views
