#include "maintenance/merge.h"

#include "base/error.h"
#include "lake/data_writer.h"

namespace headrace::maintenance {
namespace {

void remove_best_effort(FileSystem& files, const std::vector<lake::DataFile>& written) noexcept {
  for (const lake::DataFile& file : written) {
    try {
      files.remove(lake::local_path(file.path));
    } catch (const std::exception&) {
      // It stays as an orphan, which no snapshot names.
    }
  }
}

// No commit may take in a merge that lost or doubled a row.
void check_rows(const MergeTask& task, const std::vector<lake::DataFile>& written) {
  int64_t rows = 0;
  for (const lake::DataFile& file : written) rows += file.record_count;
  if (rows == task.rows) return;
  fail(ErrorKind::kCorrupt,
       "merging {} files of {}: they hold {} rows, but the table says {}; nothing was changed",
       task.files.size(), task.table->identifier.to_string(), rows, task.rows);
}

}  // namespace

std::optional<Merged> merge(const MergeCollaborators& collaborators, const MergeTask& task,
                            const std::string& order_by) {
  lake::WriteOptions options;
  options.order_by = order_by;
  Merged merged;
  merged.added = lake::write_data_files(collaborators.connection, collaborators.catalog,
                                        collaborators.files, collaborators.random, *task.table,
                                        lake::scan_sql(*task.table, task.files), options);
  try {
    check_rows(task, merged.added);
    lake::TableChange change;
    change.base = task.table;
    change.added = merged.added;
    change.removed = task.files;
    change.operation = "replace";
    merged.table = collaborators.catalog.commit({change}).at(0);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCommitUnknown) {
      remove_best_effort(collaborators.files, merged.added);
    }
    if (error.kind() == ErrorKind::kConflict) return std::nullopt;
    throw;
  }
  for (const lake::DataFile& file : merged.added) merged.bytes += file.file_size_bytes;
  return merged;
}

}  // namespace headrace::maintenance
