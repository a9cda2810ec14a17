#pragma once

// Merges files of a table into one: reads them through the engine, writes the rows anew, and
// commits the exchange as the operation "replace", which readers of changes pass over. When the
// writer commits meanwhile the exchange is tried again on top of that, and the catalog re-bases the
// writer's commit when this one was first; neither fails. Rows that somebody deletes meanwhile must
// not come back: each attempt makes sure that the files are as they were, and is good for exactly
// the snapshot that it has looked at.
//
// The engine's memory and threads bound the work; use a database of its own for it.
// Errors: those of the engine, the file system and the catalog. Files that no commit took are
// removed, unless the outcome is unknown. One thread.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/database.h"
#include "maintenance/planner.h"

namespace headrace::maintenance {

struct Merged {
  lake::TablePtr table;  // after it
  std::vector<lake::DataFile> added;
  int64_t bytes = 0;  // of `added`
};

struct MergeCollaborators {
  engine::Connection& connection;
  lake::Catalog& catalog;
  FileSystem& files;
  Random& random;
};

// nullopt: another writer has replaced some of the files or deleted rows in them meanwhile, or was
// always quicker. `order_by`: SQL
// by which the rows of the new file are sorted; empty: as they are.
std::optional<Merged> merge(const MergeCollaborators& collaborators, const MergeTask& task,
                            const std::string& order_by = "");

}  // namespace headrace::maintenance
