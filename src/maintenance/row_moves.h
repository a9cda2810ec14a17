#pragma once

// Writes the live rows of a merge's files into one new file and remembers where each went.
//
// The order in which the engine gives rows is what tells their new places, so its database must
// keep it. Errors: those of the engine and the file system; corrupt when the files do not hold the
// rows that the table says. One thread.

#include <memory>
#include <vector>

#include "lake/moved_rows.h"
#include "maintenance/merge.h"

namespace headrace::maintenance {

struct RewrittenFiles {
  std::shared_ptr<const lake::MovedRows> moved;
  std::vector<lake::DataFile> added;  // one; none when no row was left
};

RewrittenFiles rewrite_rows(const MergeCollaborators& collaborators, engine::Connection& connection,
                            lake::DeleteReader& deletes, const MergeTask& task,
                            const MergeOrder& order);

}  // namespace headrace::maintenance
