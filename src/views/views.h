#pragma once

// The views of a project, kept up to date by one thread of their own after commits of the tables
// they read.
//
// Life cycle: set() gives the definitions, and again when they change; the destructor stops after
// the update that is under way. Thread use: every method from any thread, but set() by one at a
// time. What SQL shows does not wait for updates: see incremental_view.h.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "telemetry/metrics.h"
#include "views/incremental_view.h"

namespace headrace::views {

struct ViewStatus {
  std::string name;
  lake::TableIdentifier table;
  lake::TableIdentifier source;
  Closing closing;
  ViewProgress progress;
  std::string last_error;          // empty: the last update went well
  std::optional<Timestamp> since;  // of the error, else of the last update
};

// Throws what keeps the query from being a view, for checks without tables.
void check_view(engine::Database& database, const std::string& sql, const Closing& closing = {});

// Of queries that check_view() took. The tables that one reads, the followed one first; and the
// query in words of the engine alone: as it is, unless it has window functions, which only a view
// knows. The latter looks at its tables: not_found when they are not there, invalid for a window
// that is none of time.
std::vector<lake::TableIdentifier> inputs_of(engine::Connection& connection,
                                             const std::string& sql);
std::string engine_sql(engine::Connection& connection, const std::string& sql);

class Views {
 public:
  struct Collaborators {
    engine::Database& database;
    lake::Catalog& catalog;
    tables::LiveTables& tables;
    FileSystem& files;
    Random& random;
    Clock& clock;
    telemetry::Metrics& metrics;
  };
  explicit Views(const Collaborators& collaborators);
  ~Views();

  // Takes these definitions in place of those before; what is equal goes on undisturbed. All or
  // nothing: when one cannot be, it throws and nothing has changed. Tables of views that are gone
  // stay. A view whose source is not there yet waits for it.
  void set(std::vector<ViewSpec> definitions);

  // Instead of set(), for a reader beside the process that updates: SQL shows the views, and
  // nothing is written. What is wrong with one is told by its status alone.
  void show(const std::vector<ViewSpec>& definitions);

  // Tells that tables have new snapshots, which SQL shows already.
  void source_committed(const std::vector<lake::TableIdentifier>& tables);

  // False when some view still has not taken in what was told of when the time is over.
  bool wait_until_current(milliseconds timeout);

  std::vector<ViewStatus> status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace headrace::views
