#include "lake/table_changes.h"

#include <algorithm>

#include "base/error.h"
#include "lake/data_writer.h"

namespace headrace::lake {
namespace {

std::string operation_of(const Snapshot& snapshot) {
  const auto found = snapshot.summary.find("operation");
  return found == snapshot.summary.end() ? "" : found->second;
}

std::vector<std::string> delete_files_of(const DataFile& file, FileContent content) {
  std::vector<std::string> files;
  for (const auto& deletes : file.deletes) {
    if (deletes->content == content) files.push_back(deletes->identity());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool have_same_deletes(const DataFile& a, const DataFile& b, FileContent content) {
  return delete_files_of(a, content) == delete_files_of(b, content);
}

RowPositionsPtr deleted_positions(const DataFile& file, const DeleteLoader& load) {
  return file.delete_set ? file.delete_set->deleted(file.delete_number, 0, load) : nullptr;
}

RowPositions newly_deleted(const DataFile& before, const DataFile& now, const DeleteLoader& load) {
  const RowPositionsPtr old = deleted_positions(before, load);
  const RowPositionsPtr all = deleted_positions(now, load);
  if (!all) return {};
  return old ? all->without(*old) : *all;
}

// What one snapshot did to the rows.
void add_changes(Catalog& catalog, const Table& table, const Snapshot& snapshot,
                 const DeleteLoader& load, TableChanges& changes) {
  std::map<std::string, DataFile> before;
  if (snapshot.parent_snapshot_id) {
    for (DataFile& file : catalog.files(table, snapshot.parent_snapshot_id)) {
      std::string path = file.path;
      before.emplace(std::move(path), std::move(file));
    }
  }
  const auto gone = DeleteSet::make();
  for (DataFile& file : catalog.files(table, snapshot.snapshot_id)) {
    const auto found = before.find(file.path);
    if (found == before.end()) {
      changes.came.push_back(std::move(file));
      continue;
    }
    const DataFile& old = found->second;
    if (!have_same_deletes(old, file, FileContent::kEqualityDeletes)) {
      // Which rows were deleted by their values is told by those before and those that are left.
      changes.went.push_back(old);
      changes.came.push_back(std::move(file));
    } else if (!have_same_deletes(old, file, FileContent::kPositionDeletes)) {
      const RowPositions rows = newly_deleted(old, file, load);
      if (rows.count() > 0) changes.deleted.push_back(gone_rows(old, rows, gone));
    }
    before.erase(found);
  }
  for (auto& [path, file] : before) changes.went.push_back(std::move(file));
}

}  // namespace

std::vector<const Snapshot*> snapshots_after(const Table& table, SnapshotId after) {
  std::vector<const Snapshot*> lineage;
  const Snapshot* snapshot = table.metadata.current_snapshot();
  while (snapshot != nullptr && snapshot->snapshot_id != after) {
    lineage.push_back(snapshot);
    snapshot = snapshot->parent_snapshot_id ? table.metadata.snapshot(*snapshot->parent_snapshot_id)
                                            : nullptr;
  }
  if (snapshot == nullptr) {
    fail(ErrorKind::kNotFound,
         "reading {}: snapshot {} has expired, or is not an ancestor of the current one",
         table.identifier.to_string(), after);
  }
  std::reverse(lineage.begin(), lineage.end());
  return lineage;
}

TableChanges changes_after(Catalog& catalog, const Table& table, std::optional<SnapshotId> after,
                           const DeleteLoader& load) {
  TableChanges changes;
  if (!after) {
    changes.came = catalog.files(table);
    return changes;
  }
  const std::vector<const Snapshot*> lineage = snapshots_after(table, *after);
  const bool only_adds = std::all_of(lineage.begin(), lineage.end(), [](const Snapshot* snapshot) {
    const std::string operation = operation_of(*snapshot);
    return operation == "append" || operation == "replace";
  });
  if (only_adds) {
    changes.came = catalog.files_added_after(table, after);
    return changes;
  }
  for (const Snapshot* snapshot : lineage) {
    if (operation_of(*snapshot) != "replace") {
      add_changes(catalog, table, *snapshot, load, changes);
    }
  }
  return changes;
}

DataFile gone_rows(const DataFile& file, const RowPositions& rows,
                   const std::shared_ptr<DeleteSet>& set) {
  DataFile gone = file;
  gone.delete_set = set;
  gone.delete_number = set->add_file(file.path, {}, std::make_shared<const RowPositions>(rows));
  return gone;
}

std::string changes_sql(const Table& table, const TableChanges& changes,
                        const std::string& sign_column) {
  std::string sql =
      format("SELECT *, 1 AS {} FROM ({})", sign_column, scan_sql(table, changes.came));
  if (!changes.went.empty()) {
    sql += format(" UNION ALL SELECT *, -1 FROM ({})", scan_sql(table, changes.went));
  }
  if (!changes.deleted.empty()) {
    sql += format(" UNION ALL SELECT *, -1 FROM ({})", gone_rows_sql(table, changes.deleted));
  }
  return sql;
}

}  // namespace headrace::lake
