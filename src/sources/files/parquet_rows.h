#pragma once

// Rows of a Parquet file as JSON objects, in the order of the file, read by the SQL engine. The
// position counts rows.

#include <memory>
#include <string>

#include "sources/files/record_reader.h"

namespace headrace::sources {

// Nullptr when the file has fewer rows than `position`.
std::unique_ptr<RecordReader> open_parquet_rows(const std::string& full_path, uint64_t position);

}  // namespace headrace::sources
