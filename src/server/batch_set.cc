#include "server/batch_set.h"

#include <utility>

namespace headrace::server {

BatchSet::BatchSet(stream::Compression compression, stream::ProducerStamp producer,
                   std::optional<size_t> target_bytes)
    : compression_(compression), producer_(producer), target_bytes_(target_bytes) {}

// Few partitions are touched, mostly one: a search is faster than a map.
BatchSet::Open& BatchSet::open_for(int partition) {
  for (Open& open : open_) {
    if (open.partition == partition) return open;
  }
  return open_.emplace_back(partition, stream::BatchBuilder(compression_, producer_));
}

void BatchSet::add(int partition, int64_t timestamp_ms, std::optional<std::string_view> key,
                   std::string_view value) {
  Open& open = open_for(partition);
  open.builder.add(timestamp_ms, key, value);
  if (target_bytes_.has_value() && open.builder.size_bytes() >= *target_bytes_) {
    closed_.push_back({partition, open.builder.encode()});
  }
}

std::vector<PartitionBatch> BatchSet::finish() {
  for (Open& open : open_) {
    if (open.builder.record_count() > 0) closed_.push_back({open.partition, open.builder.encode()});
  }
  open_.clear();
  return std::move(closed_);
}

}  // namespace headrace::server
