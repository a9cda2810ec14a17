#pragma once

// Which changes of a table's columns keep its files readable (Iceberg spec, "Schema Evolution").

#include "lake/table.h"

namespace headrace::lake {

// `wanted` as the table's next schema: new columns (id 0) get ids after last_column_id. Error
// invalid for a change that would make old files unreadable.
Schema changed_schema(const TableMetadata& metadata, const Schema& wanted);

// Checks a schema that another engine made: files written with `before` must read right with
// `after`. invalid, or unsupported for what only headrace cannot read.
void check_still_readable(const Schema& before, const Schema& after);

// The engine reads a struct of an old file only when the struct has one of its members still:
// unsupported otherwise.
void check_members(const TableMetadata& metadata, const Schema& schema);

}  // namespace headrace::lake
