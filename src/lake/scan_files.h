#pragma once

// Scans of a table that open only the files that a query needs: SQL like that of scan_sql, in which
// headrace_files (engine/file_scan.h) stands for headrace_parquet, and names lists of the table's
// files.
//
// Life cycle: whoever keeps the SQL keeps the Scan. The newest lists are kept a while longer, for
// queries that were about to begin when files were replaced. Thread use: any thread.

#include <memory>
#include <string>
#include <vector>

#include "engine/database.h"
#include "engine/file_scan.h"
#include "lake/table.h"

namespace headrace::lake {

using DataFilesPtr = std::shared_ptr<const std::vector<DataFile>>;
using FileListPtr = std::shared_ptr<const engine::FileList>;

struct Scan {
  std::string sql;
  std::vector<FileListPtr> lists;  // that it names
};

// As scan_sql, of a schema of the table.
Scan make_scan(const TablePtr& table, const Schema& schema, const DataFilesPtr& files);
// The same of the files of a snapshot. Manifests are read while the query is planned, and only
// those that it needs; all of them now when rows of the snapshot are deleted. The catalog outlives
// the scan.
Scan make_scan(Catalog& catalog, const TablePtr& table, const Schema& schema,
               SnapshotId snapshot_id);

// Gives SQL the function headrace_files, if it has it not yet.
void register_file_scan(engine::Database& database);

}  // namespace headrace::lake
