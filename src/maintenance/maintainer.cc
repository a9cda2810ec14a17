#include "maintenance/maintainer.h"

#include <algorithm>

#include "base/error.h"
#include "lake/delete_function.h"
#include "lake/object_files.h"
#include "lake/sort_order.h"
#include "lake/transform.h"
#include "maintenance/delete_files.h"
#include "telemetry/log.h"

namespace headrace::maintenance {
namespace {

constexpr size_t kHistory = 1000;
constexpr std::chrono::hours kExpiryRun{1};
constexpr milliseconds kLongestRest{600'000};
constexpr milliseconds kTick{1'000};  // between two counts of commits
constexpr const char* kLease = "maintenance";
// A view rewrites its own files, and would have to begin anew with each merge.
constexpr const char* kViewProperty = "headrace.view";
constexpr const char* kEnabledProperty = "headrace.maintenance";

// The table's own order, or the one that is asked for.
MergeOrder order_of(const lake::Table& table, const std::vector<std::string>& sort_by = {}) {
  lake::TableMetadata metadata = table.metadata;
  try {
    if (!sort_by.empty()) lake::set_sort_order(metadata, sort_by);
  } catch (const Error& error) {
    throw error.with_context(format("sorting {}", table.identifier.to_string()));
  }
  const auto order = lake::default_sort_order(metadata);
  if (!order) return {};
  // One that is asked for once is none of the table's.
  const bool is_own = order->id == table.metadata.default_sort_order_id;
  return {order->sql, is_own ? std::optional<int>(order->id) : std::nullopt};
}

bool is_maintained(const lake::Table& table) {
  const auto& properties = table.metadata.properties;
  const auto enabled = properties.find(kEnabledProperty);
  return !properties.contains(kViewProperty) &&
         (enabled == properties.end() || enabled->second != "false");
}

bool passes(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kTimeout ||
         error.kind() == ErrorKind::kCommitUnknown || error.kind() == ErrorKind::kConflict;
}

}  // namespace

std::string_view name_of(RunState state) {
  switch (state) {
    case RunState::kRunning:
      return "running";
    case RunState::kDone:
      return "done";
    case RunState::kOvertaken:
      return "overtaken";
    case RunState::kFailed:
      return "failed";
  }
  return "";
}

// An entry of the history while its work is done; failed unless something else is said.
class Maintainer::Record {
 public:
  Record(Maintainer& maintainer, const lake::TableIdentifier& table, std::string operation)
      : maintainer_(maintainer), began_(maintainer.collaborators_.clock.steady_now()) {
    run_.table = table;
    run_.operation = std::move(operation);
    run_.started = maintainer.collaborators_.clock.now();
    std::lock_guard lock(maintainer_.mutex_);
    run_.number = maintainer_.next_number_++;
    maintainer_.history_.push_front(run_);
    if (maintainer_.history_.size() > kHistory) maintainer_.history_.pop_back();
  }
  ~Record() {
    if (run_.state == RunState::kRunning) run_.state = RunState::kFailed;
    run_.elapsed = std::chrono::duration_cast<milliseconds>(
        maintainer_.collaborators_.clock.steady_now() - began_);
    std::lock_guard lock(maintainer_.mutex_);
    for (Run& entry : maintainer_.history_) {
      if (entry.number != run_.number) continue;
      run_.files_before += entry.files_before;  // told by expired()
      entry = run_;
    }
  }
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  Run* operator->() { return &run_; }

 private:
  Maintainer& maintainer_;
  const SteadyTime began_;
  Run run_;
};

Maintainer::Maintainer(const Collaborators& collaborators, MaintainerOptions options)
    : collaborators_(collaborators),
      options_(std::move(options)),
      bytes_rewritten_(collaborators.metrics.counter("headrace_maintenance_rewritten_bytes_total",
                                                     "Bytes that merging files has read")),
      snapshots_expired_(collaborators.metrics.counter(
          "headrace_maintenance_expired_snapshots_total", "Snapshots that have expired")),
      next_orphans_(collaborators.clock.steady_now() + options_.orphan_interval) {}

Maintainer::~Maintainer() { stop(); }

void Maintainer::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void Maintainer::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

// The interval, or less when there are many commits meanwhile: each leaves a small file, and the
// more there are the longer queries and commits take. False: to be stopped.
bool Maintainer::wait_for_look(const std::stop_token& stop) {
  const auto commits = [this] {
    int64_t sum = 0;
    for (const auto& [table, version] : collaborators_.catalog.versions()) sum += version;
    return sum;
  };
  Clock& clock = collaborators_.clock;
  const SteadyTime end = clock.steady_now() + options_.interval;
  std::optional<int64_t> before;
  while (clock.steady_now() < end) {
    const auto left = std::chrono::duration_cast<microseconds>(end - clock.steady_now());
    if (!clock.sleep_for(std::min<microseconds>(left, kTick), stop)) return false;
    try {
      const int64_t now = commits();
      if (now - before.value_or(now) >= options_.many_commits) return true;
      if (!before) before = now;
    } catch (const Error&) {
      // The look itself tells of it.
    }
  }
  return true;
}

void Maintainer::work(const std::stop_token& stop) {
  while (wait_for_look(stop)) {
    try {
      const bool is_ours = holds_lease();
      look_at_tables(is_ours, stop);
      if (is_ours) look_for_orphans(stop);
    } catch (const std::exception& error) {
      telemetry::log_warning("maintenance", "looking at the tables failed, trying again later",
                             {{"reason", error.what()}});
    }
  }
  if (lease_) {
    try {
      store::Leases(*collaborators_.shared_store).release(*lease_);
    } catch (const std::exception&) {
      // It ends by itself.
    }
  }
}

// Of processes that share tables, one maintains those that no job changes by key.
bool Maintainer::holds_lease() {
  if (collaborators_.shared_store == nullptr) return true;
  // As long as a round of looks and the rest after it may take.
  const milliseconds duration = options_.interval + 2 * kLongestRest;
  store::Leases leases(*collaborators_.shared_store);
  if (lease_ && leases.renew(*lease_, duration)) return true;
  lease_ = leases.try_acquire(kLease, collaborators_.process, duration);
  return lease_.has_value();
}

void Maintainer::look_at_tables(bool all, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::optional<Work> work = next_work(all);
    if (!work) return;
    const SteadyTime began = collaborators_.clock.steady_now();
    try {
      const std::lock_guard one_at_a_time(working_);
      if (!run(*work)) return;  // others are busy with it: at the next look it may go
    } catch (const Error& error) {
      telemetry::log_warning(
          "maintenance", "merging files failed",
          {{"table", work->table->identifier.to_string()}, {"reason", error.message()}});
      if (passes(error)) return;  // at the next look it may go
      settled_[work->table->identifier] = work->table->catalog_version;
    }
    rest(began, stop);
  }
}

// A table that a job of another process may be changing by key is maintained there.
bool Maintainer::is_left_alone(const lake::Table& table, bool all) const {
  const bool is_ours = collaborators_.tables != nullptr &&
                       collaborators_.tables->is_changed_by_key(table.identifier);
  if (is_ours) return false;
  return !all || (collaborators_.shared_store != nullptr &&
                  table.metadata.properties.contains(tables::kPrimaryKeyProperty));
}

std::optional<Maintainer::Work> Maintainer::work_on(const lake::TablePtr& table) const {
  Work work;
  work.table = table;
  const std::vector<lake::DataFile> files = collaborators_.catalog.files(*table);
  auto merges = plan_merges(table, files, options_.planner);
  if (!merges.empty()) {
    work.gain = merges.front().gain;
    work.merge = std::move(merges.front());
    return work;
  }
  work.deletes =
      plan_deletes(table, files, collaborators_.catalog.delete_files(*table), options_.planner);
  if (!work.deletes) return std::nullopt;
  work.gain = static_cast<double>(work.deletes->saved);
  return work;
}

// The most gainful of all tables.
std::optional<Maintainer::Work> Maintainer::next_work(bool all) {
  std::optional<Work> best;
  for (const auto& [identifier, version] : collaborators_.catalog.versions()) {
    const auto settled = settled_.find(identifier);
    if (settled != settled_.end() && settled->second == version) continue;
    try {
      const lake::TablePtr table = collaborators_.catalog.find(identifier);
      if (table == nullptr || is_left_alone(*table, all)) continue;
      std::optional<Work> work;
      if (is_maintained(*table)) work = work_on(table);
      if (!work) {
        settled_[identifier] = table->catalog_version;
      } else if (!best || work->gain > best->gain) {
        best = std::move(work);
      }
    } catch (const Error& error) {
      telemetry::log_warning("maintenance", "a table cannot be looked at",
                             {{"table", identifier.to_string()}, {"reason", error.message()}});
      settled_[identifier] = version;
    }
  }
  return best;
}

bool Maintainer::run(const Work& work) {
  return work.merge ? run_merge(*work.merge, order_of(*work.table), nullptr)
                    : run_deletes(*work.deletes, nullptr);
}

std::unique_ptr<engine::Database> Maintainer::open_engine() const {
  engine::DatabaseOptions engine_options;
  engine_options.memory_limit = format("{}B", options_.memory_bytes);
  engine_options.threads = 1;
  engine_options.temporary_directory = options_.temporary_directory;
  engine_options.preserve_insertion_order = true;
  auto database = std::make_unique<engine::Database>(engine_options);
  lake::register_transform_functions(*database);
  lake::register_delete_function(*database);
  if (collaborators_.reader != nullptr) {
    lake::register_object_files(*database, *collaborators_.reader);
  }
  return database;
}

MergeCollaborators Maintainer::working_with(engine::Database& database) const {
  return {database, collaborators_.catalog, collaborators_.files, collaborators_.random,
          collaborators_.tables};
}

// False when somebody else was there first.
bool Maintainer::run_merge(const MergeTask& task, const MergeOrder& order, Optimized* total) {
  Record record(*this, task.table->identifier, "merge");
  record->files_before = static_cast<int64_t>(task.files.size());
  record->bytes_before = task.bytes;
  try {
    const auto database = open_engine();
    const auto merged = merge(working_with(*database), task, order);
    bytes_rewritten_.add(static_cast<double>(task.bytes));
    record->state = merged ? RunState::kDone : RunState::kOvertaken;
    if (!merged) return false;
    record->files_after = static_cast<int64_t>(merged->added.size());
    record->bytes_after = merged->bytes;
    if (total != nullptr) {
      ++total->merges;
      total->files_before += record->files_before;
      total->files_after += record->files_after;
      total->bytes_before += record->bytes_before;
      total->bytes_after += record->bytes_after;
    }
  } catch (const std::exception& error) {
    record->error = error.what();
    throw;
  }
  if (collaborators_.on_changed) collaborators_.on_changed(task.table->identifier);
  return true;
}

bool Maintainer::run_deletes(const DeletesTask& task, Optimized* total) {
  Record record(*this, task.table->identifier, "deletes");
  try {
    const auto database = open_engine();
    const auto folded = fold_deletes(working_with(*database), task);
    record->state = folded ? RunState::kDone : RunState::kOvertaken;
    if (!folded) return false;
    record->files_before = folded->files_before;
    record->files_after = folded->files_after;
    record->bytes_before = folded->bytes_before;
    record->bytes_after = folded->bytes_after;
    if (total != nullptr) {
      total->delete_files_removed += folded->files_before - folded->files_after;
    }
  } catch (const std::exception& error) {
    record->error = error.what();
    throw;
  }
  if (collaborators_.on_changed) collaborators_.on_changed(task.table->identifier);
  return true;
}

void Maintainer::look_for_orphans(const std::stop_token& stop) {
  if (collaborators_.clock.steady_now() < next_orphans_) return;
  next_orphans_ = collaborators_.clock.steady_now() + options_.orphan_interval;
  for (const lake::TableIdentifier& identifier : collaborators_.catalog.list("")) {
    if (stop.stop_requested()) return;
    const SteadyTime began = collaborators_.clock.steady_now();
    try {
      const lake::TablePtr table = collaborators_.catalog.find(identifier);
      if (table != nullptr && is_maintained(*table)) {
        remove_orphans(identifier, options_.orphan_age);
      }
    } catch (const Error& error) {
      telemetry::log_warning("maintenance", "removing orphans failed",
                             {{"table", identifier.to_string()}, {"reason", error.message()}});
    }
    rest(began, stop);
  }
}

// As much longer than the work as the share asks for.
void Maintainer::rest(SteadyTime began, const std::stop_token& stop) {
  const auto worked =
      std::chrono::duration_cast<milliseconds>(collaborators_.clock.steady_now() - began);
  const int share = std::clamp(options_.share_percent, 1, 100);
  const milliseconds pause = std::min(worked * (100 - share) / share, kLongestRest);
  if (pause.count() > 0) collaborators_.clock.sleep_for(pause, stop);
}

Optimized Maintainer::optimize(const lake::TableIdentifier& identifier,
                               const std::vector<std::string>& sort_by,
                               const std::stop_token& stop) {
  Optimized total;
  PlannerOptions eager = options_.planner;
  eager.eager = true;
  lake::TablePtr table = collaborators_.catalog.load(identifier);
  const MergeOrder order = order_of(*table, sort_by);
  // The tasks of one plan have no file in common; what is committed meanwhile waits for the next.
  for (const MergeTask& task : plan_merges(table, collaborators_.catalog.files(*table), eager)) {
    if (stop.stop_requested()) return total;
    const std::lock_guard one_at_a_time(working_);
    run_merge(task, order, &total);
  }
  table = collaborators_.catalog.load(identifier);
  const auto deletes = plan_deletes(table, collaborators_.catalog.files(*table),
                                    collaborators_.catalog.delete_files(*table), eager);
  if (deletes) {
    const std::lock_guard one_at_a_time(working_);
    run_deletes(*deletes, &total);
  }
  return total;
}

lake::TablePtr Maintainer::commit(
    const lake::TableIdentifier& identifier, const std::string& operation,
    const std::function<lake::TableChange(const lake::TablePtr&)>& change,
    int64_t* snapshots_removed) {
  const std::lock_guard one_at_a_time(working_);
  Record record(*this, identifier, operation);
  try {
    const lake::TablePtr before = collaborators_.catalog.load(identifier);
    lake::TablePtr after = collaborators_.catalog.commit({change(before)}).at(0);
    if (snapshots_removed != nullptr) {
      for (const lake::Snapshot& snapshot : before->metadata.snapshots) {
        if (after->metadata.snapshot(snapshot.snapshot_id) == nullptr) ++*snapshots_removed;
      }
    }
    record->state = RunState::kDone;
    if (collaborators_.on_changed) collaborators_.on_changed(identifier);
    return after;
  } catch (const std::exception& error) {
    record->error = error.what();
    throw;
  }
}

int64_t Maintainer::expire(const lake::TableIdentifier& identifier,
                           const lake::SnapshotRetention& retention) {
  if (retention.keep_snapshots < 1 || retention.keep_snapshots_ms < 0) {
    fail(ErrorKind::kInvalid, "expiring snapshots of {}: at least one must be kept",
         identifier.to_string());
  }
  int64_t removed = 0;
  commit(
      identifier, "expire",
      [&](const lake::TablePtr& table) {
        lake::TableChange change;
        change.base = table;
        change.retention = retention;
        return change;
      },
      &removed);
  return removed;
}

void Maintainer::expired(const lake::TableIdentifier& identifier, size_t snapshots,
                         size_t files) noexcept {
  snapshots_expired_.add(static_cast<double>(snapshots));
  const Timestamp now = collaborators_.clock.now();
  std::lock_guard lock(mutex_);
  const auto known = std::find_if(history_.begin(), history_.end(), [&](const Run& run) {
    if (run.table != identifier || run.operation != "expire") return false;
    return run.is_by_commits ? now - run.started < kExpiryRun : run.state == RunState::kRunning;
  });
  if (known != history_.end()) {
    known->files_before += static_cast<int64_t>(files);
    return;
  }
  Run run;
  run.number = next_number_++;
  run.table = identifier;
  run.operation = "expire";
  run.state = RunState::kDone;
  run.started = now;
  run.files_before = static_cast<int64_t>(files);
  run.is_by_commits = true;
  history_.push_front(std::move(run));
  if (history_.size() > kHistory) history_.pop_back();
}

lake::TablePtr Maintainer::roll_back(const lake::TableIdentifier& identifier, lake::SnapshotId to) {
  return commit(
      identifier, "rollback",
      [&](const lake::TablePtr& table) {
        lake::TableChange change;
        change.base = table;
        change.roll_back_to = to;
        return change;
      },
      nullptr);
}

Removed Maintainer::remove_orphans(const lake::TableIdentifier& identifier,
                                   milliseconds older_than) {
  const std::lock_guard one_at_a_time(working_);
  Record record(*this, identifier, "orphans");
  try {
    const Removed removed = maintenance::remove_orphans(
        collaborators_.catalog, collaborators_.clock, identifier, older_than);
    record->files_before = removed.files;
    record->bytes_before = removed.bytes;
    record->state = RunState::kDone;
    return removed;
  } catch (const std::exception& error) {
    record->error = error.what();
    throw;
  }
}

std::vector<Run> Maintainer::history() const {
  std::lock_guard lock(mutex_);
  return {history_.begin(), history_.end()};
}

}  // namespace headrace::maintenance
