#pragma once

// Position delete files: (file_path, pos) in Parquet, sorted (spec, "Position Delete Files"). Each
// is written for one data file, so that readers need it only where they read that file.

#include <string>

#include "engine/database.h"
#include "lake/row_positions.h"
#include "lake/table.h"

namespace headrace::lake {

// Reserved field ids of the columns.
inline constexpr int kDeleteFilePathId = 2147483546;
inline constexpr int kDeletePositionId = 2147483545;

// Writes a file that deletes these rows (at least one) of `data_file`. Like a data file it is
// synced but belongs to no snapshot until a commit adds it.
DataFile write_position_deletes(engine::Connection& connection, Catalog& catalog, FileSystem& files,
                                Random& random, const Table& table, const DataFile& data_file,
                                const RowPositions& positions);

// SELECT file_path, pos of a delete file. unsupported for other formats than Parquet.
std::string read_deletes_sql(const DataFile& delete_file);

// The data file that all of a position delete file is about, when it says so: by its reference, or
// by bounds of its paths that are the same.
std::optional<std::string> only_data_file_of(const DataFile& delete_file);

}  // namespace headrace::lake
