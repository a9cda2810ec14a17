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

JsonObject to_json(const PartitionState& state) {
  JsonObject positions;
  for (const auto& [source, position] : state.positions) positions[source] = position;
  return {{"next_offset", state.next_offset},
          {"producers", state.producers.to_json()},
          {"positions", std::move(positions)}};
}

PartitionState parse_state(const Json& json) {
  PartitionState state;
  state.next_offset = integer_member(json, "next_offset");
  if (state.next_offset < 0) fail(ErrorKind::kInvalid, "'next_offset' is negative");
  state.producers = ProducerTable::from_json(member(json, "producers"));
  const Json& positions = member(json, "positions");
  if (!positions.is_object()) fail(ErrorKind::kInvalid, "'positions' is not an object");
  for (const auto& [source, position] : positions.get_object()) {
    if (!position.is_string()) fail(ErrorKind::kInvalid, "a source position is not a string");
    state.positions[std::string(source)] = std::string(position.get_string());
  }
  return state;
}

std::string to_json_text(const StateCheckpoint& checkpoint) {
  JsonObject json{{"version", kFormatVersion},
                  {"segment", checkpoint.segment_base_offset},
                  {"bytes", checkpoint.segment_bytes},
                  {"max_timestamp_ms", checkpoint.max_timestamp_ms}};
  for (auto& [name, value] : to_json(checkpoint.state)) json[name] = std::move(value);
  return to_text(json) + "\n";
}

StateCheckpoint parse_checkpoint(std::string_view text) {
  const Json json = parse_json(text, "the state of a segment");
  if (integer_member(json, "version") != kFormatVersion) {
    fail(ErrorKind::kInvalid, "the state of a segment has an unknown version");
  }
  StateCheckpoint checkpoint;
  checkpoint.segment_base_offset = integer_member(json, "segment");
  const int64_t bytes = integer_member(json, "bytes");
  checkpoint.state = parse_state(json);
  if (bytes < 0 || checkpoint.state.next_offset < checkpoint.segment_base_offset) {
    fail(ErrorKind::kInvalid, "the state of a segment contradicts itself");
  }
  checkpoint.segment_bytes = static_cast<uint64_t>(bytes);
  checkpoint.max_timestamp_ms = integer_member(json, "max_timestamp_ms");
  return checkpoint;
}

}  // namespace headrace::stream
