#include "base/random.h"

#include "base/format.h"

namespace headrace {

std::string make_uuid(Random& random) {
  const uint64_t high = (random.next() & ~0xF000ull) | 0x4000ull;       // version 4
  const uint64_t low = (random.next() & ~(3ull << 62)) | (2ull << 62);  // variant 10
  return format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                high & 0xFFFF, low >> 48, low & 0xFFFFFFFFFFFFull);
}

SeededRandom::SeededRandom() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device()};
  engine_.seed(seed);
}

uint64_t SeededRandom::next() {
  std::lock_guard lock(mutex_);
  return engine_();
}

}  // namespace headrace
