#pragma once

// Which delete files apply to which data files (spec, "Scan Planning"). Pure.

#include <vector>

#include "lake/table.h"

namespace headrace::lake {

// Gives each of `data_files` the `deletes` that apply to it, oldest first, and those that have
// position deletes a set of their own. `table` tells which specs are unpartitioned. corrupt when a
// data file has two deletion vectors.
void assign_deletes(const Table& table, std::vector<DataFile>& data_files,
                    const std::vector<DataFile>& deletes);

}  // namespace headrace::lake
