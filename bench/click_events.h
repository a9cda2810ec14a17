#pragma once

// A stream of clicks over three days, almost in order of time, of which a share is broken in one of
// four ways: cut short, with a time that is none, of a negative user, of a negative latency. The
// same arguments give the same bytes.

#include <cstdint>
#include <string>
#include <vector>

#include "mersenne_twister.h"

namespace headrace::bench {

class ClickEvents {
 public:
  // `count` events are spread over the three days; `broken_share` of them are broken.
  ClickEvents(int64_t count, double broken_share);

  // Appends the next event as one line of JSON with its line feed.
  void append_next(std::string& lines);

 private:
  int64_t second_of(int64_t index);

  MersenneTwister random_{20240601};
  int64_t count_;
  double broken_share_;
  int64_t index_ = 0;
  int64_t broken_ = 0;
  std::vector<const char*> countries_;
  std::vector<std::string> paths_;
  std::vector<int> statuses_;
};

}  // namespace headrace::bench
