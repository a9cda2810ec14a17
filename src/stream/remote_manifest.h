#pragma once

// What of a partition is in object storage: the segments, in order, and the partition's state after
// the last of them. One object for each partition, replaced on condition; a copy lies in the
// partition's directory. Bytes: docs/formats/remote_topic.md. Pure values. Private to this module.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stream/partition_state.h"
#include "stream/segment.h"

namespace headrace::stream {

struct RemoteSegment {
  Segment segment;
  std::string name;          // its objects are <folder>/<name>.log and <name>.index
  uint64_t index_bytes = 0;  // 0: it is too short for an index
  uint32_t index_checksum = 0;
};

struct RemoteManifest {
  std::string topic;
  int partition = 0;
  std::string writer;                   // the log directory that the records come from
  std::string previous_writer;          // the one that it took over from; empty: none
  std::string session;                  // the process that wrote this
  int64_t generation = 0;               // how often it was written
  std::vector<RemoteSegment> segments;  // ascending; between them only offsets may be missing
  // At the end of the last segment there ever was; `next_offset` stays when segments go.
  PartitionState state;

  Offset next_offset() const { return state.next_offset; }
  uint64_t size_bytes() const;
};

std::string encode_remote_manifest(const RemoteManifest& manifest);
// corrupt for anything that encode_remote_manifest() does not write, unsupported for a later
// version.
RemoteManifest parse_remote_manifest(std::string_view text);

}  // namespace headrace::stream
