#pragma once

// Parts of table metadata from Iceberg's JSON, as they come alone in requests of the REST catalog.
// Errors: invalid, unsupported.

#include <map>
#include <string>

#include "lake/table.h"

namespace headrace::lake {

Snapshot snapshot_from_json(const Json& json, int current_schema_id);
// With what other engines keep in it ("identifier-field-ids", …).
Schema whole_schema_from_json(const Json& json);
// An object of texts; nullptr gives none.
std::map<std::string, std::string> properties_from_json(const Json* json);

}  // namespace headrace::lake
