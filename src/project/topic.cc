#include "project/topic.h"

#include "base/error.h"
#include "objects/uri.h"
#include "project/names.h"

namespace headrace::stream {

config::Choices<Compression> choices_of(Compression) {
  return {{"none", Compression::kNone},
          {"lz4", Compression::kLz4, "fast"},
          {"zstd", Compression::kZstd, "smaller"}};
}

config::Choices<Durability> choices_of(Durability) {
  return {{"disk", Durability::kDisk, "answered when it is on disk"},
          {"memory", Durability::kMemory,
           "answered when it is written; a power failure may lose the last records"}};
}

}  // namespace headrace::stream

namespace headrace::project {

using config::at_least;
using config::at_most;
using config::Fields;

Fields<TopicRetention> TopicRetention::fields() {
  return Fields<TopicRetention>()
      .optional("time", &TopicRetention::time, "records are dropped at this age, or kept `forever`",
                config::example("7d"))
      .optional("bytes", &TopicRetention::bytes,
                "the oldest records of a partition are dropped above this size; -1 is no bound",
                at_least(config::Bytes{-1}))
      .optional("ignore_readers", &TopicRetention::ignore_readers,
                "drop records even when a job has not read them yet: such records are lost to it");
}

Fields<LocalRetention> LocalRetention::fields() {
  return Fields<LocalRetention>()
      .optional("time", &LocalRetention::time,
                "uploaded segments are dropped locally at this age, or kept `forever`",
                config::example("1d"))
      .optional("bytes", &LocalRetention::bytes,
                "the oldest uploaded segments of a partition are dropped locally above this size; "
                "-1 is no bound",
                at_least(config::Bytes{-1}));
}

namespace {

std::string check_tier_uri(const std::string& uri) {
  try {
    const std::string normal = objects::normalized(uri);
    if (objects::is_s3(normal)) objects::parse_s3(normal);
    return "";
  } catch (const Error& error) {
    return error.message();
  }
}

}  // namespace

Fields<TopicTieredStorage> TopicTieredStorage::fields() {
  return Fields<TopicTieredStorage>()
      .optional("uri", &TopicTieredStorage::uri,
                "where finished segments are uploaded to, `s3://bucket/prefix` or "
                "`file:///folder`; without it all stays on the local disk. It cannot be changed "
                "once segments are there. S3 is set up in headrace.yaml, `storage.s3`",
                config::example("s3://lake/topics"), config::check(check_tier_uri))
      .optional("local_retention", &TopicTieredStorage::local_retention,
                "what stays on the local disk of what is uploaded; `retention` is for both")
      .optional("upload_interval", &TopicTieredStorage::upload_interval,
                "a segment is finished and uploaded this long after its first record, however "
                "small it is: what a lost disk may cost",
                at_least(std::chrono::seconds(1)));
}

Fields<TopicDefinition> TopicDefinition::fields() {
  return Fields<TopicDefinition>()
      .optional("name", &TopicDefinition::name, "the file's name unless given",
                config::example("orders"), config::check(check_topic_name))
      .optional("partitions", &TopicDefinition::partitions,
                "records of one key stay in order within a partition; can grow later, not shrink",
                at_least(1), at_most(1000))
      .optional("compression", &TopicDefinition::compression, "of record batches")
      .optional("durability", &TopicDefinition::durability, "when a sent record is acknowledged")
      .optional("retention", &TopicDefinition::retention, "what is kept")
      .optional("segment_bytes", &TopicDefinition::segment_bytes,
                "size of a file of the log; records are dropped by whole files",
                at_least(config::kibibytes(4)), at_most(config::gibibytes(2)))
      .optional("tiered_storage", &TopicDefinition::tiered_storage,
                "older segments in object storage: docs/tiered-topics.md")
      .check([](const TopicDefinition& topic, const config::Node& node,
                config::Problems& problems) {
        const auto tier = node.find("tiered_storage");
        if (tier && topic.tiered_storage.uri.empty()) {
          problems.add(*tier, "tiered_storage needs a uri", "for example uri: s3://lake/topics");
        }
      });
}

stream::TopicConfig TopicDefinition::to_topic_config() const {
  stream::TopicConfig config;
  config.partitions = partitions;
  config.compression = compression;
  config.durability = durability;
  config.retention_ms = retention.time.forever ? -1 : retention.time.time.count();
  config.retention_bytes = retention.bytes.count;
  config.retention_ignores_readers = retention.ignore_readers;
  config.segment_bytes = segment_bytes.count;
  const LocalRetention& local = tiered_storage.local_retention;
  config.tiered_storage.uri = tiered_storage.uri;
  config.tiered_storage.local_retention_ms = local.time.forever ? -1 : local.time.time.count();
  config.tiered_storage.local_retention_bytes = local.bytes.count;
  config.tiered_storage.upload_interval_ms = tiered_storage.upload_interval.count();
  return config;
}

}  // namespace headrace::project

namespace headrace::config {

bool Value<project::KeepTime>::read(const Node& node, project::KeepTime& into, Problems& problems) {
  if (node.is_scalar() && node.text() == "forever") {
    into.forever = true;
    return true;
  }
  std::chrono::milliseconds time{};
  if (!read_duration(node, time, problems)) return false;
  into = {time, false};
  return true;
}

Json Value<project::KeepTime>::to_json(const project::KeepTime& value) {
  return value.forever ? Json("forever") : Json(to_text(value.time));
}

}  // namespace headrace::config
