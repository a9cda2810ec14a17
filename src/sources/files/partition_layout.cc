#include "sources/files/partition_layout.h"

#include "base/error.h"
#include "sources/stable_hash.h"

namespace headrace::sources {

PartitionLayout::PartitionLayout(const ProgressContext& context)
    : topic_(context.topic),
      source_(context.source),
      keyed_(context.keyed),
      partition_count_(context.topic.partition_count()) {}

void PartitionLayout::reset() { partition_count_ = topic_.partition_count(); }

void PartitionLayout::take_over(const Json& stored) {
  const bool was_keyed = member(stored, "keyed").as_bool();
  if (was_keyed != keyed_) {
    fail(ErrorKind::kInvalid,
         "source {} has filled topic {} {} a key before and cannot go on {}: its positions would "
         "not fit. Set the key as it was, or give the source a new name to read everything again",
         source_, topic_.name(), was_keyed ? "with" : "without", keyed_ ? "with one" : "without");
  }
  partition_count_ = static_cast<int>(integer_member(stored, "partitions"));
  if (partition_count_ < 1 || partition_count_ > topic_.partition_count()) {
    fail(ErrorKind::kCorrupt, "source {}: its position in topic {} speaks of {} partitions of {}",
         source_, topic_.name(), partition_count_, topic_.partition_count());
  }
}

void PartitionLayout::add_to(JsonObject& position) const {
  position["partitions"] = partition_count_;
  position["keyed"] = keyed_;
}

int PartitionLayout::home_of(const std::string& path) const {
  return static_cast<int>(stable_hash(path) % static_cast<uint64_t>(partition_count_));
}

}  // namespace headrace::sources
