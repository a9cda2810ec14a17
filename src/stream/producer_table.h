#pragma once

// What a partition knows of its idempotent producers: the epoch and the last five batches of each,
// as Kafka keeps them. It decides whether a batch is new, a repetition, or out of order.
//
// At most kMaxProducers are kept; those that were quiet longest are forgotten first, and may then
// start anywhere, as in Kafka. Not thread-safe. Private to this module.

#include <deque>
#include <optional>
#include <unordered_map>

#include "base/json.h"
#include "stream/log.h"

namespace headrace::stream {

// Sequences count records and start again at 0 after INT32_MAX.
int32_t advance_sequence(int32_t sequence, int32_t by);

class ProducerTable {
 public:
  static constexpr size_t kMaxProducers = 10'000;
  static constexpr size_t kRememberedBatches = 5;

  // The offsets of then when the batch is a repetition; nullopt when it is new. invalid for a gap,
  // naming the sequence expected; conflict for an epoch that a newer one has fenced.
  std::optional<AppendResult> check(const ProducerStamp& stamp, int32_t record_count) const;
  // Notes a batch that was appended (no check is made: recovery repeats what was accepted).
  void note(const ProducerStamp& stamp, int32_t record_count, Offset base_offset);

  size_t size() const { return producers_.size(); }
  JsonArray to_json() const;
  static ProducerTable from_json(const Json& json);  // invalid

 private:
  struct BatchNote {
    int32_t first_sequence;
    int32_t last_sequence;
    Offset base_offset;
    Offset last_offset;
  };
  struct Producer {
    int16_t epoch = -1;
    std::deque<BatchNote> batches;  // oldest first, never empty
  };

  void forget_the_quiet();

  std::unordered_map<int64_t, Producer> producers_;
};

}  // namespace headrace::stream
