#pragma once

// What happened to the rows of a table between one snapshot and the current one, as SQL: rows that
// came, with +1, and rows that went, with −1. A row that came and went meanwhile may be told as
// both. Snapshots with the operation "replace" move rows and change none.

#include <memory>
#include <string>
#include <vector>

#include "lake/delete_set.h"
#include "lake/table.h"

namespace headrace::lake {

// Files whose rows came or went. A file of `deleted` has those rows as its delete set: see
// gone_rows.
struct TableChanges {
  std::vector<DataFile> came;
  std::vector<DataFile> went;     // with the deletes they had then
  std::vector<DataFile> deleted;  // files that are still there without some rows

  bool only_came() const { return went.empty() && deleted.empty(); }
  bool is_empty() const { return came.empty() && only_came(); }
};

// The snapshots after `after` up to the current one, oldest first. Error not_found when `after` has
// expired or is not an ancestor of the current snapshot.
std::vector<const Snapshot*> snapshots_after(const Table& table, SnapshotId after);

// nullopt: everything that is there. Error not_found when `after` has expired or is not an ancestor
// of the current snapshot.
TableChanges changes_after(Catalog& catalog, const Table& table, std::optional<SnapshotId> after,
                           const DeleteLoader& load);

// The file with these of its rows as what was deleted of it. The files of one call of gone_rows_sql
// have one set.
DataFile gone_rows(const DataFile& file, const RowPositions& rows,
                   const std::shared_ptr<DeleteSet>& set);

// SELECT of the table's columns: the rows that such files say. The sets live as long as the files.
std::string gone_rows_sql(const Table& table, const std::vector<DataFile>& files);

// SELECT of the table's columns and `sign_column`. Run it while the changes are there.
std::string changes_sql(const Table& table, const TableChanges& changes,
                        const std::string& sign_column);

}  // namespace headrace::lake
