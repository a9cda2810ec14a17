#include "stream/retention.h"

namespace headrace::stream {
namespace {

bool is_past(const Segment& oldest, int64_t keep_ms, int64_t keep_bytes, int64_t now_ms,
             uint64_t total_bytes) {
  const bool is_too_old = keep_ms >= 0 && oldest.last_append_ms < now_ms - keep_ms;
  const bool is_too_much =
      keep_bytes >= 0 && total_bytes - oldest.size_bytes >= static_cast<uint64_t>(keep_bytes);
  return is_too_old || is_too_much;
}

}  // namespace

bool may_drop(const Segment& oldest, const TopicConfig& config, int64_t now_ms,
              uint64_t total_bytes, std::optional<Offset> slowest) {
  if (!is_past(oldest, config.retention_ms, config.retention_bytes, now_ms, total_bytes)) {
    return false;
  }
  return config.retention_ignores_readers || !slowest || oldest.end_offset <= *slowest;
}

bool may_drop_local(const Segment& oldest, const TieredStorage& tier, int64_t now_ms,
                    uint64_t local_bytes) {
  return is_past(oldest, tier.local_retention_ms, tier.local_retention_bytes, now_ms, local_bytes);
}

}  // namespace headrace::stream
