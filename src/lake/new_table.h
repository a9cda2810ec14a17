#pragma once

// A table as a client of the REST catalog asks for it. Field ids are the client's own (Spark counts
// from 0): the table gets fresh ones, and what refers to them goes along.

#include <map>
#include <string>

#include "lake/table.h"

namespace headrace::lake {

struct NewTable {
  TableIdentifier identifier = {};
  Schema schema = {};
  PartitionSpec spec = {};
  JsonObject sort_order;  // Iceberg's JSON; empty: not sorted
  std::map<std::string, std::string> properties = {};
  std::string location = {};  // empty: <warehouse>/<database>/<name>
};

// From a "CreateTableRequest". Errors: invalid, unsupported.
NewTable new_table_from_json(const std::string& database, const Json& json);

// Field ids from 1, a level's fields before what is nested in them; partition field ids from 1000.
TableMetadata first_metadata(const NewTable& request, const std::string& location,
                             const std::string& uuid, int64_t now_ms);

}  // namespace headrace::lake
