#pragma once

// Which segments a topic need not keep any more. Pure. Private to this module.

#include <cstdint>
#include <optional>

#include "stream/log.h"
#include "stream/segment.h"

namespace headrace::stream {

// Whether the oldest segment of a partition that has `total_bytes` may go; `slowest` is where the
// slowest registered reader goes on.
bool may_drop(const Segment& oldest, const TopicConfig& config, int64_t now_ms,
              uint64_t total_bytes, std::optional<Offset> slowest);

// The same of its local copy, when it is in object storage, too.
bool may_drop_local(const Segment& oldest, const TieredStorage& tier, int64_t now_ms,
                    uint64_t local_bytes);

}  // namespace headrace::stream
