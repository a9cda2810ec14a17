// Table metadata as Iceberg's JSON (spec, appendix C) and back. What headrace does not know is kept
// and written again.

#include <algorithm>
#include <array>

#include "base/error.h"
#include "lake/format_version.h"
#include "lake/metadata_json.h"

namespace headrace::lake {
namespace {

constexpr std::array<std::string_view, 21> kTableMembers = {"format-version",
                                                            "table-uuid",
                                                            "location",
                                                            "last-sequence-number",
                                                            "last-updated-ms",
                                                            "last-column-id",
                                                            "current-schema-id",
                                                            "schemas",
                                                            "default-spec-id",
                                                            "partition-specs",
                                                            "last-partition-id",
                                                            "default-sort-order-id",
                                                            "sort-orders",
                                                            "properties",
                                                            "current-snapshot-id",
                                                            "snapshots",
                                                            "snapshot-log",
                                                            "metadata-log",
                                                            "refs",
                                                            "next-row-id",
                                                            "schema"};
constexpr std::array<std::string_view, 9> kSnapshotMembers = {
    "snapshot-id", "parent-snapshot-id", "sequence-number", "timestamp-ms", "manifest-list",
    "summary",     "schema-id",          "first-row-id",    "added-rows"};
constexpr std::array<std::string_view, 3> kSchemaMembers = {"type", "schema-id", "fields"};

template <size_t N>
JsonObject unknown_members(const Json& json, const std::array<std::string_view, N>& known) {
  JsonObject unknown;
  for (const auto& [name, value] : json.as_object()) {
    if (std::find(known.begin(), known.end(), std::string_view(name)) == known.end()) {
      unknown[name] = value;
    }
  }
  return unknown;
}

void add_members(JsonObject& object, const JsonObject& unknown) {
  for (const auto& [name, value] : unknown) object[name] = value;
}

JsonObject text_map_json(const std::map<std::string, std::string>& map) {
  JsonObject object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

std::map<std::string, std::string> text_map(const Json* json) {
  std::map<std::string, std::string> map;
  if (json == nullptr) return map;
  if (!json->is_object()) fail(ErrorKind::kInvalid, "properties are not an object");
  for (const auto& [key, value] : json->get_object()) {
    if (!value.is_string()) {
      fail(ErrorKind::kInvalid, "the value of \"{}\" is not a string", std::string(key));
    }
    map[std::string(key)] = std::string(value.get_string());
  }
  return map;
}

JsonArray array_or_empty(const Json& json, std::string_view name) {
  const Json* found = find_member(json, name);
  if (found == nullptr) return {};
  if (!found->is_array()) fail(ErrorKind::kInvalid, "\"{}\" is not an array", name);
  return found->get_array();
}

Json snapshot_json(const Snapshot& snapshot) {
  JsonObject object{
      {"snapshot-id", snapshot.snapshot_id},        {"sequence-number", snapshot.sequence_number},
      {"timestamp-ms", snapshot.timestamp_ms},      {"manifest-list", snapshot.manifest_list},
      {"summary", text_map_json(snapshot.summary)}, {"schema-id", snapshot.schema_id}};
  if (snapshot.parent_snapshot_id) object["parent-snapshot-id"] = *snapshot.parent_snapshot_id;
  if (snapshot.first_row_id) object["first-row-id"] = *snapshot.first_row_id;
  if (snapshot.added_rows) object["added-rows"] = *snapshot.added_rows;
  add_members(object, snapshot.unknown);
  return object;
}

std::optional<int64_t> optional_count(const Json& json, std::string_view name) {
  if (find_member(json, name) == nullptr) return std::nullopt;
  const int64_t count = integer_member(json, name);
  if (count < 0) fail(ErrorKind::kInvalid, "\"{}\" is {}, less than 0", name, count);
  return count;
}

}  // namespace

Snapshot snapshot_from_json(const Json& json, int current_schema_id) {
  Snapshot snapshot;
  snapshot.snapshot_id = integer_member(json, "snapshot-id");
  if (const Json* parent = find_member(json, "parent-snapshot-id")) {
    snapshot.parent_snapshot_id = parent->to_number<int64_t>();
  }
  snapshot.sequence_number = integer_member_or(json, "sequence-number", 0);
  snapshot.timestamp_ms = integer_member(json, "timestamp-ms");
  snapshot.manifest_list = string_member(json, "manifest-list");
  snapshot.summary = text_map(find_member(json, "summary"));
  snapshot.schema_id = static_cast<int>(integer_member_or(json, "schema-id", current_schema_id));
  snapshot.first_row_id = optional_count(json, "first-row-id");
  snapshot.added_rows = optional_count(json, "added-rows");
  snapshot.unknown = unknown_members(json, kSnapshotMembers);
  return snapshot;
}

Schema whole_schema_from_json(const Json& json) {
  Schema schema = schema_from_json(json);
  schema.unknown = unknown_members(json, kSchemaMembers);
  // Some write an empty list for none.
  const Json* identifiers = schema.unknown.if_contains("identifier-field-ids");
  if (identifiers != nullptr && identifiers->is_array() && identifiers->get_array().empty()) {
    schema.unknown.erase("identifier-field-ids");
  }
  return schema;
}

std::map<std::string, std::string> properties_from_json(const Json* json) { return text_map(json); }

namespace {

void check_not_encrypted(const Json& json) {
  const JsonArray keys = array_or_empty(json, "encryption-keys");
  const JsonArray snapshots = array_or_empty(json, "snapshots");
  const bool has_key = std::any_of(snapshots.begin(), snapshots.end(), [](const Json& snapshot) {
    return find_member(snapshot, "key-id") != nullptr;
  });
  if (keys.empty() && !has_key) return;
  fail(ErrorKind::kUnsupported,
       "it is encrypted (\"encryption-keys\"), which headrace does not read");
}

void read_version(TableMetadata& metadata, const Json& json) {
  const int64_t version = integer_member(json, "format-version");
  check_format_version(version, "its format");
  metadata.format_version = static_cast<int>(version);
}

// What only format 3 has.
void read_format_3(TableMetadata& metadata, const Json& json) {
  if (metadata.format_version < 3) return;
  const auto next = optional_count(json, "next-row-id");
  if (!next)
    fail(ErrorKind::kCorrupt, "it has no \"next-row-id\", which format version 3 requires");
  metadata.next_row_id = *next;
  for (const Snapshot& snapshot : metadata.snapshots) {
    if (!snapshot.first_row_id) continue;  // from before the upgrade
    const int64_t added = snapshot.added_rows.value_or(0);
    if (*snapshot.first_row_id <= *next && added <= *next - *snapshot.first_row_id) continue;
    fail(ErrorKind::kCorrupt, "its snapshot {} has row ids beyond its \"next-row-id\", {}",
         snapshot.snapshot_id, *next);
  }
  check_not_encrypted(json);
}

void read_schemas(TableMetadata& metadata, const Json& json) {
  metadata.last_column_id = static_cast<int>(integer_member(json, "last-column-id"));
  metadata.current_schema_id = static_cast<int>(integer_member(json, "current-schema-id"));
  for (const Json& entry : array_or_empty(json, "schemas")) {
    metadata.schemas.push_back(whole_schema_from_json(entry));
  }
  metadata.current_schema();
}

void read_specs(TableMetadata& metadata, const Json& json) {
  metadata.default_spec_id = static_cast<int>(integer_member(json, "default-spec-id"));
  metadata.last_partition_id = static_cast<int>(integer_member_or(json, "last-partition-id", 999));
  for (const Json& entry : array_or_empty(json, "partition-specs")) {
    metadata.partition_specs.push_back(partition_spec_from_json(entry));
  }
  metadata.default_spec();
  metadata.default_sort_order_id =
      static_cast<int>(integer_member_or(json, "default-sort-order-id", 0));
  metadata.sort_orders = array_or_empty(json, "sort-orders");
}

void read_snapshots(TableMetadata& metadata, const Json& json) {
  for (const Json& entry : array_or_empty(json, "snapshots")) {
    metadata.snapshots.push_back(snapshot_from_json(entry, metadata.current_schema_id));
  }
  // Some writers put −1 for "none".
  const int64_t current = integer_member_or(json, "current-snapshot-id", -1);
  if (current != -1) {
    metadata.current_snapshot_id = current;
    if (metadata.current_snapshot() == nullptr) {
      fail(ErrorKind::kCorrupt, "its current snapshot {} is not among its snapshots", current);
    }
  }
  for (const Json& entry : array_or_empty(json, "snapshot-log")) {
    metadata.snapshot_log.push_back(
        {integer_member(entry, "timestamp-ms"), integer_member(entry, "snapshot-id")});
  }
  metadata.metadata_log = array_or_empty(json, "metadata-log");
  if (const Json* refs = find_member(json, "refs"); refs != nullptr && refs->is_object()) {
    metadata.refs = refs->get_object();
  }
}

TableMetadata read_metadata(const Json& json) {
  TableMetadata metadata;
  read_version(metadata, json);
  metadata.table_uuid = string_member(json, "table-uuid");
  metadata.location = string_member(json, "location");
  metadata.last_sequence_number = integer_member_or(json, "last-sequence-number", 0);
  metadata.last_updated_ms = integer_member(json, "last-updated-ms");
  read_schemas(metadata, json);
  read_specs(metadata, json);
  metadata.properties = text_map(find_member(json, "properties"));
  read_snapshots(metadata, json);
  read_format_3(metadata, json);
  metadata.unknown = unknown_members(json, kTableMembers);
  return metadata;
}

template <class Items>
JsonArray array_of(const Items& items, Json (*convert)(const typename Items::value_type&)) {
  JsonArray array;
  array.reserve(items.size());
  for (const auto& item : items) array.push_back(convert(item));
  return array;
}

Json schema_json(const Schema& schema) {
  Json json = to_json(schema);
  add_members(json.as_object(), schema.unknown);
  return json;
}

Json spec_json(const PartitionSpec& spec) { return to_json(spec); }

Json log_entry_json(const SnapshotLogEntry& entry) {
  return JsonObject{{"timestamp-ms", entry.timestamp_ms}, {"snapshot-id", entry.snapshot_id}};
}

JsonObject json_without_snapshots(const TableMetadata& metadata) {
  JsonObject object{{"format-version", metadata.format_version},
                    {"table-uuid", metadata.table_uuid},
                    {"location", metadata.location},
                    {"last-sequence-number", metadata.last_sequence_number},
                    {"last-updated-ms", metadata.last_updated_ms},
                    {"last-column-id", metadata.last_column_id},
                    {"current-schema-id", metadata.current_schema_id},
                    {"schemas", array_of(metadata.schemas, schema_json)},
                    {"default-spec-id", metadata.default_spec_id},
                    {"partition-specs", array_of(metadata.partition_specs, spec_json)},
                    {"last-partition-id", metadata.last_partition_id},
                    {"default-sort-order-id", metadata.default_sort_order_id},
                    {"sort-orders", metadata.sort_orders},
                    {"properties", text_map_json(metadata.properties)},
                    {"refs", metadata.refs},
                    {"snapshot-log", array_of(metadata.snapshot_log, log_entry_json)},
                    {"metadata-log", metadata.metadata_log}};
  if (metadata.format_version >= 3) object["next-row-id"] = metadata.next_row_id;
  if (metadata.current_snapshot_id) object["current-snapshot-id"] = *metadata.current_snapshot_id;
  add_members(object, metadata.unknown);
  return object;
}

}  // namespace

const Schema& TableMetadata::current_schema() const {
  for (const Schema& schema : schemas) {
    if (schema.schema_id == current_schema_id) return schema;
  }
  fail(ErrorKind::kCorrupt, "table {} has no schema {}", location, current_schema_id);
}

const PartitionSpec& TableMetadata::default_spec() const { return spec(default_spec_id); }

const PartitionSpec& TableMetadata::spec(int spec_id) const {
  for (const PartitionSpec& spec : partition_specs) {
    if (spec.spec_id == spec_id) return spec;
  }
  fail(ErrorKind::kCorrupt, "table {} has no partition spec {}", location, spec_id);
}

const Snapshot* TableMetadata::current_snapshot() const {
  return current_snapshot_id ? snapshot(*current_snapshot_id) : nullptr;
}

const Snapshot* TableMetadata::snapshot(SnapshotId id) const {
  // The newest are asked for most.
  const auto found = std::find_if(snapshots.rbegin(), snapshots.rend(),
                                  [&](const Snapshot& entry) { return entry.snapshot_id == id; });
  return found == snapshots.rend() ? nullptr : &*found;
}

Json to_json(const TableMetadata& metadata) {
  JsonObject object = json_without_snapshots(metadata);
  object["snapshots"] = array_of(metadata.snapshots, snapshot_json);
  return object;
}

std::string to_text(const TableMetadata& metadata) {
  std::string text = to_text(Json(json_without_snapshots(metadata)));
  size_t size = text.size();
  for (const Snapshot& snapshot : metadata.snapshots) {
    if (snapshot.json_text) size += snapshot.json_text->size() + 1;
  }
  text.reserve(size + 32);
  text.back() = ',';  // in place of the closing brace
  text += R"("snapshots":[)";
  for (const Snapshot& snapshot : metadata.snapshots) {
    text += snapshot.json_text ? *snapshot.json_text : to_text(snapshot_json(snapshot));
    text += ',';
  }
  if (!metadata.snapshots.empty()) text.pop_back();
  text += "]}";
  return text;
}

void keep_snapshot_texts(TableMetadata& metadata) {
  for (size_t i = 0; i < metadata.snapshots.size(); ++i) {
    if (metadata.snapshots.at(i).json_text) continue;
    Snapshot snapshot = metadata.snapshots.at(i);
    snapshot.json_text = std::make_shared<const std::string>(to_text(snapshot_json(snapshot)));
    metadata.snapshots.replace(i, std::move(snapshot));
  }
}

TableMetadata table_metadata_from_json(const Json& json) {
  if (!json.is_object()) fail(ErrorKind::kCorrupt, "reading table metadata: it is not an object");
  try {
    return read_metadata(json);
  } catch (const Error& error) {
    // What is wrong in a stored file is not the caller's mistake.
    const ErrorKind kind = error.kind() == ErrorKind::kInvalid ? ErrorKind::kCorrupt : error.kind();
    throw Error(kind, error.message()).with_context("reading table metadata");
  } catch (const boost::system::system_error& error) {
    fail(ErrorKind::kCorrupt, "reading table metadata: {}", error.what());
  }
}

}  // namespace headrace::lake
