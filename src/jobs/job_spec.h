#pragma once

// A job as the project defines it.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "config/node.h"

namespace headrace::jobs {

struct NodeSpec {
  std::string name;
  std::string type;
  config::Node settings;
};

struct JobSpec {
  std::string name;
  bool is_streaming = true;
  int64_t batch_records = 50'000;
  std::chrono::milliseconds batch_wait{50};
  std::vector<NodeSpec> nodes;  // each after its inputs
};

}  // namespace headrace::jobs
