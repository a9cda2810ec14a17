#pragma once

// How much a test does: a seed that repeats a run, steps that make it longer, and less under a
// sanitizer.

#include <cstdint>
#include <cstdlib>
#include <string>

namespace headrace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

// The step of a fault loop. Sanitizers look at memory and at threads, which is much the same at
// neighbouring operations, and take ten times as long.
inline constexpr int kFaultStep = kIsSanitized ? 5 : 1;

// Of the variable, or `otherwise` where it is not set; throws std::invalid_argument when it is no
// number.
inline int64_t number_from_environment(const char* variable, int64_t otherwise) {
  const char* given = std::getenv(variable);
  return given == nullptr ? otherwise : std::stoll(given);
}

}  // namespace headrace
