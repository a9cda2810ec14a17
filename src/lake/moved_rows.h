#pragma once

// Where the rows of some data files are after they were written anew, without the deleted ones,
// into one file. So what names a row by its place (a delete, a key index) can follow.
//
// Life cycle: built once, then only read. Thread use: const methods from any thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lake/row_positions.h"

namespace headrace::lake {

class MovedRows {
 public:
  // The next rows in the order in which they were written: `live` of the file at `path`, ascending.
  void add(const std::string& path, RowPositions live);
  // They were sorted after that: the i-th row that was added is now at order[i].
  void set_order(std::vector<uint32_t> order) { order_ = std::move(order); }

  // How many there are.
  int64_t count() const { return count_; }
  bool is_of(const std::string& path) const { return files_.contains(path); }
  // Of a file, the rows that were moved; nullptr: none.
  const RowPositions* live(const std::string& path) const;
  // Where the row at `position` of the file at `path` is; nullopt: it was deleted before.
  std::optional<int64_t> find(const std::string& path, int64_t position) const;
  // The new places of these rows of a file, without those that were deleted before.
  RowPositions moved(const std::string& path, const RowPositions& positions) const;
  // Without regard to an order.
  std::optional<int64_t> number(const std::string& path, int64_t position) const;

 private:
  struct File {
    int64_t begin = 0;  // number of its first row
    RowPositions live;
  };
  std::map<std::string, File> files_;
  std::vector<uint32_t> order_;  // empty: as added
  int64_t count_ = 0;
};

}  // namespace headrace::lake
