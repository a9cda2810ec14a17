#pragma once

// The changes of a table that clients of the REST catalog send, and what they require of the table
// (Iceberg REST specification, "TableUpdate", "TableRequirement"): read from JSON once, applied at
// each attempt of the commit. A new kind is a function and a line of the table in the source.
// Errors of reading: invalid, and unsupported for a kind that headrace does not know.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "lake/metadata_builder.h"

namespace headrace::lake {

struct MetadataUpdate {
  std::string action;
  std::function<void(MetadataBuilder&)> apply;
};
MetadataUpdate metadata_update_from_json(const Json& json);

struct Requirement {
  // Throws conflict when it does not hold (already_exists when a table is there that must not be);
  // `current`: nullptr when there is no table. `table` is its name, for the message.
  std::function<void(const std::string& table, const TableMetadata* current)> check;
  bool is_create = false;  // the table must not exist
  // What it says of the main branch, if anything; no snapshot: there is no such branch.
  std::optional<std::optional<SnapshotId>> main_snapshot = {};
};
Requirement requirement_from_json(const Json& json);

// All that one request changes of one table.
struct TableUpdates {
  TableIdentifier identifier = {};
  std::vector<Requirement> requirements = {};
  std::vector<MetadataUpdate> updates = {};
};
// {"requirements": […], "updates": […]}
TableUpdates table_updates_from_json(const TableIdentifier& identifier, const Json& json);

}  // namespace headrace::lake
