#pragma once

// Opening a partition's directory: finds its segments, scans what came after the last checkpoint,
// cuts a torn tail, mends indexes. Private to this module.

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "stream/partition_state.h"
#include "stream/segment.h"
#include "stream/segment_index.h"

namespace headrace::stream {

struct RecoveredPartition {
  std::vector<Segment> segments;  // by base offset; the last is the active one; may be empty
  SegmentIndex index;             // of the active segment
  PartitionState state;
  uint64_t checkpoint_bytes = 0;  // of the active segment, that its `.state` covers
};

struct RecoveryOptions {
  int64_t index_interval_bytes = 64 * 1024;
  bool read_only = false;  // cut nothing, write nothing, remove nothing
};

// Error corrupt, naming file and byte; and those of the file system.
RecoveredPartition recover_partition(FileSystem& files, const std::string& directory,
                                     const RecoveryOptions& options);

// Read-only: takes up what was appended to the active segment since. False when there are other
// segments than before, and only recover_partition() will do.
bool extend_partition(FileSystem& files, const std::string& directory,
                      const RecoveryOptions& options, RecoveredPartition& known);

// The state at the end of a finished segment, from its `.state` and the batches after that; where
// there is none, `otherwise` is what it was at the beginning. Checks every batch: corrupt.
PartitionState state_after(FileSystem& files, const std::string& directory, const Segment& segment,
                           const PartitionState& otherwise);

// The index of a finished segment, from its files or, when these are of no use, from the segment.
SegmentIndex load_index(FileSystem& files, const std::string& directory, const Segment& segment,
                        int64_t index_interval_bytes);

}  // namespace headrace::stream
