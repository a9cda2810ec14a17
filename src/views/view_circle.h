#pragma once

// Views that read each other in a circle: none of them could ever be brought up to date.

#include <string>
#include <vector>

#include "lake/table.h"

namespace headrace::views {

struct ViewTables {
  std::string name;
  lake::TableIdentifier table;
  std::vector<lake::TableIdentifier> inputs;
};

// The names on one circle, the first one also at the end; empty: there is none.
std::vector<std::string> find_circle(const std::vector<ViewTables>& views);

// "per_day reads per_hour reads per_day", for a message.
std::string describe_circle(const std::vector<std::string>& circle);

}  // namespace headrace::views
