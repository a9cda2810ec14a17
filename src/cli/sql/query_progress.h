#pragma once

// Shows on standard error how long a query has been running, and how far it is, until its first
// rows are here. Nothing is shown for the first moments, nor when that is no terminal.
//
// Life cycle: shows from its making to stop() or its end. Thread use: one thread of its own, which
// alone calls `ask`; stop() and the destructor by the thread that made it.

#include <functional>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "cli/session.h"

namespace headrace::cli {

class QueryProgress {
 public:
  // Tells the part of the query that is done, from 0 to 1, when that is known.
  using Ask = std::function<std::optional<double>()>;

  QueryProgress(Session& session, Ask ask, milliseconds first_after = milliseconds(1500));
  ~QueryProgress();
  QueryProgress(const QueryProgress&) = delete;
  QueryProgress& operator=(const QueryProgress&) = delete;

  // Takes the line away. Nothing is written to the console afterwards.
  void stop();

 private:
  std::jthread thread_;
};

// Asks a running server about one of its queries.
QueryProgress::Ask ask_server(Session& session, const std::string& query_id);

}  // namespace headrace::cli
