#pragma once

// Merges files of a table into one, without the rows that are deleted: reads them through the
// engine, writes the rows anew, and commits the exchange as the operation "replace", which readers
// of changes pass over. The writer goes on meanwhile; when it commits, the exchange is tried again
// on top of that. What it deleted from the files since they were read is deleted from the new one,
// too: the same commit brings a delete file for it. A job of this process that changes the table by
// key is told where its rows are now (LiveTables::exchange_files), and does not even notice.
//
// The engine's memory and threads bound the work; use a database of its own for it, which keeps the
// order of rows. Errors: those of the engine, the file system and the catalog. Files that no commit
// took are removed, unless the outcome is unknown. One thread.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "engine/database.h"
#include "lake/delete_reader.h"
#include "maintenance/planner.h"
#include "tables/live_tables.h"

namespace headrace::maintenance {

struct MergeCollaborators {
  engine::Database& database;
  lake::Catalog& catalog;
  FileSystem& files;
  Random& random;
  tables::LiveTables* tables = nullptr;  // whose jobs may be changing the table; may be null
  // For a commit of such a job that is under way: one that takes longer has other troubles.
  milliseconds patience{60'000};
};

// By what the rows of a new file are sorted. Empty: as they are.
struct MergeOrder {
  std::string sql;
  std::optional<int> id;  // of the table's sort order, when it is one
};

struct Merged {
  lake::TablePtr table;               // after it
  std::vector<lake::DataFile> added;  // data files
  int64_t bytes = 0;                  // of `added`
};

// nullopt: somebody else has replaced some of the files meanwhile, or has deleted rows in a way
// that cannot be carried over, or was always quicker.
std::optional<Merged> merge(const MergeCollaborators& collaborators, const MergeTask& task,
                            const MergeOrder& order = {});

}  // namespace headrace::maintenance
