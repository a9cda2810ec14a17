#include "stream/producer_table.h"

#include <algorithm>
#include <climits>
#include <vector>

#include "base/error.h"

namespace headrace::stream {

int32_t advance_sequence(int32_t sequence, int32_t by) {
  if (sequence > INT32_MAX - by) return by - (INT32_MAX - sequence) - 1;
  return sequence + by;
}

std::optional<AppendResult> ProducerTable::check(const ProducerStamp& stamp,
                                                 int32_t record_count) const {
  if (stamp.producer_id < 0) return std::nullopt;
  const auto found = producers_.find(stamp.producer_id);
  if (found == producers_.end()) return std::nullopt;
  const Producer& producer = found->second;
  if (stamp.producer_epoch < producer.epoch) {
    fail(ErrorKind::kConflict,
         "appending as producer {}: its epoch {} was fenced by epoch {}; start again with a newer "
         "epoch",
         stamp.producer_id, stamp.producer_epoch, producer.epoch);
  }
  int32_t expected = 0;
  if (stamp.producer_epoch == producer.epoch) {
    const int32_t last = advance_sequence(stamp.base_sequence, record_count - 1);
    for (const BatchNote& note : producer.batches) {
      if (note.first_sequence == stamp.base_sequence && note.last_sequence == last) {
        return AppendResult{note.base_offset, note.last_offset, true};
      }
    }
    expected = advance_sequence(producer.batches.back().last_sequence, 1);
  }
  if (stamp.base_sequence != expected) {
    fail(ErrorKind::kInvalid,
         "appending as producer {} (epoch {}): the batch has sequence {}, expected was {}; a batch "
         "before it is missing, or it was sent long ago",
         stamp.producer_id, stamp.producer_epoch, stamp.base_sequence, expected);
  }
  return std::nullopt;
}

void ProducerTable::note(const ProducerStamp& stamp, int32_t record_count, Offset base_offset) {
  if (stamp.producer_id < 0) return;
  Producer& producer = producers_[stamp.producer_id];
  if (producer.epoch != stamp.producer_epoch) {
    producer.epoch = stamp.producer_epoch;
    producer.batches.clear();
  }
  if (producer.batches.size() == kRememberedBatches) producer.batches.pop_front();
  producer.batches.push_back({stamp.base_sequence,
                              advance_sequence(stamp.base_sequence, record_count - 1), base_offset,
                              base_offset + record_count - 1});
  if (producers_.size() > kMaxProducers) forget_the_quiet();
}

void ProducerTable::forget_the_quiet() {
  std::vector<Offset> last_offsets;
  last_offsets.reserve(producers_.size());
  for (const auto& [id, producer] : producers_) {
    last_offsets.push_back(producer.batches.back().last_offset);
  }
  // A tenth at once, so that this is rare.
  const auto limit = last_offsets.begin() + static_cast<ptrdiff_t>(last_offsets.size() / 10);
  std::nth_element(last_offsets.begin(), limit, last_offsets.end());
  const Offset oldest_kept = *limit;
  std::erase_if(producers_, [&](const auto& entry) {
    return entry.second.batches.back().last_offset < oldest_kept;
  });
}

JsonArray ProducerTable::to_json() const {
  JsonArray all;
  for (const auto& [id, producer] : producers_) {
    JsonArray batches;
    for (const BatchNote& note : producer.batches) {
      batches.push_back(
          JsonArray{note.first_sequence, note.last_sequence, note.base_offset, note.last_offset});
    }
    all.push_back(
        JsonObject{{"id", id}, {"epoch", producer.epoch}, {"batches", std::move(batches)}});
  }
  return all;
}

ProducerTable ProducerTable::from_json(const Json& json) {
  ProducerTable table;
  if (!json.is_array()) fail(ErrorKind::kInvalid, "'producers' is not an array");
  for (const Json& entry : json.get_array()) {
    Producer producer;
    producer.epoch = static_cast<int16_t>(integer_member(entry, "epoch"));
    const Json& batches = member(entry, "batches");
    if (!batches.is_array() || batches.get_array().empty()) {
      fail(ErrorKind::kInvalid, "'batches' of a producer is not a filled array");
    }
    for (const Json& batch : batches.get_array()) {
      const JsonArray* numbers = batch.if_array();
      if (numbers == nullptr || numbers->size() != 4 ||
          !std::all_of(numbers->begin(), numbers->end(),
                       [](const Json& number) { return number.is_int64(); })) {
        fail(ErrorKind::kInvalid, "a batch of a producer is not four integers");
      }
      producer.batches.push_back({static_cast<int32_t>((*numbers)[0].get_int64()),
                                  static_cast<int32_t>((*numbers)[1].get_int64()),
                                  (*numbers)[2].get_int64(), (*numbers)[3].get_int64()});
    }
    table.producers_.insert_or_assign(integer_member(entry, "id"), std::move(producer));
  }
  return table;
}

}  // namespace headrace::stream
