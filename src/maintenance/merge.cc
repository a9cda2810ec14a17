#include "maintenance/merge.h"

#include <set>

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

constexpr int kMaxAttempts = 20;

// Are all of them live, and no row of them deleted?
bool are_untouched(lake::Catalog& catalog, const lake::Table& table, const MergeTask& task) {
  std::set<std::string> wanted;
  for (const lake::DataFile& file : task.files) wanted.insert(file.path);
  for (const lake::DataFile& file : catalog.files(table)) {
    if (file.deletes.empty()) wanted.erase(file.path);
  }
  return wanted.empty() && table.metadata.table_uuid == task.table->metadata.table_uuid;
}

// nullptr when it cannot be done any more.
lake::TablePtr exchange(lake::Catalog& catalog, const MergeTask& task,
                        const std::vector<lake::DataFile>& added) {
  for (int attempt = 1; attempt <= kMaxAttempts; ++attempt) {
    lake::TableChange change;
    change.base = catalog.find(task.table->identifier);
    if (change.base == nullptr || !are_untouched(catalog, *change.base, task)) return nullptr;
    change.added = added;
    change.removed = task.files;
    change.operation = "replace";
    change.only_on_base = true;
    try {
      return catalog.commit({change}).at(0);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConflict) throw;
    }
  }
  return nullptr;
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
    merged.table = exchange(collaborators.catalog, task, merged.added);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCommitUnknown) {
      remove_best_effort(collaborators.files, merged.added);
    }
    throw;
  }
  if (merged.table == nullptr) {
    remove_best_effort(collaborators.files, merged.added);
    return std::nullopt;
  }
  for (const lake::DataFile& file : merged.added) merged.bytes += file.file_size_bytes;
  return merged;
}

}  // namespace headrace::maintenance
