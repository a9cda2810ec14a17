#pragma once

// What changed from one load of a project to the next, so that a running server can take it up.
// Comments and layout of YAML do not count; of SQL they do.

#include <string>
#include <vector>

#include "project/project.h"

namespace headrace::project {

struct Changes {
  std::vector<std::string> added;  // names
  std::vector<std::string> changed;
  std::vector<std::string> removed;

  bool empty() const { return added.empty() && changed.empty() && removed.empty(); }
  bool operator==(const Changes&) const = default;
};

struct Difference {
  Changes topics;
  Changes sources;
  Changes jobs;
  Changes views;
  std::vector<std::string> settings;  // paths of changed settings: server.listen, commit.interval

  bool empty() const;
  // One line for each change: "job orders: changed".
  std::string to_text() const;
};

Difference compare(const Project& before, const Project& after);

}  // namespace headrace::project
