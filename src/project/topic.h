#pragma once

// topics/*.yaml: one topic each.

#include <chrono>
#include <string>

#include "config/fields.h"
#include "stream/log.h"

namespace headrace::stream {

config::Choices<Compression> choices_of(Compression compression);
config::Choices<Durability> choices_of(Durability durability);

}  // namespace headrace::stream

namespace headrace::project {

// How long records are kept: a duration, or `forever`.
struct KeepTime {
  std::chrono::milliseconds time = std::chrono::hours(7 * 24);
  bool forever = false;
};

struct TopicRetention {
  KeepTime time;
  config::Bytes bytes{-1};
  bool ignore_readers = false;

  static config::Fields<TopicRetention> fields();
};

// What stays on the local disk of what is in object storage, too.
struct LocalRetention {
  KeepTime time{std::chrono::hours(24), false};
  config::Bytes bytes{-1};

  static config::Fields<LocalRetention> fields();
};

struct TopicTieredStorage {
  std::string uri;
  LocalRetention local_retention;
  std::chrono::milliseconds upload_interval = std::chrono::minutes(10);

  static config::Fields<TopicTieredStorage> fields();
};

struct TopicDefinition {
  std::string name;  // of the file, unless given
  int partitions = 1;
  stream::Compression compression = stream::Compression::kLz4;
  stream::Durability durability = stream::Durability::kDisk;
  TopicRetention retention;
  config::Bytes segment_bytes = config::mebibytes(256);
  TopicTieredStorage tiered_storage;
  bool declared = true;  // false: only used, to be created with the defaults
  config::Node node;     // the file; of an undeclared topic, where it is named first

  static config::Fields<TopicDefinition> fields();
  stream::TopicConfig to_topic_config() const;
};

}  // namespace headrace::project

namespace headrace::config {

template <>
struct Value<project::KeepTime> {
  static ValueType type() { return {ValueKind::kText, {}, {}, {}}; }
  static bool read(const Node& node, project::KeepTime& into, Problems& problems);
  static Json to_json(const project::KeepTime& value);
};

}  // namespace headrace::config
