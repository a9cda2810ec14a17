#pragma once

// Parquet files that SQL reads as one relation, and of which a query opens only those that may hold
// rows that it wants:
//
//   headrace_files('17', schema = MAP {…}, members = MAP {…}, hive_partitioning = false,
//                  version = 3)
//
// The text names a FileList; `version` is told to it when a file is opened, for rows of the file to
// be left out; further parameters are those of headrace_parquet (named_members.h). When a query's
// filters are known, and again when a join has told which keys it looks for, the list is asked
// which files can hold such rows. EXPLAIN shows how many are left, Connection::files_scanned() how
// many a query read. `file_index` is the place of a row's file in the whole list.
//
// Thread use: a list is asked from any thread. Errors that it throws end the query with their
// message.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/condition.h"

namespace headrace::engine {

// Of one file, for several threads at once.
class RowFilter {
 public:
  virtual ~RowFilter() = default;
  // Of `count` rows from `first` on, those that are read: their places counted from `first`, in
  // order; returns how many. `kept` has room for all.
  virtual size_t keep(int64_t first, size_t count, uint32_t* kept) const = 0;
};

class FileList {
 public:
  virtual ~FileList() = default;
  virtual size_t size() const = 0;
  // As read_parquet takes it.
  virtual std::string path(size_t file) const = 0;
  virtual int64_t rows(size_t file) const = 0;
  // Those of `files`, in their order, that may hold rows for which the condition is true. Columns
  // of the condition are those of the parameter `schema`.
  virtual std::vector<size_t> matching(const std::vector<size_t>& files,
                                       const Condition& condition) const = 0;
  // Which rows of a file a query of this version reads; nullptr: all.
  virtual std::unique_ptr<RowFilter> rows_read(size_t, int64_t) const { return nullptr; }
};

// Gives the list of a name; called while a query is bound, from any thread. unavailable when there
// is none such any more.
using FileListResolver = std::function<std::shared_ptr<const FileList>(const std::string& name)>;

}  // namespace headrace::engine
