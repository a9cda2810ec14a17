#pragma once

// Merges files of a table into one: reads them through the engine, writes the rows anew, and
// commits the exchange as the operation "replace", which readers of changes pass over. The catalog
// re-bases it when the writer commits meanwhile, and the writer's commit when this one was first;
// neither fails.
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

// nullopt: some of the files are gone, another writer has replaced them meanwhile. `order_by`: SQL
// by which the rows of the new file are sorted; empty: as they are.
std::optional<Merged> merge(const MergeCollaborators& collaborators, const MergeTask& task,
                            const std::string& order_by = "");

}  // namespace headrace::maintenance
