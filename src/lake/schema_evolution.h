#pragma once

// How a table's columns follow those of the rows that are to be written to it.

#include <map>
#include <string>
#include <vector>

#include "lake/table.h"

namespace headrace::lake {

struct SchemaEvolution {
  Schema table;             // the table's columns from now on; new ones have their ids
  bool is_changed = false;  // against the table's current schema
  // The columns that the rows fill, in the order in which they were given, with the table's ids
  // and types.
  Schema written;
  std::vector<std::string> misfits;  // of each column that cannot be written, why not
};

// `current`: the table's columns, also such that are not committed yet. `given`: the rows' columns.
// They are found by name, or, when somebody gave a column another name, by one that it had. New
// ones are added at the end, types are widened as far as the format allows, and columns that are
// not given stay as they are, and empty in these rows. Members of structs likewise.
SchemaEvolution evolve(const TableMetadata& metadata, const Schema& current,
                       const std::vector<Field>& given);

// The table as it would be with these columns.
TablePtr with_schema(const TablePtr& table, const Schema& schema);

// The table property that remembers former names of columns: {"old name": field id}.
inline constexpr const char* kRenamedProperty = "headrace.renamed-columns";
std::map<std::string, int> renamed_columns(const TableMetadata& metadata);

}  // namespace headrace::lake
