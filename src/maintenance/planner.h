#pragma once

// Which files of a table are worth merging. Pure: it looks at a list of files only.
//
// Files are merged within a partition, smallest first, up to the target size. Rewriting costs as
// much as its bytes; what it gains is that every later query opens fewer files. Two rules weigh
// that: a merge must take in at least `min_files`, and a file joins only if it is not larger than
// all smaller ones together or twice the smallest. So each merge at least doubles the file that a
// row lies in, and a row is rewritten log2(target / first size) times at most.

#include <cstdint>
#include <vector>

#include "lake/table.h"

namespace headrace::maintenance {

struct PlannerOptions {
  int64_t target_file_bytes = 128 * 1024 * 1024;
  int min_files = 8;  // of one merge
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

// The greatest gain first. Files of older partition specs, and those with deleted rows, are left
// alone.
std::vector<MergeTask> plan_merges(const lake::TablePtr& table,
                                   const std::vector<lake::DataFile>& files,
                                   const PlannerOptions& options);

}  // namespace headrace::maintenance
