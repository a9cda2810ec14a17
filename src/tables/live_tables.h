#pragma once

// Tables as SQL sees them: the files of the last committed snapshot plus the hot rows that a job
// has produced since, in one consistent view.
//
// A table that a job writes to has *generations* of hot rows: one engine table each
// (hot."silver.t#17"). The job inserts into the newest. Sealing starts a new generation; the sealed
// one is written to files, committed to the catalog, and then, in one engine transaction, the view
// is replaced and the generation dropped. So a query sees every row exactly once at every instant.
// A bronze table fed straight from a topic needs no hot copy: its hot rows are the topic itself
// from the committed position on. A table with a primary key has changes instead of new rows: see
// upsert_table.h.
//
// Everything that changes what SQL sees happens under one lock, in one engine transaction each.
// Thread use: every method from any thread.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "engine/database.h"
#include "lake/data_writer.h"
#include "lake/scan_files.h"
#include "lake/table.h"
#include "lake/table_alteration.h"
#include "lake/table_changes.h"
#include "stream/log.h"
#include "tables/positions.h"
#include "tables/topic_scan.h"
#include "tables/upsert_table.h"

namespace headrace::tables {

// What a job wants to write to.
struct TargetSpec {
  lake::TableIdentifier identifier;
  std::vector<engine::Column> columns;    // of the rows it inserts
  std::vector<std::string> partition_by;  // "day(ts)"
  std::map<std::string, std::string> properties;
  std::optional<std::string> raw_topic;   // fed straight from it: `columns` are record_columns()
  std::vector<stream::Offset> raw_start;  // where a raw table without positions begins
  UpsertSpec upsert = {};                 // with a primary key: rows are changes
  // How merged files are sorted ("ts", "amount desc"); nullopt: as the table says.
  std::optional<std::vector<std::string>> sort_by = {};
  std::optional<int> format_version = {};  // of Iceberg, at least
  std::string cause = {};                  // of changes of the table's columns, for their log
};

// The column that tells rows that came (1) from those that went (-1).
inline constexpr const char* kSignColumn = "__headrace_sign";

struct SignedChanges {
  std::string sql;                // stands after FROM: the table's columns and kSignColumn
  bool only_came = false;         // and nothing can go while these are hot
  lake::TableChanges files = {};  // to be kept as long as the SQL is run
};

// A view that reads a live table and is kept by somebody else (an incremental view): its definition
// depends on the table's files and generations, so it is replaced in the same transaction as the
// table's own view.
class Dependent {
 public:
  virtual ~Dependent() = default;
  // DDL statements that bring it up to date; called under the lock of LiveTables.
  virtual std::vector<std::string> definition() = 0;
  // Of the owner of a table's view: what happened to the rows that SQL shows since a snapshot of
  // the table; called under the lock, too.
  virtual SignedChanges changes_after(lake::SnapshotId snapshot);
};

// One hot generation that was sealed, waiting to be committed.
struct SealedGeneration {
  int64_t number = 0;
  int64_t rows = 0;
  lake::TablePtr base = {};            // what SQL showed then; `deleted` are rows of its files
  std::vector<OffsetRange> raw_range;  // of a raw table, instead of rows
  bool is_upsert = false;
  std::vector<lake::DeletedRows> deleted = {};  // of an upsert table: committed rows that go
};

// What a table's view says of its files.
struct ShownFiles {
  lake::TablePtr table;  // with the columns that SQL shows
  lake::DataFilesPtr files;
  lake::Scan scan;
};

struct TableState {
  lake::TablePtr table;
  std::shared_ptr<const std::vector<lake::DataFile>> files;
  // Of these files and the columns that SQL shows; kept as long as the view that holds its SQL.
  std::shared_ptr<const ShownFiles> shown_files = {};
  bool is_target = false;
  std::optional<std::string> raw_topic;
  std::vector<stream::Offset> raw_committed;  // next offsets, of a raw table
  std::vector<int64_t> generations;           // oldest first; the last takes new rows
  int64_t hot_rows = 0;
  int64_t sealed_rows = 0;  // of them, those that are being committed
  int64_t version = 0;      // grows with each change that SQL can see
  bool is_upsert = false;
  lake::Schema hot_schema = {};  // of a target: the columns that its job writes
  // Of a target: the table's columns from the next commit of its job on. SQL shows them already.
  std::optional<lake::Schema> pending = {};
  bool is_committing = false;   // from seal() to replace_committed()
  bool is_exchanging = false;   // its files, between two commits of its job
  bool refresh_wanted = false;  // somebody else committed meanwhile
  // Somebody else changed the columns on which `pending` rests.
  bool is_moved = false;
};

class LiveTables {
 public:
  struct Collaborators {
    engine::Database& database;
    lake::Catalog& catalog;
    FileSystem& files;
    Random& random;
    const stream::Log* log;                // may be null: no raw tables
    std::string key_index_directory = {};  // where tables with a primary key keep their indexes
  };
  explicit LiveTables(const Collaborators& collaborators);
  ~LiveTables();

  // Makes every table of the catalog visible to SQL.
  void load_all();
  // Takes up one table of the catalog (again), for example after a commit from outside. While a
  // job's commit to the table is under way it is taken up together with that: before, it cannot be
  // told which of the hot rows the new files hold. Waits for it as long as `patience`.
  void refresh(const lake::TableIdentifier& identifier, milliseconds patience = milliseconds(0));
  // The same for every table that moved on, whoever committed; tables that were dropped go. Returns
  // those that were taken up.
  std::vector<lake::TableIdentifier> refresh_changed();
  // Takes a table that was dropped or renamed out of SQL.
  void forget(const lake::TableIdentifier& identifier);
  // Does a job write to it, or a view stand on it or in it?
  bool is_in_use(const lake::TableIdentifier& identifier) const;

  std::vector<lake::TableIdentifier> list() const;
  std::optional<TableState> find(const lake::TableIdentifier& identifier) const;
  // The same for a Dependent, under the lock; nullptr: not there.
  lake::TablePtr committed(const lake::TableIdentifier& identifier) const;

  // Opens a table for writing: creates it in the catalog when it is not there, checks that the
  // columns fit; those that the table lacks come with the first commit. Throws conflict when
  // somebody writes to it already, invalid when the columns do not fit.
  TableState open_target(const TargetSpec& spec);
  // The rows of a target have these columns from now on. Those that are hot stay, with NULL in new
  // ones. Nothing of the table may be sealed and not committed. The table itself gets the columns
  // that it lacks with the next commit. invalid as above.
  TableState evolve_target(const lake::TableIdentifier& identifier,
                           const std::vector<engine::Column>& columns);
  // What a user changes of a table's columns and partitioning, committed at once and shown by SQL.
  // A job that writes to the table goes on. invalid also for columns of the primary key, conflict
  // for a column that goes while a job fills it or a view reads it; else as lake::change_of and
  // Catalog::commit.
  lake::TablePtr alter(const lake::TableIdentifier& identifier,
                       const lake::TableAlteration& alteration, const std::string& cause);
  // Ends writing; hot rows that were not committed are dropped.
  void close_target(const lake::TableIdentifier& identifier);

  // The quoted name of the engine table that takes new rows, and of a sealed one.
  std::string hot_name(const lake::TableIdentifier& identifier) const;
  static std::string hot_name(const lake::TableIdentifier& identifier, int64_t generation);
  // The same without schema and quotes, for the appender.
  std::string hot_table(const lake::TableIdentifier& identifier) const;

  // SQL of a hot generation's rows as they are to be written to files: the table's columns.
  std::string sealed_rows_sql(const lake::TableIdentifier& identifier, int64_t generation) const;

  // Tells by how many the hot rows grew by what a job did (its engine transaction is done).
  void rows_added(const lake::TableIdentifier& identifier, int64_t rows);

  // Hot rows that the next seal() would take.
  int64_t unsealed_rows(const lake::TableIdentifier& identifier) const;

  // A batch of changes of upsert tables. Made before the engine transaction that calls apply();
  // keep() after its commit, else the changes are taken back. While it is there, no files of these
  // tables are swapped.
  class ChangeBatch {
   public:
    ChangeBatch(LiveTables& tables, const std::vector<lake::TableIdentifier>& identifiers);
    ~ChangeBatch();
    ChangeBatch(const ChangeBatch&) = delete;
    ChangeBatch& operator=(const ChangeBatch&) = delete;
    // Returns by how many the hot rows grew.
    int64_t apply(engine::Connection& connection, const lake::TableIdentifier& identifier,
                  const Changes& changes);
    void keep();

   private:
    LiveTables& tables_;
    std::vector<std::shared_ptr<UpsertTable>> upserts_;
    std::vector<std::unique_lock<std::mutex>> locks_;
    bool is_kept_ = false;
  };
  // Whether somebody else has committed to one of these that is an upsert table since they were
  // opened, or has changed columns that others are pending on. What is hot there was made for a
  // table that has changed: close and open again.
  bool are_moved(const std::vector<lake::TableIdentifier>& identifiers) const;

  // Starts a new generation of each table, in one transaction. `raw_next` gives for raw tables the
  // offsets up to which the sealed part reaches.
  std::vector<SealedGeneration> seal(
      const std::vector<lake::TableIdentifier>& identifiers,
      const std::map<std::string, std::vector<stream::Offset>>& raw_next);

  // Takes up the committed tables and drops the generations that went into them, in one
  // transaction.
  struct CommittedTable {
    lake::TablePtr table;
    SealedGeneration sealed;
    std::vector<lake::DataFile> added;
    std::set<std::string> removed_paths;
  };
  void replace_committed(const std::vector<CommittedTable>& committed);

  // Files that take the place of others without a change of what the table says.
  struct FileExchange {
    lake::TableIdentifier identifier;
    // Where the rows are that came into `added`; nullptr: only delete files are exchanged.
    std::shared_ptr<const lake::MovedRows> moved = {};
    std::optional<lake::DataFile> added = {};
    std::vector<std::string> replaced = {};  // paths of data files
    // Commits on top of `base`; nullptr: another commit was first, or it cannot be done any more.
    std::function<lake::TablePtr(const lake::TablePtr& base)> commit;
  };
  // The same between two commits of a job that changes the table by key: it finds rows where they
  // are now, and what it has deleted since stays deleted. It goes on meanwhile, but waits when it
  // seals. Waits for the job's own commit as long as `patience`. nullptr: it did not come about.
  // When the commit stands and cannot be taken up the job begins again. One at a time.
  lake::TablePtr exchange_files(const FileExchange& exchange, engine::Connection& connection,
                                milliseconds patience);
  // Does a job change the table by key?
  bool is_changed_by_key(const lake::TableIdentifier& identifier) const;

  // SQL of all rows, files and hot ones, to stand after FROM. Called by a Dependent under the lock,
  // or by anybody with lock_held = false.
  std::string rows_sql(const lake::TableIdentifier& identifier, bool lock_held) const;
  // What happened to the rows since a snapshot, in files and hot. Likewise. Error not_found when
  // this cannot be told any more.
  SignedChanges changes_after(const lake::TableIdentifier& identifier, lake::SnapshotId snapshot,
                              bool lock_held);

  // From now on the committed rows that hot changes of the table delete are kept.
  void add_dependent(const lake::TableIdentifier& on, Dependent* dependent);
  void remove_dependent(const lake::TableIdentifier& on, Dependent* dependent);

  // From now on the definition of the table's own SQL view is the owner's. Ending it gives the
  // table the view of its files again; nothing happens when another owner has come meanwhile.
  void set_view_owner(const lake::TableIdentifier& identifier, Dependent* owner);
  void end_view_owner(const lake::TableIdentifier& identifier, Dependent* owner);

  // Runs DDL of somebody who keeps views over live tables, in one transaction under the lock.
  void run_locked(const std::function<std::vector<std::string>()>& statements);

 private:
  struct State;
  void check_shown(const lake::TableIdentifier& identifier, const lake::Schema& schema);
  lake::TablePtr brought_up_to(const TargetSpec& spec, lake::TablePtr table) const;
  std::shared_ptr<UpsertTable> upsert(const lake::TableIdentifier& identifier) const;
  std::shared_ptr<UpsertTable> open_upsert(const TargetSpec& spec, const lake::Table& table,
                                           const std::vector<lake::DataFile>& files);
  void index_committed(const CommittedTable& committed);
  std::shared_ptr<UpsertTable> begin_exchange(const lake::TableIdentifier& identifier,
                                              milliseconds patience, lake::TablePtr& base);
  bool end_exchange(const lake::TableIdentifier& identifier,
                    const std::shared_ptr<UpsertTable>& upsert, const lake::TablePtr& committed,
                    const UpsertTable::Exchange& exchange);

  struct Committed;
  Committed after_commit(const CommittedTable& change) const;
  bool is_behind(const lake::TablePtr& table) const;
  void refresh_again(const lake::TableIdentifier& identifier) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace headrace::tables
