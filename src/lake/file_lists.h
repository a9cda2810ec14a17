#pragma once

// The lists of files that SQL names in headrace_files (engine/file_scan.h). Private to this module;
// scan_files.h is the way in. Thread use: any thread.

#include <memory>
#include <string>
#include <vector>

#include "engine/file_scan.h"
#include "lake/manifest.h"
#include "lake/scan_files.h"
#include "lake/table.h"

namespace headrace::lake {

// Lists of the table's files tell which of them a file is.
class TableFileList : public engine::FileList {
 public:
  virtual const DataFile& data_file(size_t file) const = 0;
};

// Some of these files, by their places. `schema`: the columns of the scan.
FileListPtr given_files(TablePtr table, Schema schema, DataFilesPtr files,
                        std::vector<size_t> places);

// The data files of a snapshot without deletes. A manifest is read when a query may want rows of
// its files.
FileListPtr snapshot_files(Catalog& catalog, TablePtr table, Schema schema,
                           const ManifestList& manifests);

// Makes the list known to find_file_list() under the name that this returns.
std::string put_file_list(const FileListPtr& list);
// unavailable when the list is gone: the query began long ago, and is to be run again.
FileListPtr find_file_list(const std::string& name);

}  // namespace headrace::lake
