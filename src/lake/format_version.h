#pragma once

// The format versions of Iceberg that headrace reads and writes, and the way from one to the next.

#include "lake/table.h"

namespace headrace::lake {

inline constexpr int kDefaultFormatVersion = 2;
inline constexpr int kNewestFormatVersion = 3;

// Errors: unsupported for a version that headrace does not know. `doing` stands in front of them.
void check_format_version(int64_t version, const std::string& doing);

// Files that are there stay as they are. Errors: as above; invalid for an older version than the
// table has.
void upgrade_format(TableMetadata& metadata, int64_t version, const std::string& doing);

}  // namespace headrace::lake
