#pragma once

// Randomness behind an interface, so that one seed repeats a run. Thread-safe.

#include <cstdint>
#include <mutex>
#include <random>
#include <string>

namespace headrace {

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;
  // A number in [0, bound).
  uint64_t below(uint64_t bound) { return next() % bound; }
};

// Random version-4 UUID in its 36-character form (RFC 9562).
std::string make_uuid(Random& random);

// Seeded from the operating system unless a seed is given.
class SeededRandom final : public Random {
 public:
  SeededRandom();
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}
  uint64_t next() override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace headrace
