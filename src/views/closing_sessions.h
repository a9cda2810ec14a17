#pragma once

// One update of a view that emits its sessions on close: which of them are over now.
//
// The table has the sessions that are over, and nothing is kept of those that are open: they are
// made again from the rows of the source that are in no stored session. No open one began before
// EventTime::open_since_us, so older rows are read only at the places of changes.
//
// What such rows make and is over by the time up to which sessions were closed *before* the update
// is late, and left out. Rows that only come leave every open session open. Where rows went, those
// that were open before are made, too: what is left of one belongs to the view, even where it is
// over by then.
//
// Thread use: one at a time, as its connection.

#include <string>
#include <vector>

#include "engine/database.h"
#include "views/event_time.h"
#include "views/view_query.h"

namespace headrace::views {

class ClosingSessions {
 public:
  // All stand after FROM.
  struct Rows {
    std::string now;                         // of the source
    const std::vector<std::string>& joined;  // those of the tables that are joined to it
    std::string before = {};   // of the source at the update before; empty: all are still there
    std::string changes = {};  // joined, since then, with kSignColumn; empty: there was no update
  };
  // The sessions that are closed, in files of the view's table.
  struct Closed {
    const lake::Table& table;
    const std::vector<lake::DataFile>& files;
  };

  ClosingSessions(engine::Connection& connection, const ViewQuery& query)
      : connection_(connection), query_(query) {}

  // Makes the sessions that are open by the time `before`, in a temporary table that stays until
  // drop(). `after` is what the rows make of that time: late changes are added to it, and
  // open_since_us is set. Errors: those of the engine.
  void make(const Rows& rows, const Closed& closed, const EventTime& before, EventTime& after);

  // SELECT of what is to be stored of them: those that are over by then.
  std::string over_sql(int64_t until_us) const;
  void drop();

 private:
  struct Reach;
  Reach reach_of(const Rows& rows, const EventTime& before);
  std::vector<lake::DataFile> files_within(const Closed& closed, const Reach& reach);
  std::optional<int64_t> open_since(std::optional<int64_t> closed_until_us);

  engine::Connection& connection_;
  const ViewQuery& query_;
};

}  // namespace headrace::views
