#pragma once

// The SQL function behind scans of files with deleted rows:
//
//   headrace_live(set, files, version, file_index, file_row_number) → BOOLEAN
//
// `set`: id of a DeleteSet; `files`: the set's numbers of the scanned files in the scan's order
// ("0-3,7"); both, and the version, are constants of the query. Used by scan_sql.

#include <string>
#include <vector>

#include "engine/database.h"

namespace headrace::lake {

// Once for each database that scans tables, before the first scan. The database reads the delete
// files.
void register_delete_function(engine::Database& database);

// "0-3,7" and back; internal for text of another form.
std::string to_ranges(const std::vector<size_t>& numbers);
std::vector<size_t> from_ranges(const std::string& text);

}  // namespace headrace::lake
