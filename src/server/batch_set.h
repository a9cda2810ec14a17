#pragma once

// The batches that the records of one request become: for each partition touched one, or several
// when it would grow too large. Not thread-safe.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "stream/record_batch.h"

namespace headrace::server {

struct PartitionBatch {
  int partition;
  stream::EncodedBatch batch;
};

class BatchSet {
 public:
  // `target_bytes`: a batch that has reached it is closed (nullopt: never).
  BatchSet(stream::Compression compression, stream::ProducerStamp producer,
           std::optional<size_t> target_bytes);

  void add(int partition, int64_t timestamp_ms, std::optional<std::string_view> key,
           std::string_view value);
  // In the order of the records within each partition.
  std::vector<PartitionBatch> finish();

 private:
  struct Open {
    Open(int of_partition, stream::BatchBuilder with) : partition(of_partition), builder(with) {}
    int partition;
    stream::BatchBuilder builder;
  };
  Open& open_for(int partition);

  const stream::Compression compression_;
  const stream::ProducerStamp producer_;
  const std::optional<size_t> target_bytes_;
  std::vector<Open> open_;
  std::vector<PartitionBatch> closed_;
};

}  // namespace headrace::server
