#pragma once

// Scans of a table that open only the files that a query needs: SQL like that of scan_sql, in which
// headrace_files (engine/file_scan.h) stands for read_parquet, and names lists of the table's
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

// Some of a table's files.
class ScanFiles final : public engine::FileList {
 public:
  // `schema`: the columns of the scan. `places` in `files`.
  ScanFiles(TablePtr table, Schema schema, DataFilesPtr files, std::vector<size_t> places);

  // unavailable when the list is gone: the query began long ago, and is to be run again.
  static std::shared_ptr<const ScanFiles> find(const std::string& name);
  // Makes a list known to find().
  static std::shared_ptr<const ScanFiles> make(TablePtr table, Schema schema, DataFilesPtr files,
                                               std::vector<size_t> places);

  const std::string& name() const { return name_; }
  size_t size() const override { return places_.size(); }
  std::string path(size_t file) const override;
  int64_t rows(size_t file) const override;
  std::vector<size_t> matching(const std::vector<size_t>& files,
                               const engine::Condition& condition) const override;

 private:
  const DataFile& file(size_t index) const { return (*files_)[places_[index]]; }

  std::string name_;
  const TablePtr table_;
  const Schema schema_;
  const DataFilesPtr files_;
  const std::vector<size_t> places_;
};

struct Scan {
  std::string sql;
  std::vector<std::shared_ptr<const ScanFiles>> lists;
};

// As scan_sql, of a schema of the table.
Scan make_scan(const TablePtr& table, const Schema& schema, const DataFilesPtr& files);

// Gives SQL the function headrace_files, if it has it not yet.
void register_file_scan(engine::Database& database);

}  // namespace headrace::lake
