#pragma once

// Keeps tables in order: merges small files, writes those with many deleted rows anew and folds
// delete files by itself on a thread of its own, and does what is asked for by hand. One piece of
// work at a time, each bounded by the size of a file, in an engine of its own with one thread and
// little memory, and never more than a share of the time: so the writer and queries hardly notice.
//
// Life cycle: start() begins the thread; stop(), or the destructor, ends it after the piece in
// hand. What is asked for by hand works without a thread. Thread use: any thread; calls by hand
// wait for the piece in hand. Errors: those of the catalog, the engine and the file system.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "lake/table.h"
#include "maintenance/merge.h"
#include "maintenance/orphans.h"
#include "maintenance/planner.h"
#include "objects/cached_reader.h"
#include "store/leases.h"
#include "telemetry/metrics.h"

namespace headrace::maintenance {

struct MaintainerOptions {
  PlannerOptions planner;
  milliseconds interval{60'000};  // between two looks at the tables
  int64_t many_commits = 60;      // to all tables, after which it looks before the interval is over
  int share_percent = 25;         // of the time, at most, that is spent working
  milliseconds orphan_age{3 * 24 * 3'600'000LL};
  milliseconds orphan_interval{24 * 3'600'000LL};  // how often orphans are looked for
  int64_t memory_bytes = 256 * 1024 * 1024;        // of the engine
  std::string temporary_directory;                 // where the engine spills; empty: nowhere
};

enum class RunState { kRunning, kDone, kOvertaken, kFailed };
std::string_view name_of(RunState state);

// What was done, for people.
struct Run {
  int64_t number = 0;
  lake::TableIdentifier table;
  std::string operation;  // merge | deletes | expire | orphans | rollback
  RunState state = RunState::kRunning;
  Timestamp started;
  milliseconds elapsed{0};
  int64_t files_before = 0;  // taken in, or removed
  int64_t files_after = 0;
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
  std::string error;
  bool is_by_commits = false;  // expire: it came with the writer's commits
};

struct Optimized {
  int64_t merges = 0;
  int64_t delete_files_removed = 0;  // beside those of merged files
  int64_t files_before = 0;
  int64_t files_after = 0;
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
};

class Maintainer {
 public:
  struct Collaborators {
    lake::Catalog& catalog;
    FileSystem& files;
    Clock& clock;
    Random& random;
    telemetry::Metrics& metrics;
    // Called, on the working thread, when a table has moved on.
    std::function<void(const lake::TableIdentifier&)> on_changed;
    // Set when other processes maintain the same tables: one of them does so by itself.
    store::MetadataStore* shared_store = nullptr;
    std::string process = {};  // its name among them
    // Whose jobs change tables by key: these are maintained where the job is, beside it. May be
    // null.
    tables::LiveTables* tables = nullptr;
    objects::CachedReader* reader = nullptr;  // of tables in S3, if there are any
  };

  Maintainer(const Collaborators& collaborators, MaintainerOptions options);
  ~Maintainer();
  Maintainer(const Maintainer&) = delete;
  Maintainer& operator=(const Maintainer&) = delete;

  void start();
  void stop();

  // Merges whatever is smaller than the target or has deleted rows. `sort_by`: columns by which
  // rows are sorted within the new files, in the place of the table's own order. Ends early,
  // without an error, on `stop`.
  Optimized optimize(const lake::TableIdentifier& identifier,
                     const std::vector<std::string>& sort_by, const std::stop_token& stop);
  // Returns how many snapshots went.
  int64_t expire(const lake::TableIdentifier& identifier, const lake::SnapshotRetention& retention);
  // Told by the catalog what a commit expired (CatalogOptions::on_expired). What the commits of an
  // hour expired in one table is one run.
  void expired(const lake::TableIdentifier& identifier, size_t snapshots, size_t files) noexcept;
  Removed remove_orphans(const lake::TableIdentifier& identifier, milliseconds older_than);
  lake::TablePtr roll_back(const lake::TableIdentifier& identifier, lake::SnapshotId to);

  // The newest runs, newest first; a bounded number of them.
  std::vector<Run> history() const;

 private:
  class Record;

  void work(const std::stop_token& stop);
  bool wait_for_look(const std::stop_token& stop);
  bool holds_lease();
  // One round over the tables.
  void look_at_tables(bool all, const std::stop_token& stop);
  void look_for_orphans(const std::stop_token& stop);
  bool is_left_alone(const lake::Table& table, bool all) const;
  // What is to be done to a table, by itself.
  struct Work {
    lake::TablePtr table;
    std::optional<MergeTask> merge;
    std::optional<DeletesTask> deletes;
    double gain = 0;
  };
  std::optional<Work> work_on(const lake::TablePtr& table) const;
  std::optional<Work> next_work(bool all);
  bool run(const Work& work);
  bool run_merge(const MergeTask& task, const MergeOrder& order, Optimized* total);
  bool run_deletes(const DeletesTask& task, Optimized* total);
  // An engine for one piece of work.
  std::unique_ptr<engine::Database> open_engine() const;
  MergeCollaborators working_with(engine::Database& database) const;
  void rest(SteadyTime began, const std::stop_token& stop);
  lake::TablePtr commit(const lake::TableIdentifier& identifier, const std::string& operation,
                        const std::function<lake::TableChange(const lake::TablePtr&)>& change,
                        int64_t* snapshots_removed);

  Collaborators collaborators_;
  const MaintainerOptions options_;
  telemetry::Counter& bytes_rewritten_;
  telemetry::Counter& snapshots_expired_;
  std::mutex working_;        // held by the one piece of work
  mutable std::mutex mutex_;  // of what follows
  std::deque<Run> history_;
  int64_t next_number_ = 1;
  // Used by the thread alone:
  std::map<lake::TableIdentifier, int64_t> settled_;  // versions at which nothing was to be done
  std::optional<store::Lease> lease_;
  SteadyTime next_orphans_;
  std::jthread thread_;
};

}  // namespace headrace::maintenance
