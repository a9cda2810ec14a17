#include "stream/topic_settings.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "objects/uri.h"

namespace headrace::stream {
namespace {

constexpr size_t kMaxTopicNameLength = 249;
constexpr int kMaxPartitions = 10'000;

struct CompressionName {
  Compression compression;
  std::string_view name;
};
constexpr CompressionName kCompressionNames[] = {
    {Compression::kNone, "none"}, {Compression::kLz4, "lz4"}, {Compression::kZstd, "zstd"}};

std::string_view name_of(Compression compression) {
  for (const CompressionName& entry : kCompressionNames) {
    if (entry.compression == compression) return entry.name;
  }
  fail(ErrorKind::kInvalid, "topic setting compression: {} is not known",
       static_cast<int>(compression));
}

Compression compression_of(std::string_view name) {
  for (const CompressionName& entry : kCompressionNames) {
    if (entry.name == name) return entry.compression;
  }
  fail(ErrorKind::kInvalid, "topic setting compression: '{}' is not known", name);
}

void check_range(std::string_view setting, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return;
  fail(ErrorKind::kInvalid, "topic setting {}: {} is outside {} to {}", setting, value, least,
       most);
}

}  // namespace

void check_topic_config(const TopicConfig& config) {
  check_range("partitions", config.partitions, 1, kMaxPartitions);
  name_of(config.compression);
  check_range("retention_ms", config.retention_ms, -1, INT64_MAX);
  check_range("retention_bytes", config.retention_bytes, -1, INT64_MAX);
  check_range("segment_bytes", config.segment_bytes, 1, INT64_MAX);
  check_range("index_interval_bytes", config.index_interval_bytes, 1, INT64_MAX);
  check_range("max_batch_bytes", config.max_batch_bytes, 1, INT32_MAX);
  const TieredStorage& tier = config.tiered_storage;
  check_range("tiered_storage.local_retention_ms", tier.local_retention_ms, -1, INT64_MAX);
  check_range("tiered_storage.local_retention_bytes", tier.local_retention_bytes, -1, INT64_MAX);
  check_range("tiered_storage.upload_interval_ms", tier.upload_interval_ms, 1, INT64_MAX);
  if (tier.uri.empty()) return;
  try {
    if (objects::is_s3(objects::normalized(tier.uri))) objects::parse_s3(tier.uri);
  } catch (const Error& error) {
    throw error.with_context("topic setting tiered_storage.uri");
  }
}

void check_topic_name(const std::string& name) {
  const bool is_valid = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  if (name.empty() || name.size() > kMaxTopicNameLength || !is_valid || name == "." ||
      name == "..") {
    fail(ErrorKind::kInvalid,
         "'{}' is not a topic name: 1 to {} letters, digits, '.', '_' and '-' are", name,
         kMaxTopicNameLength);
  }
}

std::string to_json_text(const TopicConfig& config) {
  JsonObject json{{"version", 1},
                  {"partitions", config.partitions},
                  {"compression", name_of(config.compression)},
                  {"durability", config.durability == Durability::kDisk ? "disk" : "memory"},
                  {"retention_ms", config.retention_ms},
                  {"retention_bytes", config.retention_bytes},
                  {"retention_ignores_readers", config.retention_ignores_readers},
                  {"segment_bytes", config.segment_bytes},
                  {"index_interval_bytes", config.index_interval_bytes},
                  {"max_batch_bytes", config.max_batch_bytes}};
  const TieredStorage& tier = config.tiered_storage;
  if (!tier.uri.empty()) {
    json["tiered_storage"] = JsonObject{{"uri", tier.uri},
                                        {"local_retention_ms", tier.local_retention_ms},
                                        {"local_retention_bytes", tier.local_retention_bytes},
                                        {"upload_interval_ms", tier.upload_interval_ms}};
  }
  return to_pretty_text(json);
}

TopicConfig parse_topic_config(std::string_view text) {
  const Json json = parse_json(text, "topic.json");
  if (integer_member(json, "version") != 1) {
    fail(ErrorKind::kInvalid, "topic.json has an unknown version");
  }
  TopicConfig config;
  config.partitions = static_cast<int>(
      std::clamp<int64_t>(integer_member(json, "partitions"), 0, kMaxPartitions + 1));
  config.compression = compression_of(string_member(json, "compression"));
  config.durability =
      string_member(json, "durability") == "memory" ? Durability::kMemory : Durability::kDisk;
  config.retention_ms = integer_member(json, "retention_ms");
  config.retention_bytes = integer_member(json, "retention_bytes");
  const Json& ignores = member(json, "retention_ignores_readers");
  config.retention_ignores_readers = ignores.is_bool() && ignores.get_bool();
  config.segment_bytes = integer_member(json, "segment_bytes");
  config.index_interval_bytes = integer_member(json, "index_interval_bytes");
  config.max_batch_bytes = integer_member(json, "max_batch_bytes");
  if (const Json* tier = find_member(json, "tiered_storage")) {
    config.tiered_storage.uri = string_member(*tier, "uri");
    config.tiered_storage.local_retention_ms = integer_member(*tier, "local_retention_ms");
    config.tiered_storage.local_retention_bytes = integer_member(*tier, "local_retention_bytes");
    config.tiered_storage.upload_interval_ms = integer_member(*tier, "upload_interval_ms");
  }
  check_topic_config(config);
  return config;
}

}  // namespace headrace::stream
