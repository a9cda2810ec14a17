#include "server/topic_json.h"

#include <string_view>
#include <utility>

#include "base/error.h"

namespace headrace::server {
namespace {

constexpr std::string_view kOk = TopicFigures().state;

std::string_view name_of(stream::Durability durability) {
  return durability == stream::Durability::kDisk ? "disk" : "memory";
}

std::string_view name_of(stream::Compression compression) {
  switch (compression) {
    case stream::Compression::kNone:
      return "none";
    case stream::Compression::kLz4:
      return "lz4";
    case stream::Compression::kZstd:
      return "zstd";
  }
  return "none";
}

stream::Compression compression_of(std::string_view name) {
  for (const auto compression :
       {stream::Compression::kNone, stream::Compression::kLz4, stream::Compression::kZstd}) {
    if (name_of(compression) == name) return compression;
  }
  fail(ErrorKind::kInvalid, "the topic's compression '{}' is not known: use none, lz4 or zstd",
       name);
}

stream::Durability durability_of(std::string_view name) {
  if (name == "disk") return stream::Durability::kDisk;
  if (name == "memory") return stream::Durability::kMemory;
  fail(ErrorKind::kInvalid, "the topic's durability '{}' is not known: use disk or memory", name);
}

JsonObject tier_json(const stream::TieredStorage& tier) {
  return {{"uri", tier.uri},
          {"local_retention_ms", tier.local_retention_ms},
          {"local_retention_bytes", tier.local_retention_bytes},
          {"upload_interval_ms", tier.upload_interval_ms}};
}

JsonObject config_json(const stream::TopicConfig& config) {
  const bool on_disk = config.durability == stream::Durability::kDisk;
  return {{"partitions", config.partitions},
          {"compression", name_of(config.compression)},
          {"durability", on_disk ? "disk" : "memory"},
          {"retention_ms", config.retention_ms},
          {"retention_bytes", config.retention_bytes},
          {"retention_ignores_readers", config.retention_ignores_readers},
          {"segment_bytes", config.segment_bytes},
          {"index_interval_bytes", config.index_interval_bytes},
          {"max_batch_bytes", config.max_batch_bytes},
          {"tiered_storage", tier_json(config.tiered_storage)}};
}

void refuse_unknown_members(const Json& body) {
  if (!body.is_object()) fail(ErrorKind::kInvalid, "a topic is described by a JSON object");
  const JsonObject known = config_json({});
  for (const auto& [name, value] : body.get_object()) {
    if (name != "name" && !known.contains(name)) {
      fail(ErrorKind::kInvalid, "a topic has no setting '{}'; it has name, {}", std::string(name),
           "partitions, compression, durability, retention_ms, retention_bytes, "
           "retention_ignores_readers, segment_bytes, index_interval_bytes, max_batch_bytes, "
           "tiered_storage");
    }
  }
}

stream::TieredStorage read_tier(const Json& json, stream::TieredStorage tier) {
  if (!json.is_object()) fail(ErrorKind::kInvalid, "'tiered_storage' is a JSON object");
  const JsonObject known = tier_json({});
  for (const auto& [name, value] : json.get_object()) {
    if (!known.contains(name)) {
      fail(ErrorKind::kInvalid,
           "tiered_storage has no setting '{}'; it has uri, local_retention_ms, "
           "local_retention_bytes, upload_interval_ms",
           std::string(name));
    }
  }
  tier.uri = string_member_or(json, "uri", tier.uri);
  tier.local_retention_ms = integer_member_or(json, "local_retention_ms", tier.local_retention_ms);
  tier.local_retention_bytes =
      integer_member_or(json, "local_retention_bytes", tier.local_retention_bytes);
  tier.upload_interval_ms = integer_member_or(json, "upload_interval_ms", tier.upload_interval_ms);
  return tier;
}

bool boolean_member_or(const Json& body, std::string_view name, bool otherwise) {
  const Json* value = find_member(body, name);
  if (value == nullptr) return otherwise;
  if (!value->is_bool()) fail(ErrorKind::kInvalid, "the member '{}' must be true or false", name);
  return value->get_bool();
}

// What the body says, the rest as in `config`.
stream::TopicConfig read_topic_config(const Json& body, stream::TopicConfig config) {
  const int64_t partitions = integer_member_or(body, "partitions", config.partitions);
  if (partitions < 1 || partitions > 10'000) {
    fail(ErrorKind::kInvalid, "a topic has 1 to 10000 partitions, not {}", partitions);
  }
  config.partitions = static_cast<int>(partitions);
  config.compression =
      compression_of(string_member_or(body, "compression", name_of(config.compression)));
  config.durability =
      durability_of(string_member_or(body, "durability", name_of(config.durability)));
  config.retention_ms = integer_member_or(body, "retention_ms", config.retention_ms);
  config.retention_bytes = integer_member_or(body, "retention_bytes", config.retention_bytes);
  config.retention_ignores_readers =
      boolean_member_or(body, "retention_ignores_readers", config.retention_ignores_readers);
  config.segment_bytes = integer_member_or(body, "segment_bytes", config.segment_bytes);
  config.index_interval_bytes =
      integer_member_or(body, "index_interval_bytes", config.index_interval_bytes);
  config.max_batch_bytes = integer_member_or(body, "max_batch_bytes", config.max_batch_bytes);
  if (const Json* tier = find_member(body, "tiered_storage")) {
    config.tiered_storage = read_tier(*tier, config.tiered_storage);
  }
  return config;
}

}  // namespace

TopicFigures figures_of(const stream::Topic& topic) {
  TopicFigures figures;
  for (int i = 0; i < topic.partition_count(); ++i) {
    const stream::Partition& partition = topic.partition(i);
    figures.records += partition.end_offset() - partition.start_offset();
    figures.bytes += static_cast<int64_t>(partition.size_bytes());
    figures.local_bytes += static_cast<int64_t>(partition.local_bytes());
    if (const auto tier = partition.tier()) {
      figures.remote_bytes += static_cast<int64_t>(tier->remote_bytes);
      if (!tier->problem.empty() && figures.state == kOk) figures.state = "uploads fail";
    }
    if (!partition.refusal().empty()) figures.state = "refuses appends";
  }
  return figures;
}

Json summarize_topic(const stream::Topic& topic) {
  const TopicFigures figures = figures_of(topic);
  return JsonObject{{"name", topic.name()},
                    {"partitions", topic.partition_count()},
                    {"records", figures.records},
                    {"size_bytes", figures.bytes},
                    {"local_bytes", figures.local_bytes},
                    {"remote_bytes", figures.remote_bytes},
                    {"state", figures.state}};
}

namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

JsonObject describe_partition(const stream::Partition& partition, int index) {
  JsonArray readers;
  for (const auto& [name, needed] : partition.readers()) {
    readers.push_back(JsonObject{{"name", name}, {"next_needed", needed}});
  }
  const stream::TierStatus tier = partition.tier().value_or(stream::TierStatus());
  return {{"partition", index},
          {"start_offset", partition.start_offset()},
          {"end_offset", partition.end_offset()},
          {"size_bytes", partition.size_bytes()},
          {"segments", partition.segment_count()},
          {"local_bytes", partition.local_bytes()},
          {"remote_bytes", tier.remote_bytes},
          {"remote_segments", tier.remote_segments},
          {"uploaded_offset", tier.uploaded_offset},
          {"upload_lag_bytes", tier.lag_bytes},
          {"upload_lag_segments", tier.lag_segments},
          {"upload_problem", text_or_null(tier.problem)},
          {"refuses_appends", text_or_null(partition.refusal())},
          {"note", text_or_null(tier.note)},
          {"readers", std::move(readers)}};
}

}  // namespace

Json describe_topic(const stream::Topic& topic) {
  JsonArray partitions;
  for (int i = 0; i < topic.partition_count(); ++i) {
    partitions.push_back(describe_partition(topic.partition(i), i));
  }
  return JsonObject{{"name", topic.name()},
                    {"config", config_json(topic.config())},
                    {"partitions", std::move(partitions)}};
}

NewTopic read_new_topic(const Json& body) {
  refuse_unknown_members(body);
  return {string_member(body, "name"), read_topic_config(body, {})};
}

stream::TopicConfig read_topic_changes(const Json& body, const stream::TopicConfig& before) {
  refuse_unknown_members(body);
  if (find_member(body, "name") != nullptr) fail(ErrorKind::kInvalid, "a topic cannot be renamed");
  return read_topic_config(body, before);
}

namespace {

JsonObject properties_of(const JsonObject& defaults) {
  JsonObject properties;
  for (const auto& [name, value] : defaults) {
    if (value.is_object()) {
      properties[name] =
          JsonObject{{"type", "object"}, {"properties", properties_of(value.get_object())}};
      continue;
    }
    const std::string_view type =
        value.is_string() ? "string" : (value.is_bool() ? "boolean" : "integer");
    properties[name] = JsonObject{{"type", type}, {"default", value}};
  }
  return properties;
}

}  // namespace

JsonObject topic_config_schema() {
  JsonObject properties = properties_of(config_json({}));
  properties["name"] = JsonObject{{"type", "string"}};
  return {{"type", "object"}, {"required", JsonArray{"name"}}, {"properties", properties}};
}

}  // namespace headrace::server
