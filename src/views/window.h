#pragma once

// Windows of time among the keys of a view:
//
//   tumble(ts, size)        each row is in one window
//   hop(ts, slide, size)    a window of this size begins with every slide; a row is in several
//   session(ts, gap)        the rows of a group that follow each other within the gap
//
// Each is the start of the window, so is …_start, and …_end is its end; a session ends one gap
// after its last row. The names and the order of arguments are those of the group windows of Apache
// Calcite and Flink. Windows begin where time_bucket() of the engine has them begin: those of weeks
// on Mondays.
//
// time_bucket(size, ts) and date_trunc('hour', ts) as keys are tumbling windows, too.

#include <optional>
#include <string>

#include "base/json.h"
#include "engine/database.h"

namespace headrace::views {

// Of sessions, columns of the rows with what session_columns_sql() adds.
inline constexpr const char* kSessionStart = "__headrace_session_start";
inline constexpr const char* kSessionEnd = "__headrace_session_end";

struct Window {
  std::string call;             // as the query has it, for messages
  std::string place = {};       // "line 3: "
  bool is_named = false;        // by a function above
  std::string time;             // SQL over the source's rows
  Json start = {};              // over them, too, and with hops_sql() of hopping windows
  std::string size;             // SQL of an interval
  int64_t longest_us = 0;       // no window is longer: months differ
  int64_t windows_per_row = 1;  // more than 1: they hop
  int64_t session_gap_us = 0;   // more than 0: they are sessions
  std::string key = {};         // the view's key that holds the start
  std::string end_key = {};     // of sessions: the one that holds the end
  std::string time_type = {};   // once it is bound

  bool is_session() const { return session_gap_us > 0; }
};

// Puts expressions that the engine knows in place of the functions above, in the selected and the
// grouping expressions of a SELECT. nullopt: it has none of them. Errors, with the line: invalid
// for wrong arguments and for places where no window can be, unsupported for two different windows.
std::optional<Window> replace_windows(engine::Connection& connection, JsonObject& select,
                                      const std::string& sql);

// The window that an expression with time_bucket or date_trunc is.
std::optional<Window> plain_window(engine::Connection& connection, const Json& expression);

// Stands behind the source's rows in FROM: each row once for each of its hopping windows. And the
// condition by which a row without a time is there once.
std::string hops_sql(const Window& window);
std::string hops_condition(const Window& window);

}  // namespace headrace::views
