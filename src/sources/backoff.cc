#include "sources/backoff.h"

#include <algorithm>

namespace headrace::sources {

microseconds Backoff::next_delay() {
  const microseconds half = delay_ / 2;
  const microseconds drawn =
      half + microseconds(random_.below(static_cast<uint64_t>(half.count()) + 1));
  delay_ = std::min(delay_ * 2, kLongest);
  return drawn;
}

}  // namespace headrace::sources
