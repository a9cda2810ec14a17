// Kafka's default partitioner, so that a key is found in the same partition when a topic moves
// there: murmur2 with Kafka's seed, as in org.apache.kafka.common.utils.Utils.

#include <cstring>

#include "base/error.h"
#include "stream/log.h"
#include "stream/murmur2.h"

namespace headrace::stream {

uint32_t murmur2(std::string_view key) {
  constexpr uint32_t kSeed = 0x9747b28c;
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  uint32_t hash = kSeed ^ static_cast<uint32_t>(key.size());
  for (; key.size() >= 4; key.remove_prefix(4)) {
    uint32_t word = 0;
    std::memcpy(&word, key.data(), sizeof word);
    word *= kMultiplier;
    word ^= word >> 24;
    word *= kMultiplier;
    hash *= kMultiplier;
    hash ^= word;
  }
  if (!key.empty()) {
    for (size_t i = key.size(); i-- > 0;) {
      hash ^= static_cast<uint32_t>(static_cast<uint8_t>(key[i])) << (8 * i);
    }
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return hash;
}

int partition_for_key(std::string_view key, int partition_count) {
  if (partition_count < 1) {
    fail(ErrorKind::kInvalid, "choosing a partition for a key: there are {} partitions",
         partition_count);
  }
  return static_cast<int>((murmur2(key) & 0x7FFFFFFF) % static_cast<uint32_t>(partition_count));
}

}  // namespace headrace::stream
