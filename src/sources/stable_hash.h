#pragma once

// A hash that is the same in every process and version, for what is kept: FNV-1a, 64 bits.

#include <cstdint>
#include <string_view>

namespace headrace::sources {

inline uint64_t stable_hash(std::string_view text) {
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ULL;
  }
  return hash;
}

}  // namespace headrace::sources
