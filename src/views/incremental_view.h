#pragma once

// One incremental view: a table of the lake that holds the view's rows for everything up to one
// snapshot of its source, and a SQL view that adds what came since, files and hot rows, so that it
// shows at every instant what the whole query over the source would. With a watermark, that is so
// for the windows that are open; those that are closed stay as they were when they closed. What is
// emitted on close is not kept before: the query is run for the windows that close
// (closing_sessions.h: for sessions).
//
// Which snapshot is included stands in the summary of the table's snapshots ("headrace.inputs"), so
// rows and position are committed at once and an update that is cut off anywhere happens once.
//
// Life cycle: the constructor reads the query and throws what is wrong with it; the first update()
// opens or makes the table, which needs the source to be there; the destructor gives the table a
// plain SQL view. Thread use: update() and check() by one thread at a time, the rest by any.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lake/delete_reader.h"
#include "lake/scan_files.h"
#include "tables/live_tables.h"
#include "views/affected_files.h"
#include "views/event_time.h"
#include "views/view_query.h"

namespace headrace::views {

struct ViewSpec {
  std::string name;
  lake::TableIdentifier table;
  std::string sql;
  std::vector<std::string> partition_by = {};  // "day(hour)", over the view's columns
  Closing closing = {};

  bool operator==(const ViewSpec&) const = default;
};

struct ViewProgress {
  bool is_open = false;                      // the table is there and SQL shows the view
  std::optional<lake::SnapshotId> included;  // of the source
  int64_t updates = 0;                       // commits since the start
  int64_t rebuilds = 0;
  std::string last_rebuild = {};  // why
  int64_t rows = 0;               // stored
  EventTime event_time = {};      // of what is stored
};

class IncrementalView final : public tables::Dependent {
 public:
  struct Collaborators {
    engine::Database& database;
    lake::Catalog& catalog;
    tables::LiveTables& tables;
    FileSystem& files;
    Random& random;
  };
  IncrementalView(const Collaborators& collaborators, ViewSpec spec);
  ~IncrementalView() override;

  const ViewSpec& spec() const { return spec_; }
  const lake::TableIdentifier& source() const { return parsed_.source(); }
  // The source and what is joined to it.
  std::vector<lake::TableIdentifier> inputs() const;

  // Throws what would keep the view from being opened, as far as its tables exist already.
  void check();

  // Makes SQL show the view without writing anything, for a reader beside the one who updates: from
  // what is stored now, where anything is. Not to be followed by update().
  void show();

  // Takes in what was committed to the source since; true when there was anything. Errors:
  // not_found while there is no source; invalid when the table's columns are other than the view's;
  // conflict when other writers won again and again; those of the catalog and the engine.
  bool update();

  ViewProgress progress() const;

  std::vector<std::string> definition() override;
  tables::SignedChanges changes_after(lake::SnapshotId snapshot) override;

 private:
  // What the table holds. Without `included`: nothing that counts.
  struct Stored {
    lake::TablePtr table;
    std::vector<lake::DataFile> files = {};
    std::optional<lake::SnapshotId> included = {};
    EventTime event_time = {};  // outlives `included`, so that what is closed stays
    std::map<lake::TableIdentifier, lake::SnapshotId> joined = {};  // snapshots, of what is joined
    std::string reason_to_rebuild = {};
  };
  // The joined tables as they were last committed. Their hot rows count when they are committed.
  struct Joined {
    std::vector<std::string> sql;
    std::map<lake::TableIdentifier, lake::SnapshotId> snapshots;
    std::vector<lake::DataFile> files;  // to be kept as long as the SQL is run
  };
  struct Change {
    lake::TableChanges source;             // what happened to its rows
    std::vector<lake::DataFile> affected;  // stored files whose groups may change
    std::vector<lake::DataFile> removed;   // affected, or all when rebuilt
    EventTime event_time = {};             // when this is taken in
    int64_t regrouped = 0;                 // groups that were made again from the source
    // For sessions and what is emitted on close: all rows of the source.
    std::vector<lake::DataFile> whole = {};
    std::string whole_sql = {};
  };

  bool is_emitted_on_close() const { return spec_.closing.emit == Emit::kOnClose; }
  void check_window(const ViewQuery& query) const;
  ViewQuery bound_query(const lake::Table& source) const;
  Joined joined_from(const std::vector<lake::TablePtr>& tables) const;
  const std::string& stored_sql(const Stored& stored);
  std::vector<lake::TablePtr> joined_tables();
  std::string columns_relation(const lake::Table& source) const;
  void open();
  lake::TablePtr open_table();
  tables::TableState source_state();
  Stored read_stored(lake::TablePtr table) const;
  void take_place();
  void publish(Stored stored);
  bool update_once();
  Change plan(const lake::Table& source, Stored& stored);
  std::string reason_to_rebuild(const lake::Table& source, const Stored& stored, Change& change);
  EventTime event_time_after(const Stored& stored, const std::string& changes);
  std::vector<lake::DataFile> affected_files(const Stored& stored, const EventTime& event_time);
  std::vector<KeyRange> ranges_of_delta(const lake::Schema& schema);
  std::vector<KeyRange> range_of_closing(const lake::Schema& schema, const Stored& stored,
                                         const EventTime& event_time);
  std::vector<lake::DataFile> write(const Stored& stored, const Change& change);
  std::vector<lake::DataFile> write_closed(const Stored& stored, const Change& change);
  void regroup(const lake::Table& source, const ViewQuery& open, Change& change);
  void make_sessions(const lake::Table& source, const Stored& stored, const std::string& changes,
                     Change& change);
  void make_changed_sessions(const ViewQuery& open, const Stored& stored,
                             const std::string& changes, Change& change);
  void make_closing_sessions(const lake::Table& source, const Stored& stored,
                             const std::string& changes, Change& change);
  std::string closed_near(const ViewQuery& open, const Stored& stored);
  struct Places;
  std::vector<KeyRange> ranges_of_sessions(const lake::Schema& schema, const Places& places);
  std::vector<lake::DataFile> write_sessions(const Stored& stored, const Change& change);
  void drop_sessions();
  std::vector<lake::DataFile> write_rows(const lake::Table& table, const std::string& rows);
  Stored commit(const Stored& stored, const Change& change, lake::SnapshotId included);
  Joined joined_;  // of the update that is under way
  std::string key_order() const;
  std::string up_to_date_sql(const Stored& stored, lake::TableChanges& shown, Joined& joined);
  std::string shown_sql(const Stored& stored, const std::vector<std::string>& joined,
                        const std::string& changes);
  std::string whole_sql(const Stored& stored, const std::vector<std::string>& joined);

  Collaborators collaborators_;
  ViewSpec spec_;
  std::unique_ptr<engine::Connection> connection_;
  const ViewQuery parsed_;
  ViewQuery query_;  // with types, once it is open
  bool is_open_ = false;
  mutable std::mutex mutex_;  // never held while LiveTables is called
  Stored published_;
  // What SQL reads of the stored table, and of which of its metadata files. Used under the lock of
  // LiveTables.
  lake::Scan stored_scan_;
  std::string stored_scan_of_;
  lake::TableChanges shown_changes_;  // that the SQL view reads
  Joined shown_joined_;
  lake::DeleteReader delete_reader_;
  ViewProgress progress_;
};

}  // namespace headrace::views
