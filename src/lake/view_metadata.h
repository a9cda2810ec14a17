#pragma once

// Iceberg views: named queries of other engines, kept for them (Iceberg view spec, version 1).
// headrace neither runs nor translates them. Pure functions. Errors: invalid, conflict,
// unsupported.

#include <string>

#include "lake/table.h"

namespace headrace::lake {

struct View {
  TableIdentifier identifier = {};
  std::string metadata_location = {};
  int64_t catalog_version = 0;  // of its entry in the metadata store
  Json metadata = {};
};

// From a "CreateViewRequest".
Json first_view_metadata(const Json& request, const std::string& location, const std::string& uuid,
                         int64_t now_ms);
// From a "CommitViewRequest": {"requirements": […], "updates": […]}.
Json changed_view_metadata(const Json& metadata, const Json& request, int64_t now_ms);

}  // namespace headrace::lake
