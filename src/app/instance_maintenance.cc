// Keeping tables in order: by itself, and by hand over the API.

#include <charconv>
#include <filesystem>

#include "app/instance.h"
#include "base/error.h"

namespace headrace::app {
namespace {

int64_t count_of(const lake::Snapshot& snapshot, const char* key) {
  const auto found = snapshot.summary.find(key);
  int64_t count = 0;
  if (found == snapshot.summary.end()) return count;
  const std::string& text = found->second;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

Json describe_snapshot(const lake::Snapshot& snapshot, const lake::TableMetadata& metadata) {
  const auto operation = snapshot.summary.find("operation");
  return JsonObject{{"snapshot_id", std::to_string(snapshot.snapshot_id)},
                    {"committed_at", to_iso8601(Timestamp(milliseconds(snapshot.timestamp_ms)))},
                    {"operation", operation == snapshot.summary.end() ? "" : operation->second},
                    {"is_current", snapshot.snapshot_id == metadata.current_snapshot_id},
                    {"added_files", count_of(snapshot, "added-data-files")},
                    {"removed_files", count_of(snapshot, "deleted-data-files")},
                    {"added_records", count_of(snapshot, "added-records")},
                    {"total_records", count_of(snapshot, "total-records")}};
}

}  // namespace

std::unique_ptr<maintenance::Maintainer> Instance::make_maintainer() {
  const project::MaintenanceSettings& settings = project_.settings.maintenance;
  maintenance::MaintainerOptions options;
  options.planner.target_file_bytes = settings.target_file_size.count;
  options.planner.min_files = settings.min_files;
  options.interval = settings.interval;
  options.share_percent = settings.share_percent;
  options.orphan_age = settings.orphan_age;
  options.temporary_directory =
      (std::filesystem::absolute(project_.storage_path()) / "tmp" / "maintenance").string();
  maintenance::Maintainer::Collaborators collaborators{
      *catalog_,
      *files_,
      clock_,
      random_,
      *metrics_,
      [this](const lake::TableIdentifier& identifier) {
        outside_commits_->committed({identifier});
      }};
  collaborators.tables = tables_.get();
  collaborators.reader = storage_->reader();
  if (sharing_) {
    collaborators.shared_store = &sharing_->store;
    collaborators.process = sharing_->process;
  }
  return std::make_unique<maintenance::Maintainer>(collaborators, std::move(options));
}

std::vector<query::SystemRow> Instance::maintenance_rows() const {
  std::vector<query::SystemRow> rows;
  for (const maintenance::Run& run : maintainer_->history()) {
    rows.push_back({run.started, run.table.to_string(), run.operation,
                    std::string(maintenance::name_of(run.state)), run.files_before, run.files_after,
                    run.bytes_before, run.bytes_after, static_cast<int64_t>(run.elapsed.count()),
                    run.error.empty() ? query::SystemValue() : query::SystemValue(run.error)});
  }
  return rows;
}

Json Instance::table_files(const std::string& database, const std::string& name) {
  const lake::TablePtr table = catalog_->load({database, name});
  JsonArray files;
  for (const lake::DataFile& file : catalog_->files(*table)) {
    JsonArray partition;
    for (const auto& value : file.partition) {
      partition.push_back(value ? Json(*value) : Json(nullptr));
    }
    files.push_back(JsonObject{{"path", lake::engine_path(file.path)},
                               {"rows", file.record_count},
                               {"bytes", file.file_size_bytes},
                               {"partition", std::move(partition)},
                               {"sequence_number", file.sequence_number}});
  }
  return JsonObject{{"name", table->identifier.to_string()}, {"files", std::move(files)}};
}

Json Instance::table_history(const std::string& database, const std::string& name) {
  const lake::TablePtr table = catalog_->load({database, name});
  JsonArray snapshots;
  const auto& all = table->metadata.snapshots;
  for (auto snapshot = all.rbegin(); snapshot != all.rend(); ++snapshot) {
    snapshots.push_back(describe_snapshot(*snapshot, table->metadata));
  }
  return JsonObject{{"name", table->identifier.to_string()}, {"snapshots", std::move(snapshots)}};
}

Json Instance::optimize_table(const std::string& database, const std::string& name,
                              const std::vector<std::string>& sort_by) {
  const maintenance::Optimized done = maintainer_->optimize({database, name}, sort_by, {});
  return JsonObject{{"name", database + "." + name},
                    {"merges", done.merges},
                    {"files_before", done.files_before},
                    {"files_after", done.files_after},
                    {"bytes_before", done.bytes_before},
                    {"bytes_after", done.bytes_after},
                    {"delete_files_removed", done.delete_files_removed}};
}

Json Instance::expire_table(const std::string& database, const std::string& name, int keep,
                            milliseconds older_than, milliseconds orphans_older_than) {
  const lake::TableIdentifier identifier{database, name};
  const int64_t snapshots = maintainer_->expire(identifier, {keep, older_than.count()});
  const maintenance::Removed orphans = maintainer_->remove_orphans(identifier, orphans_older_than);
  return JsonObject{{"name", identifier.to_string()},
                    {"snapshots_removed", snapshots},
                    {"orphans_removed", orphans.files},
                    {"orphan_bytes", orphans.bytes}};
}

Json Instance::alter_table(const std::string& database, const std::string& name,
                           const Json& alteration) {
  tables_->alter({database, name}, lake::table_alteration_from_json(alteration), "user");
  return table(database, name);
}

// A job knows where its tables stand; taken back under it, it would commit on top of what it does
// not know of, and be refused.
Json Instance::roll_back_table(const std::string& database, const std::string& name,
                               int64_t snapshot_id) {
  const lake::TableIdentifier identifier{database, name};
  const auto live = tables_->find(identifier);
  if (live && live->is_target) {
    fail(ErrorKind::kConflict,
         "rolling back {}: a job is writing to it; pause the job first with 'headrace jobs pause', "
         "and resume it afterwards: it goes on from where the older snapshot stands",
         identifier.to_string());
  }
  const lake::TablePtr table = maintainer_->roll_back(identifier, snapshot_id);
  return describe_snapshot(*table->metadata.current_snapshot(), table->metadata);
}

}  // namespace headrace::app
