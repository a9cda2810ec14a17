// What the API and system.* show of an instance.

#include <algorithm>

#include "app/instance.h"
#include "app/version.h"
#include "base/error.h"
#include "server/topic_json.h"
#include "tables/positions.h"

namespace headrace::app {
namespace {

struct TableFigures {
  int64_t rows = 0;
  int64_t files = 0;
  int64_t bytes = 0;
};

TableFigures figures_of(const tables::TableState& table) {
  TableFigures figures;
  for (const lake::DataFile& file : *table.files) {
    figures.rows += lake::live_rows(file);
    ++figures.files;
    figures.bytes += file.file_size_bytes;
  }
  return figures;
}

Json describe_table(const lake::TableIdentifier& identifier, const tables::TableState& table) {
  const TableFigures figures = figures_of(table);
  const lake::Snapshot* snapshot = table.table->metadata.current_snapshot();
  return JsonObject{
      {"name", identifier.to_string()},
      // Hot changes take the place of committed rows as often as not.
      {"rows", figures.rows + (table.is_upsert ? 0 : table.hot_rows)},
      {"hot_rows", table.hot_rows},
      {"files", figures.files},
      {"bytes", figures.bytes},
      {"snapshots", table.table->metadata.snapshots.size()},
      {"committed_at", snapshot == nullptr
                           ? Json(nullptr)
                           : Json(to_iso8601(Timestamp(milliseconds(snapshot->timestamp_ms))))}};
}

}  // namespace

JsonArray Instance::topics() const {
  JsonArray list;
  for (const std::string& name : log_->topic_names()) {
    if (const stream::Topic* topic = log_->find_topic(name))
      list.push_back(server::summarize_topic(*topic));
  }
  return list;
}

JsonArray Instance::tables() {
  JsonArray list;
  for (const lake::TableIdentifier& identifier : tables_->list()) {
    if (const auto table = tables_->find(identifier))
      list.push_back(describe_table(identifier, *table));
  }
  return list;
}

Json Instance::table(const std::string& database, const std::string& name) {
  const lake::TableIdentifier identifier{database, name};
  const auto table = tables_->find(identifier);
  if (!table) {
    std::vector<std::string> names;
    for (const lake::TableIdentifier& there : tables_->list()) names.push_back(there.to_string());
    fail(ErrorKind::kNotFound, "there is no table {}; there are: {}", identifier.to_string(),
         names.empty() ? "none yet" : format("{}", join(names, ", ")));
  }
  const lake::TableMetadata& metadata = table->table->metadata;
  JsonObject answer = describe_table(identifier, *table).as_object();
  answer["location"] = metadata.location;
  answer["metadata_location"] = table->table->metadata_location;
  answer["format_version"] = metadata.format_version;
  JsonArray columns;
  for (const lake::Field& field : metadata.current_schema().fields) {
    columns.push_back(JsonObject{
        {"name", field.name}, {"type", lake::to_duckdb(field.type)}, {"field_id", field.id}});
  }
  answer["schema"] = std::move(columns);
  JsonArray partitioning;
  for (const lake::PartitionField& field : metadata.default_spec().fields) {
    partitioning.push_back(
        JsonObject{{"name", field.name}, {"transform", lake::to_text(field.transform)}});
  }
  answer["partition_by"] = std::move(partitioning);
  JsonArray snapshots;
  for (auto snapshot = metadata.snapshots.rbegin();
       snapshot != metadata.snapshots.rend() && snapshots.size() < 10; ++snapshot) {
    const auto added = snapshot->summary.find("added-records");
    const auto operation = snapshot->summary.find("operation");
    snapshots.push_back(
        JsonObject{{"snapshot_id", std::to_string(snapshot->snapshot_id)},
                   {"committed_at", to_iso8601(Timestamp(milliseconds(snapshot->timestamp_ms)))},
                   {"operation", operation == snapshot->summary.end() ? "" : operation->second},
                   {"added_records", added == snapshot->summary.end() ? "0" : added->second}});
  }
  answer["latest_snapshots"] = std::move(snapshots);
  return answer;
}

Json Instance::describe(const RunningJob& job) const {
  const headrace::jobs::JobStatus status = job.runner->status();
  return JsonObject{
      {"name", job.definition.name},
      {"state", job.is_paused ? "paused" : std::string(headrace::jobs::name_of(status.state))},
      {"mode", job.definition.mode == project::JobMode::kStreaming ? "streaming" : "batch"},
      {"records", status.records},
      {"lag", status.lag},
      {"hot_records", status.hot_records},
      {"dead_letters", status.dead_letters},
      {"batches", status.batches},
      {"commits", status.commits},
      {"retries", status.retries},
      {"last_error", status.last_error.empty() ? Json(nullptr) : Json(status.last_error)}};
}

JsonArray Instance::jobs() {
  std::lock_guard lock(mutex_);
  JsonArray list;
  for (const project::JobDefinition& definition : project_.jobs) {
    const auto found = jobs_.find(definition.name);
    if (found != jobs_.end()) {
      list.push_back(describe(found->second));
    } else {
      list.push_back(JsonObject{{"name", definition.name}, {"state", "stopped"}});
    }
  }
  return list;
}

Json Instance::job(const std::string& name) {
  std::lock_guard lock(mutex_);
  const project::JobDefinition& definition = job_definition(name);
  const auto found = jobs_.find(name);
  JsonObject answer = found == jobs_.end() ? JsonObject{{"name", name}, {"state", "stopped"}}
                                           : describe(found->second).as_object();
  if (found != jobs_.end()) answer["positions"] = found->second.runner->status().positions;
  JsonArray nodes;
  for (const project::JobNode& node : definition.nodes) {
    nodes.push_back(JsonObject{{"node", node.name},
                               {"type", node.type},
                               {"inputs", format("{}", join(node.facts.inputs, ", "))},
                               {"reads", node.facts.topic_read + node.facts.table_read},
                               {"writes", node.facts.table_written}});
  }
  answer["nodes"] = std::move(nodes);
  return answer;
}

JsonArray Instance::sources_status() const {
  std::lock_guard lock(mutex_);
  JsonArray list;
  for (const auto& [name, running] : sources_) {
    const sources::SourceStatus status = running.source->status();
    list.push_back(JsonObject{
        {"name", name},
        {"type", running.definition.type},
        {"topic", running.definition.topic},
        {"state", std::string(sources::name_of(status.state))},
        {"records", status.records},
        {"bytes", status.bytes},
        {"files_done", status.files_done},
        {"files_total", status.files_total},
        {"lag_bytes", status.lag_bytes},
        {"last_error", status.last_error.empty() ? Json(nullptr) : Json(status.last_error)}});
  }
  return list;
}

namespace {

Json time_json(std::optional<int64_t> time_us) {
  if (!time_us) return nullptr;
  return Json(to_iso8601(Timestamp(std::chrono::microseconds(*time_us))));
}

}  // namespace

JsonArray Instance::views_status() const {
  JsonArray list;
  for (const views::ViewStatus& view : views_->status()) {
    list.push_back(JsonObject{
        {"name", view.name},
        {"table", view.table.to_string()},
        {"source", view.source.to_string()},
        {"updates", view.progress.updates},
        {"rows", view.progress.rows},
        {"emit", view.closing.emit == views::Emit::kOnClose ? "on_close" : "on_change"},
        {"watermark", time_json(view.progress.event_time.watermark_us)},
        {"closed_until", time_json(view.progress.event_time.closed_until_us)},
        {"late_changes", view.progress.event_time.late_changes},
        {"rebuilds", view.progress.rebuilds},
        {"last_rebuild",
         view.progress.last_rebuild.empty() ? Json(nullptr) : Json(view.progress.last_rebuild)},
        {"last_error", view.last_error.empty() ? Json(nullptr) : Json(view.last_error)}});
  }
  return list;
}

Json Instance::status() {
  JsonArray job_list = jobs();
  JsonArray problems;
  std::string name;
  {
    std::lock_guard lock(mutex_);
    name = project_.settings.name;
    if (!broken_project_.empty()) {
      problems.push_back(JsonObject{
          {"message", "the project's files have errors; the old ones go on: " + broken_project_}});
    }
    for (const std::string& problem : problems_)
      problems.push_back(JsonObject{{"message", problem}});
  }
  add_topic_problems(problems);
  int64_t dead_letters = 0;
  for (const lake::TableIdentifier& identifier : tables_->list()) {
    if (identifier.database != "dead_letters") continue;
    if (const auto table = tables_->find(identifier))
      dead_letters += figures_of(*table).rows + table->hot_rows;
  }
  JsonArray source_list = sources_status();
  for (const JsonArray* list : {&job_list, &source_list}) {
    for (const Json& item : *list) {
      const std::string state = string_member_or(item, "state", "");
      const std::string error = string_member_or(item, "last_error", "");
      if (error.empty() || state == "standby") continue;  // which only tells where it runs
      problems.push_back(
          JsonObject{{"message", format("{} {}: {}", string_member(item, "name"), state, error)}});
    }
  }
  JsonArray view_list = views_status();
  for (const Json& view : view_list) {
    if (find_member(view, "last_error") == nullptr) continue;
    problems.push_back(JsonObject{{"message", format("view {}: {}", string_member(view, "name"),
                                                     string_member(view, "last_error"))}});
  }
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.steady_now() - started_);
  return JsonObject{{"version", kVersion},
                    {"name", std::move(name)},
                    {"uptime_s", uptime.count()},
                    {"topics", topics()},
                    {"sources", std::move(source_list)},
                    {"jobs", std::move(job_list)},
                    {"tables", tables()},
                    {"views", std::move(view_list)},
                    {"dead_letters", dead_letters},
                    {"problems", std::move(problems)}};
}

}  // namespace headrace::app
