#pragma once

// What a query's text is, told from the engine's own parse tree before anything is bound: binding
// alone opens files, and EXPLAIN ANALYZE runs what stands behind it.
//
// Thread use: as the Connection's.

#include <string>

#include "base/json.h"
#include "engine/database.h"

namespace headrace::query {

enum class FileAccess {
  kNone,  // queries see the tables of the lake and the system, and no file
  kRead,  // queries may read what the server's user can read: read_csv('…'), FROM 'x.parquet'
};

struct Statement {
  bool is_explain = false;  // otherwise a SELECT, which SHOW, DESCRIBE and SUMMARIZE are too
  Json tree = {};           // of the SELECT
  size_t tree_begin = 0;    // where it begins in the text: places in the tree count from there
};

// Checks that `sql` is one statement that only reads, and reads nothing that `access` forbids.
// Without files, table functions are those of a list, and a name with a dot must be a table's, for
// the engine takes others for files. invalid: not one such statement; denied: files; not_found: a
// table that is not there.
Statement check_statement(engine::Connection& connection, const std::string& sql,
                          FileAccess access);

}  // namespace headrace::query
