#pragma once

// Reads position delete files and deletion vectors (spec, "Delete Formats"), each once; what was
// read is kept while there is room. Thread use: any thread, also inside a query of the same
// database.

#include <map>
#include <string>

#include "engine/database.h"
#include "lake/delete_set.h"
#include "lake/file_cache.h"

namespace headrace::lake {

class DeleteReader {
 public:
  explicit DeleteReader(engine::Database& database);

  // Rows of the data file `path` that `delete_file` removes; nullptr: none.
  RowPositionsPtr read(const DataFile& delete_file, const std::string& path);
  DeleteLoader loader();

 private:
  using ByDataFile = std::map<std::string, RowPositionsPtr>;
  std::shared_ptr<const ByDataFile> content(const DataFile& delete_file);
  std::map<std::string, RowPositions> read_file(const DataFile& delete_file);
  RowPositions read_vector(const DataFile& vector);

  engine::Database& database_;
  FileCache<ByDataFile> read_;
};

}  // namespace headrace::lake
