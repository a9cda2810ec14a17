#include "maintenance/maintainer.h"

#include <algorithm>

#include "base/error.h"
#include "lake/transform.h"
#include "telemetry/log.h"

namespace headrace::maintenance {
namespace {

constexpr size_t kHistory = 1000;
constexpr milliseconds kLongestRest{600'000};
constexpr const char* kLease = "maintenance";
// A view rewrites its own files, and would have to begin anew with each merge.
constexpr const char* kViewProperty = "headrace.view";
// Its job finds the rows that it changes by their place in the files, and would have to begin anew.
constexpr const char* kPrimaryKeyProperty = "headrace.primary-key";
constexpr const char* kEnabledProperty = "headrace.maintenance";

std::string order_by(const lake::Table& table, const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  for (const std::string& column : columns) {
    if (table.metadata.current_schema().find(column) == nullptr) {
      fail(ErrorKind::kInvalid, "sorting {} by \"{}\": it has no such column",
           table.identifier.to_string(), column);
    }
    names.push_back(engine::quote_identifier(column));
  }
  return format("{}", join(names, ", "));
}

bool is_maintained(const lake::Table& table) {
  const auto& properties = table.metadata.properties;
  const auto enabled = properties.find(kEnabledProperty);
  return !properties.contains(kViewProperty) && !properties.contains(kPrimaryKeyProperty) &&
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
      if (entry.number == run_.number) entry = run_;
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
      next_orphans_(collaborators.clock.steady_now() + options_.orphan_interval) {}

Maintainer::~Maintainer() { stop(); }

void Maintainer::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void Maintainer::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Maintainer::work(const std::stop_token& stop) {
  while (collaborators_.clock.sleep_for(options_.interval, stop)) {
    try {
      if (!may_work()) continue;
      look_at_tables(stop);
      look_for_orphans(stop);
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

bool Maintainer::may_work() {
  if (collaborators_.shared_store == nullptr) return true;
  // As long as a round of looks and the rest after it may take.
  const milliseconds duration = options_.interval + 2 * kLongestRest;
  store::Leases leases(*collaborators_.shared_store);
  if (lease_ && leases.renew(*lease_, duration)) return true;
  lease_ = leases.try_acquire(kLease, collaborators_.process, duration);
  return lease_.has_value();
}

void Maintainer::look_at_tables(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::optional<MergeTask> task = next_task();
    if (!task) return;
    const SteadyTime began = collaborators_.clock.steady_now();
    try {
      const std::lock_guard one_at_a_time(working_);
      run_merge(*task, "", nullptr);
    } catch (const Error& error) {
      telemetry::log_warning(
          "maintenance", "merging files failed",
          {{"table", task->table->identifier.to_string()}, {"reason", error.message()}});
      if (passes(error)) return;  // at the next look it may go
      settled_[task->table->identifier] = task->table->catalog_version;
    }
    rest(began, stop);
  }
}

// The most gainful of all tables.
std::optional<MergeTask> Maintainer::next_task() {
  std::optional<MergeTask> best;
  for (const auto& [identifier, version] : collaborators_.catalog.versions()) {
    const auto settled = settled_.find(identifier);
    if (settled != settled_.end() && settled->second == version) continue;
    try {
      const lake::TablePtr table = collaborators_.catalog.find(identifier);
      if (table == nullptr) continue;
      std::vector<MergeTask> tasks;
      if (is_maintained(*table)) {
        tasks = plan_merges(table, collaborators_.catalog.files(*table), options_.planner);
      }
      if (tasks.empty()) {
        settled_[identifier] = table->catalog_version;
      } else if (!best || tasks.front().gain > best->gain) {
        best = std::move(tasks.front());
      }
    } catch (const Error& error) {
      telemetry::log_warning("maintenance", "a table cannot be looked at",
                             {{"table", identifier.to_string()}, {"reason", error.message()}});
      settled_[identifier] = version;
    }
  }
  return best;
}

// False when somebody else was there first.
bool Maintainer::run_merge(const MergeTask& task, const std::string& order_by, Optimized* total) {
  Record record(*this, task.table->identifier, "merge");
  record->files_before = static_cast<int64_t>(task.files.size());
  record->bytes_before = task.bytes;
  try {
    engine::DatabaseOptions engine_options;
    engine_options.memory_limit = format("{}B", options_.memory_bytes);
    engine_options.threads = 1;
    engine_options.temporary_directory = options_.temporary_directory;
    engine_options.preserve_insertion_order = true;
    engine::Database database(engine_options);
    lake::register_transform_functions(database);
    const auto connection = database.connect();
    const auto merged =
        merge({*connection, collaborators_.catalog, collaborators_.files, collaborators_.random},
              task, order_by);
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
  const std::string order = order_by(*table, sort_by);
  // The tasks of one plan have no file in common; what is committed meanwhile waits for the next.
  for (const MergeTask& task : plan_merges(table, collaborators_.catalog.files(*table), eager)) {
    if (stop.stop_requested()) break;
    const std::lock_guard one_at_a_time(working_);
    run_merge(task, order, &total);
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
        collaborators_.catalog, collaborators_.files, collaborators_.clock, identifier, older_than);
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
