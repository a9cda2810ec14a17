#pragma once

// Makes the delete files of a table fewer: those without a row to delete go; those of one data file
// become one; those of several data files become one for each. No row of the table changes.
//
// Errors and threads: as in merge.h.

#include <optional>

#include "maintenance/merge.h"
#include "maintenance/planner.h"

namespace headrace::maintenance {

struct FoldedDeletes {
  lake::TablePtr table;      // after it
  int64_t files_before = 0;  // that went
  int64_t files_after = 0;   // in their place
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
};

// nullopt: others were always quicker, or there is nothing left to do.
std::optional<FoldedDeletes> fold_deletes(const MergeCollaborators& collaborators,
                                          const DeletesTask& task);

}  // namespace headrace::maintenance
