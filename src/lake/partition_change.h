#pragma once

// New partition specs of a table that has some (Iceberg spec, "Partition Evolution").

#include <string>
#include <vector>

#include "lake/table.h"

namespace headrace::lake {

// Adds the spec unless there is one with the same fields; returns the id of it. Fields with id 0
// get the one that the same field has in another spec, else a new one.
int add_partition_spec(TableMetadata& metadata, PartitionSpec spec);

// Whether new files of the table are divided like that; `partition_by` as in
// parse_partition_field.
bool is_partitioned_by(const TableMetadata& metadata, const std::vector<std::string>& partition_by);

// Divides new files of the table like that.
void set_partitioning(TableMetadata& metadata, const std::vector<std::string>& partition_by);

}  // namespace headrace::lake
