#pragma once

// MT19937 seeded by an array of one word, and the draws of Python's `random.Random`: the click
// events were first defined by a Python program and are to stay the same to the byte.

#include <array>
#include <cstddef>
#include <cstdint>

namespace headrace::bench {

class MersenneTwister {
 public:
  explicit MersenneTwister(uint32_t key) {
    seed(19650218U);
    uint32_t i = 1;
    for (uint32_t k = kWords; k > 0; --k) {
      state_[i] = (state_[i] ^ (mixed(i) * 1664525U)) + key;
      advance(i);
    }
    for (uint32_t k = kWords - 1; k > 0; --k) {
      state_[i] = (state_[i] ^ (mixed(i) * 1566083941U)) - i;
      advance(i);
    }
    state_[0] = 0x80000000U;
  }

  uint32_t bits32() {
    if (position_ == kWords) {
      refill();
    }
    uint32_t word = state_[position_++];
    word ^= word >> 11U;
    word ^= (word << 7U) & 0x9d2c5680U;
    word ^= (word << 15U) & 0xefc60000U;
    return word ^ (word >> 18U);
  }

  // The low word is drawn first.
  uint64_t bits64() {
    const uint64_t low = bits32();
    return (static_cast<uint64_t>(bits32()) << 32U) | low;
  }

  // In [0, 1), of 53 bits.
  double fraction() {
    const uint32_t high = bits32() >> 5U;
    const uint32_t low = bits32() >> 6U;
    return (high * 67108864.0 + low) / 9007199254740992.0;
  }

 private:
  static constexpr uint32_t kWords = 624;
  static constexpr uint32_t kMiddle = 397;

  void seed(uint32_t value) {
    state_[0] = value;
    for (uint32_t i = 1; i < kWords; ++i) {
      state_[i] = 1812433253U * (state_[i - 1] ^ (state_[i - 1] >> 30U)) + i;
    }
  }

  uint32_t mixed(uint32_t i) const { return state_[i - 1] ^ (state_[i - 1] >> 30U); }

  void advance(uint32_t& i) {
    if (++i == kWords) {
      state_[0] = state_[kWords - 1];
      i = 1;
    }
  }

  void refill() {
    for (uint32_t i = 0; i < kWords; ++i) {
      const uint32_t joined = (state_[i] & 0x80000000U) | (state_[(i + 1) % kWords] & 0x7fffffffU);
      const uint32_t twist = (joined & 1U) != 0 ? 0x9908b0dfU : 0U;
      state_[i] = state_[(i + kMiddle) % kWords] ^ (joined >> 1U) ^ twist;
    }
    position_ = 0;
  }

  std::array<uint32_t, kWords> state_{};
  uint32_t position_ = kWords;
};

}  // namespace headrace::bench
