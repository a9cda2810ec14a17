#pragma once

// What a partition must know beyond its records: its producers and the source positions, as of an
// offset. It is rebuilt from the records by recovery, and kept in a sidecar `.state` of a segment,
// so that recovery has to look only at what came after. Private to this module.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/json.h"
#include "stream/batch_header.h"
#include "stream/producer_table.h"

namespace headrace::stream {

struct PartitionState {
  Offset next_offset = 0;
  ProducerTable producers;
  std::map<std::string, std::string> positions;  // source → position

  void apply(const BatchHeader& batch, const std::optional<SourcePosition>& position);
};

// {"next_offset","producers","positions"}
JsonObject to_json(const PartitionState& state);
PartitionState parse_state(const Json& json);  // invalid

// The state at a byte of a segment: everything before that byte is durable and whole.
struct StateCheckpoint {
  Offset segment_base_offset = 0;
  uint64_t segment_bytes = 0;
  int64_t max_timestamp_ms = INT64_MIN;  // of the segment's records so far
  PartitionState state;
};

std::string to_json_text(const StateCheckpoint& checkpoint);
StateCheckpoint parse_checkpoint(std::string_view text);  // invalid

}  // namespace headrace::stream
