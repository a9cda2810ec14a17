#pragma once

// The deleted rows of some data files of one table, by version, for scans of them.
//
// SQL names a set by its id, headrace_live(id, …): scan_sql writes it into a query, and the query
// finds the set while it is planned and holds it until it ends. A set of committed files has one
// version; its positions come from the delete files, read when a query first needs them. The set of
// a table that is written to has a layer of further positions for each change of the table, visible
// from a version on.
//
// Life cycle: whoever keeps the data files of a scan keeps their set (DataFile::delete_set). The
// newest sets are kept a while longer, for queries that were about to begin when files were
// replaced. Thread use: any thread.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lake/row_positions.h"
#include "lake/table.h"

namespace headrace::lake {

// Gives the rows of the data file at `path` that the position deletes of one delete file remove.
using DeleteLoader =
    std::function<RowPositionsPtr(const DataFile& delete_file, const std::string& path)>;

// Positions by the number of a file in its set.
using PositionsByFile = std::map<size_t, RowPositions>;

class DeleteSet {
 public:
  // `version_sql`: gives the version in scans of the set.
  static std::shared_ptr<DeleteSet> make(std::string version_sql = "0");
  // unavailable when the set is gone: the query began long ago, and is to be run again.
  static std::shared_ptr<DeleteSet> find(int64_t id);

  int64_t id() const { return id_; }
  const std::string& version_sql() const { return version_sql_; }

  // Before the set is used: returns the number of the file. `known`: its committed positions, when
  // they need not be read (an empty pointer: read them from `deletes`).
  size_t add_file(const std::string& path, std::vector<std::shared_ptr<const DataFile>> deletes,
                  RowPositionsPtr known = nullptr);
  size_t file_count() const { return files_.size(); }
  const std::string& path(size_t file) const { return files_[file].path; }

  // Deleted rows of a file as a reader at `version` sees them; nullptr: none.
  RowPositionsPtr deleted(size_t file, int64_t version, const DeleteLoader& load);

  // Layers come in the order of their versions. The last can be taken back when its change failed.
  void add_layer(int64_t version, PositionsByFile positions);
  void remove_layers_from(int64_t version);
  // The layers with first ≤ version ≤ last.
  std::map<int64_t, PositionsByFile> layers(int64_t first, int64_t last) const;

 private:
  struct File {
    std::string path;
    std::vector<std::shared_ptr<const DataFile>> deletes;
    RowPositionsPtr committed;  // nullptr while it was not read, or when there are none
    bool is_read = false;
    RowPositionsPtr newest;      // committed and the layers up to newest_version
    int64_t newest_version = 0;  // 0: newest is not set
  };
  explicit DeleteSet(std::string version_sql);
  RowPositionsPtr committed(File& file, const DeleteLoader& load);

  const int64_t id_;
  const std::string version_sql_;
  std::vector<File> files_;  // their number is fixed once the set is used
  mutable std::mutex mutex_;
  std::map<int64_t, PositionsByFile> layers_;
};

}  // namespace headrace::lake
