#include "server/topic_json.h"

#include <string_view>
#include <utility>

#include "base/error.h"

namespace headrace::server {
namespace {

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
          {"max_batch_bytes", config.max_batch_bytes}};
}

void refuse_unknown_members(const Json& body) {
  if (!body.is_object()) fail(ErrorKind::kInvalid, "a topic is described by a JSON object");
  const JsonObject known = config_json({});
  for (const auto& [name, value] : body.get_object()) {
    if (name != "name" && !known.contains(name)) {
      fail(ErrorKind::kInvalid, "a topic has no setting '{}'; it has name, {}", std::string(name),
           "partitions, compression, durability, retention_ms, retention_bytes, "
           "retention_ignores_readers, segment_bytes, index_interval_bytes, max_batch_bytes");
    }
  }
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
  return config;
}

}  // namespace

Json summarize_topic(const stream::Topic& topic) {
  int64_t records = 0;
  uint64_t bytes = 0;
  for (int i = 0; i < topic.partition_count(); ++i) {
    const stream::Partition& partition = topic.partition(i);
    records += partition.end_offset() - partition.start_offset();
    bytes += partition.size_bytes();
  }
  return JsonObject{{"name", topic.name()},
                    {"partitions", topic.partition_count()},
                    {"records", records},
                    {"size_bytes", bytes}};
}

Json describe_topic(const stream::Topic& topic) {
  JsonArray partitions;
  for (int i = 0; i < topic.partition_count(); ++i) {
    const stream::Partition& partition = topic.partition(i);
    JsonArray readers;
    for (const auto& [name, needed] : partition.readers()) {
      readers.push_back(JsonObject{{"name", name}, {"next_needed", needed}});
    }
    partitions.push_back(JsonObject{{"partition", i},
                                    {"start_offset", partition.start_offset()},
                                    {"end_offset", partition.end_offset()},
                                    {"size_bytes", partition.size_bytes()},
                                    {"segments", partition.segment_count()},
                                    {"readers", std::move(readers)}});
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

JsonObject topic_config_schema() {
  JsonObject properties{{"name", JsonObject{{"type", "string"}}}};
  for (const auto& [name, value] : config_json({})) {
    const std::string_view type =
        value.is_string() ? "string" : (value.is_bool() ? "boolean" : "integer");
    properties[name] = JsonObject{{"type", type}, {"default", value}};
  }
  return {{"type", "object"}, {"required", JsonArray{"name"}}, {"properties", properties}};
}

}  // namespace headrace::server
