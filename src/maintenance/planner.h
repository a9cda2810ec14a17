#pragma once

// Which files of a table are worth writing anew. Pure: it looks at lists of files only.
//
// Files are merged within a partition, smallest first, up to the target size. Rewriting costs as
// much as its bytes; what it gains is that every later query opens fewer files. Two rules weigh
// that: a merge must take in at least `min_files`, and a file joins only if it is not larger than
// all smaller ones together or twice the smallest. So each merge at least doubles the file that a
// row lies in, and a row is rewritten log2(target / first size) times at most. A file is as large
// as its live rows are.
//
// A large file is written anew when the rows that are deleted in it are `max_dead_percent` of all:
// so what is written anew is a few times what was changed, and a query reads that much more at
// most. Deletes by value, which only other engines write and which every query pays for, are reason
// enough.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lake/table.h"

namespace headrace::maintenance {

struct PlannerOptions {
  int64_t target_file_bytes = 128 * 1024 * 1024;
  int min_files = 8;  // of one merge
  int max_dead_percent = 20;
  // Merge whatever is smaller than the target, whatever it costs: for somebody who asks for it.
  bool eager = false;
};

struct MergeTask {
  lake::TablePtr table;
  std::vector<lake::DataFile> files;  // of one partition, in the order in which they were added
  int64_t bytes = 0;
  int64_t rows = 0;
  double gain = 0;  // files saved for each MiB rewritten
};

// The greatest gain first. Files of older partition specs are left alone.
std::vector<MergeTask> plan_merges(const lake::TablePtr& table,
                                   const std::vector<lake::DataFile>& files,
                                   const PlannerOptions& options);

// Delete files that can be fewer: those without a row to delete go, and those of one data file
// become one.
struct DeletesTask {
  lake::TablePtr table;
  std::vector<std::string> data_files;  // paths; their position deletes are written as one file
  int64_t saved = 0;                    // delete files
};

// nullopt: it is not worth a commit. `deletes`: all delete files of the table.
std::optional<DeletesTask> plan_deletes(const lake::TablePtr& table,
                                        const std::vector<lake::DataFile>& files,
                                        const std::vector<lake::DataFile>& deletes,
                                        const PlannerOptions& options);

}  // namespace headrace::maintenance
