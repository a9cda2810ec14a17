#pragma once

// What was changed of a table's columns and partitioning, told by the metadata before and after.

#include <string>
#include <vector>

#include "lake/table.h"

namespace headrace::lake {

// One entry for each column, member of a struct (as "address.city") or partitioning that differs.
std::vector<SchemaDifference> schema_differences(const TableMetadata& before,
                                                 const TableMetadata& after);

// Where they are kept: the key is "<database>.<table>/<version of the table's pointer>", the value
// {"changed_at_ms", "cause", "changes": [{"change", "column", "before", "after"}, …]}.
inline constexpr const char* kSchemaChangesSpace = "schema_changes";
// Adds to the transaction that moves the pointer what is to be told of the move, if anything is.
void log_schema_change(const Table& before, const Table& after, const std::string& cause,
                       std::vector<store::Change>& transaction);
std::vector<SchemaChange> schema_changes_from_text(const TableIdentifier& table,
                                                   const std::string& text);

}  // namespace headrace::lake
