#include "stream/partition_state.h"

#include "base/error.h"

namespace headrace::stream {
namespace {

constexpr int64_t kFormatVersion = 1;

}  // namespace

void PartitionState::apply(const BatchHeader& batch,
                           const std::optional<SourcePosition>& position) {
  producers.note(batch.producer, batch.record_count, batch.base_offset);
  if (position) positions[position->source] = position->position;
  next_offset = batch.next_offset();
}

std::string to_json_text(const StateCheckpoint& checkpoint) {
  JsonObject positions;
  for (const auto& [source, position] : checkpoint.state.positions) positions[source] = position;
  return to_text(JsonObject{{"version", kFormatVersion},
                            {"segment", checkpoint.segment_base_offset},
                            {"bytes", checkpoint.segment_bytes},
                            {"next_offset", checkpoint.state.next_offset},
                            {"max_timestamp_ms", checkpoint.max_timestamp_ms},
                            {"producers", checkpoint.state.producers.to_json()},
                            {"positions", std::move(positions)}}) +
         "\n";
}

StateCheckpoint parse_checkpoint(std::string_view text) {
  const Json json = parse_json(text, "the state of a segment");
  if (integer_member(json, "version") != kFormatVersion) {
    fail(ErrorKind::kInvalid, "the state of a segment has an unknown version");
  }
  StateCheckpoint checkpoint;
  checkpoint.segment_base_offset = integer_member(json, "segment");
  const int64_t bytes = integer_member(json, "bytes");
  checkpoint.state.next_offset = integer_member(json, "next_offset");
  if (bytes < 0 || checkpoint.state.next_offset < checkpoint.segment_base_offset) {
    fail(ErrorKind::kInvalid, "the state of a segment contradicts itself");
  }
  checkpoint.segment_bytes = static_cast<uint64_t>(bytes);
  checkpoint.max_timestamp_ms = integer_member(json, "max_timestamp_ms");
  checkpoint.state.producers = ProducerTable::from_json(member(json, "producers"));
  const Json& positions = member(json, "positions");
  if (!positions.is_object()) fail(ErrorKind::kInvalid, "'positions' is not an object");
  for (const auto& [source, position] : positions.get_object()) {
    if (!position.is_string()) fail(ErrorKind::kInvalid, "a source position is not a string");
    checkpoint.state.positions[std::string(source)] = std::string(position.get_string());
  }
  return checkpoint;
}

}  // namespace headrace::stream
