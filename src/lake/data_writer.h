#pragma once

// Writes the rows of a query into Parquet data files of a table, by DuckDB's COPY, with field ids,
// real column bounds, one set of files for each partition. The files are synced but belong to no
// snapshot until a commit adds them; abandoned ones are orphans.

#include <optional>
#include <string>
#include <vector>

#include "engine/database.h"
#include "lake/table.h"

namespace headrace::lake {

struct WriteOptions {
  int64_t row_group_rows = 122'880;
  std::string order_by;  // SQL; empty: as they come
  // All rows are of this partition of the default spec: they come into one file, in their order
  // when the engine keeps it.
  std::optional<PartitionValues> partition = {};
  std::optional<int> sort_order_id = {};  // by which the rows are sorted
  // The rows were in the table before: `select` gives the lineage_fields() (row_lineage.h), too.
  bool keeps_row_ids = false;
};

// `select` must give the columns of the table's current schema, in order, by name; they are cast to
// the schema's types. An empty result writes no file.
std::vector<DataFile> write_data_files(engine::Connection& connection, Catalog& catalog,
                                       FileSystem& files, Random& random, const Table& table,
                                       const std::string& select, const WriteOptions& options = {});

// The SQL relation that reads these files as the table's current schema, by field id (columns that
// a file lacks are NULL), without the rows that the files' deletes remove. With no files: a
// relation of the same columns and no rows. unsupported when a delete is by a column that the table
// lost.
std::string scan_sql(const Table& table, const std::vector<DataFile>& files);
// The same as another schema of the table, as it once was.
std::string scan_sql(const Table& table, const Schema& schema, const std::vector<DataFile>& files);

// The same rows with where they are: `_file`, the index in `files`, and `_position`, the row's
// number in it.
std::string scan_rows_sql(const Table& table, const std::vector<DataFile>& files);

// The same with the lineage_fields() (row_lineage.h) between the table's columns and `_file`.
std::string scan_moving_rows_sql(const Table& table, const std::vector<DataFile>& files);

}  // namespace headrace::lake
