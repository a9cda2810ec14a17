#pragma once

// Rows that a commit deletes by position, as the delete files of the table's format version: of
// version 2 position delete files, which are added to those that are there until there are many; of
// version 3 deletion vectors, one for each data file, which take the place of what was there.

#include <vector>

#include "engine/database.h"
#include "lake/row_positions.h"
#include "lake/table.h"

namespace headrace::lake {

// Rows of one data file.
struct DeletedRows {
  DataFile file;       // with the deletes that it has
  RowPositions fresh;  // that the commit deletes: at least one
  RowPositions all;    // with those that were deleted before
};

// What the commit adds and removes for it.
struct DeleteFiles {
  std::vector<DataFile> added;
  std::vector<DataFile> removed;
};

// Like data files, what is added is synced but belongs to no snapshot until a commit adds it.
// Nothing stays when it fails.
DeleteFiles delete_rows(engine::Connection& connection, Catalog& catalog, FileSystem& files,
                        Random& random, const Table& table,
                        const std::vector<DeletedRows>& deleted);

}  // namespace headrace::lake
