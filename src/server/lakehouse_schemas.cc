#include "server/lakehouse_schemas.h"

#include "server/json_schema.h"

namespace headrace::server::schema {
namespace {

JsonObject extended(JsonObject properties, const JsonObject& more) {
  for (const auto& [name, property] : more) properties[name] = property;
  return properties;
}

JsonObject table_properties() {
  return {{"name", text()},
          {"rows", integer()},
          {"hot_rows", integer()},
          {"files", integer()},
          {"bytes", integer()},
          {"snapshots", integer()},
          {"committed_at", nullable("string")}};
}

JsonObject job_properties() {
  return {{"name", text()},
          {"state", JsonObject{{"type", "string"},
                               {"enum", JsonArray{"starting", "standby", "running", "paused",
                                                  "retrying", "failed", "finished", "stopped"}}}},
          {"mode", JsonObject{{"type", "string"}, {"enum", JsonArray{"streaming", "batch"}}}},
          {"records", integer()},
          {"lag", integer()},
          {"hot_records", integer()},
          {"dead_letters", integer()},
          {"batches", integer()},
          {"commits", integer()},
          {"retries", integer()},
          {"last_error", nullable("string")}};
}

// A job in batch mode that does not run has a name and a state alone.
JsonObject job_in_list() {
  JsonObject schema = object_of(job_properties());
  schema["required"] = JsonArray{"name", "state"};
  return schema;
}

JsonObject node() {
  return object_of({{"node", text()},
                    {"type", text()},
                    {"inputs", text()},
                    {"reads", text()},
                    {"writes", text()}});
}

JsonObject source() {
  return object_of({{"name", text()},
                    {"type", text()},
                    {"topic", text()},
                    {"state", text()},
                    {"records", integer()},
                    {"bytes", integer()},
                    {"files_done", integer()},
                    {"files_total", integer()},
                    {"lag_bytes", integer()},
                    {"last_error", nullable("string")}});
}

JsonObject view() {
  return object_of({{"name", text()},
                    {"table", text()},
                    {"source", text()},
                    {"updates", integer()},
                    {"rows", integer()},
                    {"emit", text()},
                    {"watermark", nullable("string")},
                    {"closed_until", nullable("string")},
                    {"late_changes", integer()},
                    {"last_error", nullable("string")}});
}

JsonObject topic() {
  return object_of({{"name", text()},
                    {"partitions", integer()},
                    {"records", integer()},
                    {"size_bytes", integer()},
                    {"local_bytes", integer()},
                    {"remote_bytes", integer()},
                    {"state", text()}});
}

}  // namespace

JsonObject status() {
  return object_of({{"version", text()},
                    {"name", text()},
                    {"uptime_s", integer()},
                    {"topics", list_of(topic())},
                    {"sources", list_of(source())},
                    {"jobs", list_of(job_in_list())},
                    {"tables", list_of(object_of(table_properties()))},
                    {"views", list_of(view())},
                    {"dead_letters", integer()},
                    {"problems", list_of(object_of({{"message", text()}}))}});
}

JsonObject tables() { return object_of({{"tables", list_of(object_of(table_properties()))}}); }

JsonObject table() {
  const JsonObject column =
      object_of({{"name", text()}, {"type", text()}, {"field_id", integer()}});
  const JsonObject partition = object_of({{"name", text()}, {"transform", text()}});
  return object_of(extended(table_properties(), {{"location", text()},
                                                 {"metadata_location", text()},
                                                 {"format_version", integer()},
                                                 {"schema", list_of(column)},
                                                 {"partition_by", list_of(partition)},
                                                 {"latest_snapshots", list_of(type("object"))}}));
}

JsonObject table_files() {
  const JsonObject file = object_of({{"path", text()},
                                     {"rows", integer()},
                                     {"bytes", integer()},
                                     {"partition", list_of(nullable("string"))},
                                     {"sequence_number", integer()}});
  return object_of({{"name", text()}, {"files", list_of(file)}});
}

JsonObject snapshot() { return object_of({{"snapshot_id", text()}, {"committed_at", text()}}); }

JsonObject table_history() {
  return object_of({{"name", text()}, {"snapshots", list_of(snapshot())}});
}

JsonObject optimized() {
  return object_of({{"name", text()},
                    {"merges", integer()},
                    {"files_before", integer()},
                    {"files_after", integer()},
                    {"bytes_before", integer()},
                    {"bytes_after", integer()}});
}

JsonObject expired() {
  return object_of({{"name", text()},
                    {"snapshots_removed", integer()},
                    {"orphans_removed", integer()},
                    {"orphan_bytes", integer()}});
}

JsonObject jobs() { return object_of({{"jobs", list_of(job_in_list())}}); }

JsonObject job() {
  JsonObject schema =
      object_of(extended(job_properties(), {{"positions", text()}, {"nodes", list_of(node())}}));
  schema["required"] = JsonArray{"name", "state", "nodes"};
  return schema;
}

JsonObject running_job() { return object_of(job_properties()); }

JsonObject dead_letters() {
  const JsonObject letter = object_of({{"rejected_at", text()},
                                       {"job", text()},
                                       {"node", text()},
                                       {"topic", nullable("string")},
                                       {"partition", nullable("integer")},
                                       {"offset", nullable("integer")},
                                       {"reason", text()},
                                       {"value", nullable("string")}});
  return object_of({{"dead_letters", list_of(letter)}});
}

JsonObject dead_letter() {
  return object_of({{"rejected_at", text()},
                    {"job", text()},
                    {"node", text()},
                    {"reason", text()},
                    {"topic", nullable("string")},
                    {"partition", nullable("integer")},
                    {"offset", nullable("integer")},
                    {"time", nullable("string")},
                    {"key", nullable("string")},
                    {"value", nullable("string")},
                    {"key_bytes", nullable("string")},
                    {"value_bytes", nullable("string")},
                    {"row", nullable("string")}});
}

JsonObject replayed() {
  return object_of({{"job", text()}, {"replayed", integer()}, {"replayed_before", integer()}});
}

}  // namespace headrace::server::schema
