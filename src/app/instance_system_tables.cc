// system.*: how the instance stands, as tables.

#include "app/instance.h"
#include "config/node.h"
#include "lake/time_travel.h"
#include "query/system_tables.h"
#include "server/topic_json.h"

namespace headrace::app {
namespace {

using query::SystemRow;
using query::SystemTable;
using query::SystemValue;

SystemValue text_or_null(const std::string& text) {
  return text.empty() ? SystemValue() : SystemValue(text);
}

Timestamp from_ms(int64_t time_ms) { return Timestamp(milliseconds(time_ms)); }

// Bytes here and there, what is not uploaded yet, and why.
void add_tier(const stream::Partition& partition, SystemRow& row) {
  row.emplace_back(static_cast<int64_t>(partition.local_bytes()));
  const auto tier = partition.tier();
  if (!tier) {
    row.insert(row.end(), 4, SystemValue());
    return;
  }
  row.emplace_back(static_cast<int64_t>(tier->remote_bytes));
  row.emplace_back(static_cast<int64_t>(tier->lag_segments));
  row.emplace_back(static_cast<int64_t>(tier->lag_bytes));
  row.push_back(text_or_null(tier->problem));
}

std::vector<SystemRow> partition_rows(const stream::Log& log) {
  std::vector<SystemRow> rows;
  for (const std::string& name : log.topic_names()) {
    const stream::Topic* topic = log.find_topic(name);
    for (int i = 0; topic != nullptr && i < topic->partition_count(); ++i) {
      const stream::Partition& partition = topic->partition(i);
      rows.push_back({name, static_cast<int64_t>(i), partition.start_offset(),
                      partition.end_offset(), static_cast<int64_t>(partition.size_bytes()),
                      static_cast<int64_t>(partition.segment_count())});
      add_tier(partition, rows.back());
      rows.back().push_back(text_or_null(partition.refusal()));
    }
  }
  return rows;
}

std::vector<SystemRow> segment_rows(const stream::Log& log) {
  std::vector<SystemRow> rows;
  for (const std::string& name : log.topic_names()) {
    const stream::Topic* topic = log.find_topic(name);
    for (int i = 0; topic != nullptr && i < topic->partition_count(); ++i) {
      for (const stream::SegmentInfo& segment : topic->partition(i).segments()) {
        rows.push_back({name, static_cast<int64_t>(i), segment.base_offset, segment.end_offset,
                        static_cast<int64_t>(segment.size_bytes), segment.is_local,
                        text_or_null(segment.uri), from_ms(segment.last_append_ms)});
      }
    }
  }
  return rows;
}

std::vector<SystemRow> topic_rows(const stream::Log& log) {
  std::vector<SystemRow> rows;
  for (const std::string& name : log.topic_names()) {
    const stream::Topic* topic = log.find_topic(name);
    if (topic == nullptr) continue;
    const server::TopicFigures figures = server::figures_of(*topic);
    const stream::TopicConfig config = topic->config();
    const bool is_tiered = !config.tiered_storage.uri.empty();
    rows.push_back({name, static_cast<int64_t>(topic->partition_count()), figures.records,
                    figures.bytes, config.retention_ms, config.retention_bytes, figures.local_bytes,
                    is_tiered ? SystemValue(figures.remote_bytes) : SystemValue(),
                    text_or_null(config.tiered_storage.uri), std::string(figures.state)});
  }
  return rows;
}

std::vector<SystemRow> lag_rows(const stream::Log& log) {
  std::vector<SystemRow> rows;
  for (const std::string& name : log.topic_names()) {
    const stream::Topic* topic = log.find_topic(name);
    for (int i = 0; topic != nullptr && i < topic->partition_count(); ++i) {
      const stream::Partition& partition = topic->partition(i);
      for (const auto& [reader, position] : partition.readers()) {
        rows.push_back({reader, name, static_cast<int64_t>(i), position, partition.end_offset(),
                        partition.end_offset() - position});
      }
    }
  }
  return rows;
}

std::vector<SystemRow> table_rows(const tables::LiveTables& tables) {
  std::vector<SystemRow> rows;
  for (const lake::TableIdentifier& identifier : tables.list()) {
    const auto table = tables.find(identifier);
    if (!table) continue;
    int64_t records = 0;
    int64_t bytes = 0;
    for (const lake::DataFile& file : *table->files) {
      records += lake::live_rows(file);
      bytes += file.file_size_bytes;
    }
    const lake::Snapshot* snapshot = table->table->metadata.current_snapshot();
    rows.push_back(
        {identifier.database, identifier.name, records, table->hot_rows,
         static_cast<int64_t>(table->files->size()), bytes,
         snapshot == nullptr ? SystemValue() : SystemValue(from_ms(snapshot->timestamp_ms)),
         table->table->metadata_location, int64_t{table->table->metadata.format_version}});
  }
  return rows;
}

SystemValue time_or_null(std::optional<int64_t> time_us) {
  if (!time_us) return {};
  return Timestamp(std::chrono::microseconds(*time_us));
}

std::vector<SystemRow> view_rows(const views::Views& views) {
  std::vector<SystemRow> rows;
  for (const views::ViewStatus& view : views.status()) {
    const views::ViewProgress& progress = view.progress;
    rows.push_back(
        {view.name, view.table.to_string(), view.source.to_string(),
         std::string(view.closing.emit == views::Emit::kOnClose ? "on_close" : "on_change"),
         time_or_null(progress.event_time.watermark_us),
         time_or_null(progress.event_time.closed_until_us), progress.event_time.late_changes,
         progress.rows, progress.updates, progress.rebuilds, text_or_null(progress.last_rebuild),
         text_or_null(view.last_error)});
  }
  return rows;
}

std::vector<SystemRow> file_rows(const tables::LiveTables& tables) {
  std::vector<SystemRow> rows;
  for (const lake::TableIdentifier& identifier : tables.list()) {
    const auto table = tables.find(identifier);
    if (!table) continue;
    for (const lake::DataFile& file : *table->files) {
      std::vector<std::string> partition;
      for (const auto& value : file.partition) partition.push_back(value.value_or("NULL"));
      rows.push_back({identifier.to_string(), file.path, format("{}", join(partition, "/")),
                      file.record_count, file.file_size_bytes, file.sequence_number});
    }
  }
  return rows;
}

std::vector<SystemRow> snapshot_rows(const tables::LiveTables& tables) {
  std::vector<SystemRow> rows;
  for (const lake::TableIdentifier& identifier : tables.list()) {
    const auto table = tables.find(identifier);
    if (!table) continue;
    for (const lake::Snapshot& snapshot : table->table->metadata.snapshots) {
      const auto entry = [&](const char* key) -> SystemValue {
        const auto found = snapshot.summary.find(key);
        return found == snapshot.summary.end() ? SystemValue() : SystemValue(found->second);
      };
      rows.push_back({identifier.to_string(), snapshot.snapshot_id, snapshot.sequence_number,
                      from_ms(snapshot.timestamp_ms), entry("operation"), entry("added-records"),
                      entry("total-records"), entry("headrace.positions")});
    }
  }
  return rows;
}

std::vector<SystemRow> reference_rows(const tables::LiveTables& tables) {
  std::vector<SystemRow> rows;
  const auto number = [](std::optional<int64_t> value) {
    return value ? SystemValue(*value) : SystemValue();
  };
  for (const lake::TableIdentifier& identifier : tables.list()) {
    const auto table = tables.find(identifier);
    if (!table) continue;
    const lake::TableMetadata& metadata = table->table->metadata;
    for (const lake::SnapshotReference& reference : lake::references_of(metadata)) {
      const lake::Snapshot* snapshot = metadata.snapshot(reference.snapshot_id);
      rows.push_back(
          {identifier.to_string(), reference.name,
           std::string(reference.is_branch ? "branch" : "tag"), reference.snapshot_id,
           snapshot == nullptr ? SystemValue() : SystemValue(from_ms(snapshot->timestamp_ms)),
           number(reference.min_snapshots_to_keep), number(reference.max_snapshot_age_ms),
           number(reference.max_ref_age_ms)});
    }
  }
  return rows;
}

std::vector<SystemRow> schema_change_rows(lake::Catalog& catalog) {
  std::vector<SystemRow> rows;
  for (const lake::SchemaChange& change : catalog.schema_changes()) {
    rows.push_back({from_ms(change.changed_at_ms), change.table.to_string(), change.what.change,
                    text_or_null(change.what.column), text_or_null(change.what.before),
                    text_or_null(change.what.after), change.cause});
  }
  return rows;
}

void collect_settings(const Json& json, const std::string& path, std::vector<SystemRow>& rows) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.get_object()) {
      collect_settings(value, path.empty() ? std::string(key) : path + "." + std::string(key),
                       rows);
    }
    return;
  }
  rows.push_back({path, json.is_string() ? std::string(json.get_string()) : to_text(json)});
}

}  // namespace

void Instance::register_system_tables() {
  const engine::Column topic{"topic", "VARCHAR"};
  const engine::Column partition{"partition", "BIGINT"};
  std::vector<SystemTable> list;
  list.push_back({"topics",
                  "topics with their sizes",
                  {topic,
                   {"partitions", "BIGINT"},
                   {"records", "BIGINT"},
                   {"bytes", "BIGINT"},
                   {"retention_ms", "BIGINT"},
                   {"retention_bytes", "BIGINT"},
                   {"local_bytes", "BIGINT"},
                   {"remote_bytes", "BIGINT"},
                   {"remote_uri", "VARCHAR"},
                   {"state", "VARCHAR"}},
                  [this] { return topic_rows(*log_); }});
  list.push_back({"partitions",
                  "partitions of topics with their offsets",
                  {topic,
                   partition,
                   {"start_offset", "BIGINT"},
                   {"end_offset", "BIGINT"},
                   {"bytes", "BIGINT"},
                   {"segments", "BIGINT"},
                   {"local_bytes", "BIGINT"},
                   {"remote_bytes", "BIGINT"},
                   {"upload_lag_segments", "BIGINT"},
                   {"upload_lag_bytes", "BIGINT"},
                   {"upload_problem", "VARCHAR"},
                   {"refuses_appends", "VARCHAR"}},
                  [this] { return partition_rows(*log_); }});
  list.push_back({"segments",
                  "segments of partitions, and where they are",
                  {topic,
                   partition,
                   {"base_offset", "BIGINT"},
                   {"end_offset", "BIGINT"},
                   {"bytes", "BIGINT"},
                   {"is_local", "BOOLEAN"},
                   {"uri", "VARCHAR"},
                   {"last_append_at", "TIMESTAMP WITH TIME ZONE"}},
                  [this] { return segment_rows(*log_); }});
  list.push_back({"lag",
                  "how far each reader of a partition has committed",
                  {{"reader", "VARCHAR"},
                   topic,
                   partition,
                   {"committed_offset", "BIGINT"},
                   {"end_offset", "BIGINT"},
                   {"lag", "BIGINT"}},
                  [this] { return lag_rows(*log_); }});
  list.push_back({"jobs",
                  "jobs and their state",
                  {{"job", "VARCHAR"},
                   {"state", "VARCHAR"},
                   {"records", "BIGINT"},
                   {"lag", "BIGINT"},
                   {"hot_records", "BIGINT"},
                   {"dead_letters", "BIGINT"},
                   {"commits", "BIGINT"},
                   {"last_error", "VARCHAR"}},
                  [this] {
                    std::vector<SystemRow> rows;
                    for (const Json& job : jobs()) {
                      const auto number = [&](const char* name) {
                        return SystemValue(integer_member_or(job, name, 0));
                      };
                      rows.push_back({string_member(job, "name"), string_member(job, "state"),
                                      number("records"), number("lag"), number("hot_records"),
                                      number("dead_letters"), number("commits"),
                                      text_or_null(string_member_or(job, "last_error", ""))});
                    }
                    return rows;
                  }});
  list.push_back({"tables",
                  "tables with rows in files and hot rows",
                  {{"database", "VARCHAR"},
                   {"name", "VARCHAR"},
                   {"rows", "BIGINT"},
                   {"hot_rows", "BIGINT"},
                   {"files", "BIGINT"},
                   {"bytes", "BIGINT"},
                   {"committed_at", "TIMESTAMP WITH TIME ZONE"},
                   {"metadata_location", "VARCHAR"},
                   {"format_version", "BIGINT"}},
                  [this] { return table_rows(*tables_); }});
  list.push_back({"views",
                  "incremental views, how far they are, and what came too late for them",
                  {{"view", "VARCHAR"},
                   {"table", "VARCHAR"},
                   {"source", "VARCHAR"},
                   {"emit", "VARCHAR"},
                   {"watermark", "TIMESTAMP WITH TIME ZONE"},
                   {"closed_until", "TIMESTAMP WITH TIME ZONE"},
                   {"late_changes", "BIGINT"},
                   {"rows", "BIGINT"},
                   {"updates", "BIGINT"},
                   {"rebuilds", "BIGINT"},
                   {"last_rebuild", "VARCHAR"},
                   {"last_error", "VARCHAR"}},
                  [this] { return view_rows(*views_); }});
  list.push_back({"files",
                  "data files of tables",
                  {{"table", "VARCHAR"},
                   {"path", "VARCHAR"},
                   {"partition", "VARCHAR"},
                   {"records", "BIGINT"},
                   {"bytes", "BIGINT"},
                   {"sequence_number", "BIGINT"}},
                  [this] { return file_rows(*tables_); }});
  list.push_back({"snapshots",
                  "snapshots of tables, with the positions that each includes",
                  {{"table", "VARCHAR"},
                   {"snapshot_id", "BIGINT"},
                   {"sequence_number", "BIGINT"},
                   {"committed_at", "TIMESTAMP WITH TIME ZONE"},
                   {"operation", "VARCHAR"},
                   {"added_records", "VARCHAR"},
                   {"total_records", "VARCHAR"},
                   {"positions", "VARCHAR"}},
                  [this] { return snapshot_rows(*tables_); }});
  list.push_back({"refs",
                  "branches and tags of tables, as FROM t AT (VERSION => 'name') takes them",
                  {{"table", "VARCHAR"},
                   {"name", "VARCHAR"},
                   {"type", "VARCHAR"},
                   {"snapshot_id", "BIGINT"},
                   {"committed_at", "TIMESTAMP WITH TIME ZONE"},
                   {"min_snapshots_to_keep", "BIGINT"},
                   {"max_snapshot_age_ms", "BIGINT"},
                   {"max_ref_age_ms", "BIGINT"}},
                  [this] { return reference_rows(*tables_); }});
  list.push_back({"schema_changes",
                  "every change of a table's columns or partitioning, and who made it",
                  {{"changed_at", "TIMESTAMP WITH TIME ZONE"},
                   {"table", "VARCHAR"},
                   {"change", "VARCHAR"},
                   {"column", "VARCHAR"},
                   {"before", "VARCHAR"},
                   {"after", "VARCHAR"},
                   {"cause", "VARCHAR"}},
                  [this] { return schema_change_rows(*catalog_); }});
  list.push_back({"maintenance",
                  "what was done to keep tables in order, the newest 1,000 runs of this process",
                  {{"started_at", "TIMESTAMP WITH TIME ZONE"},
                   {"table", "VARCHAR"},
                   {"operation", "VARCHAR"},
                   {"state", "VARCHAR"},
                   {"files_before", "BIGINT"},
                   {"files_after", "BIGINT"},
                   {"bytes_before", "BIGINT"},
                   {"bytes_after", "BIGINT"},
                   {"elapsed_ms", "BIGINT"},
                   {"error", "VARCHAR"}},
                  [this] { return maintenance_rows(); }});
  list.push_back(
      {"dead_letters",
       "the newest 100,000 dead letters of all jobs; all of them stand in dead_letters.<job>",
       {{"rejected_at", "TIMESTAMP WITH TIME ZONE"},
        {"job", "VARCHAR"},
        {"node", "VARCHAR"},
        {"reason", "VARCHAR"},
        topic,
        partition,
        {"offset", "BIGINT"},
        {"value", "VARCHAR"}},
       [this] { return dead_letter_system_rows(); }});
  list.push_back({"settings",
                  "settings of the project, secrets hidden",
                  {{"setting", "VARCHAR"}, {"value", "VARCHAR"}},
                  [this] {
                    std::vector<SystemRow> rows;
                    std::lock_guard lock(mutex_);
                    collect_settings(project::Settings::fields().to_json(project_.settings), "",
                                     rows);
                    return rows;
                  }});
  query::register_system_tables(*database_, std::move(list));
}

}  // namespace headrace::app
