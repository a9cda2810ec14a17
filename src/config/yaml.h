#pragma once

// Reads one YAML 1.2 document into a Document. What foreign bytes can cost is bounded: size, depth,
// number of nodes (aliases count what they repeat).
//
// Anchors, aliases and merge keys (<<) work. Refused with a problem: duplicate keys, keys that are
// not plain text, more than one document, an alias inside its own anchor, unset variables.

#include <string>
#include <string_view>

#include "config/environment.h"
#include "config/node.h"
#include "config/problem.h"

namespace headrace::config {

struct YamlLimits {
  size_t max_bytes = 4 * 1024 * 1024;
  size_t max_depth = 64;
  size_t max_nodes = 100'000;
};

// Adds what is wrong to `problems`. A document that could not be read has a kBroken root; a
// value with an unset variable is kBroken.
Document parse_yaml(std::string_view text, const std::string& file, Problems& problems,
                    const Environment& environment = process_environment(),
                    const YamlLimits& limits = {});

}  // namespace headrace::config
