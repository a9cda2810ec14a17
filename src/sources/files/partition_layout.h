#pragma once

// Over which partitions a source spreads its records. It is written with each position: a partition
// added later, or a key set later, would send records elsewhere than before, and "this partition
// has everything up to here" would no longer hold.

#include <string>

#include "base/json.h"
#include "sources/files/progress.h"

namespace headrace::sources {

class PartitionLayout {
 public:
  explicit PartitionLayout(const ProgressContext& context);

  // Takes up what a stored position says. Throws invalid when the key option was changed since.
  void take_over(const Json& stored);
  void add_to(JsonObject& position) const;
  void reset();

  // Partitions in use: those that the topic had when the source first ran.
  int partition_count() const { return partition_count_; }
  bool keyed() const { return keyed_; }
  int home_of(const std::string& path) const;

 private:
  const stream::Topic& topic_;
  const std::string source_;
  const bool keyed_;
  int partition_count_;
};

}  // namespace headrace::sources
