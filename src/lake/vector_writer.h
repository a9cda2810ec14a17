#pragma once

// Deletion vectors on their way into a table of format version 3: all of one commit lie in one
// Puffin file.

#include <vector>

#include "lake/row_positions.h"
#include "lake/table.h"

namespace headrace::lake {

// All rows that are deleted of a data file: at least one.
struct FileDeletes {
  const DataFile* data_file = nullptr;
  const RowPositions* positions = nullptr;
};

// One deletion vector for each, in the same order; with none, no file. Like data files they are
// synced but belong to no snapshot until a commit adds them.
std::vector<DataFile> write_deletion_vectors(Catalog& catalog, FileSystem& files, Random& random,
                                             const Table& table,
                                             const std::vector<FileDeletes>& deletes);

}  // namespace headrace::lake
