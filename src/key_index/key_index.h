#pragma once

// Where the newest row of each key of a table is: key → data file and position. It stands for one
// snapshot of the table and can be made from the table again at any time.
//
// What it promises: for every row that lives in that snapshot, the entry of its key tells where it
// is. Entries may also point to rows that are deleted or to files that are gone; whoever asks
// checks that (the deleted rows of a table are known, see lake/delete_set.h), and takes such a key
// for absent. So deletes need not be taken up, and to come from one snapshot to a later one it is
// enough to read the keys of the files that are new.
//
// Life cycle: open, catch_up, then find and take_up in turns; and follow when rows have moved. One
// process at a time. Thread use: any thread; take_up and follow may run at the same time.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/database.h"
#include "key_index/key_columns.h"
#include "key_index/key_store.h"
#include "lake/table.h"

namespace headrace::key_index {

class KeyIndex {
 public:
  // Opens the index in `directory` of the table. One that is damaged, of another table or of other
  // columns is thrown away and begun anew (with a line in the log).
  static std::unique_ptr<KeyIndex> open(const std::string& directory, const lake::Table& table,
                                        KeyColumns columns);

  // Brings it to the table's current snapshot, with `files` its data files. Reads all of them when
  // the snapshot that it stands for is not one that the current one came from.
  void catch_up(engine::Connection& connection, const lake::Table& table,
                const std::vector<lake::DataFile>& files);

  // After a commit of our own on top of the snapshot that it stands for: `added` are the commit's
  // data files, `gone` a query of (key, sequence) of keys whose rows were deleted in it. Their
  // sequence is kept when the table has one, so that an older change stays an older change.
  void take_up(engine::Connection& connection, const lake::Table& table,
               const std::vector<lake::DataFile>& added, const std::string& gone);

  std::vector<std::optional<KeyEntry>> find(const std::vector<std::string_view>& keys);

  // The number that a file's entries have. Of one whose rows come from other files it is given here
  // before the first entry is; should the process end before follow() does, the file's keys are
  // read by the next catch_up.
  uint32_t reserve(const std::string& path);
  // Rows were moved into `file`, which was given its number before: entries that point to where
  // they were point to where they are from then on. `moved` tells for a place among `sources` (by
  // their number) where the row is now. Entries that are newer stay as they are. In small batches,
  // between which commits are taken up.
  using RowPlace = std::function<std::optional<int64_t>(const KeyEntry& entry)>;
  void follow(engine::Connection& connection, const lake::Table& table, const lake::DataFile& file,
              const std::vector<std::string>& sources, const RowPlace& moved);
  // They have no row any more.
  void forget_files(const std::vector<std::string>& paths);

  std::optional<uint32_t> file_number(const std::string& path) const;
  const KeyColumns& columns() const { return columns_; }
  std::optional<lake::SnapshotId> snapshot() const { return snapshot_; }

 private:
  KeyIndex(std::string directory, KeyColumns columns, std::string identity);
  void begin(bool anew);
  void read_notes();
  bool goes_on_to(const lake::TableMetadata& metadata) const;
  void move_towards(const lake::Table& table);
  void add_rows(engine::Connection& connection, const lake::Table& table,
                const std::vector<lake::DataFile>& files, bool is_bulk);
  void forget_keys(engine::Connection& connection, const std::string& gone);
  void arrive(const lake::Table& table, const std::vector<lake::DataFile>* all_files);
  void move_entries(const std::vector<std::string>& keys, const std::vector<int64_t>& positions,
                    uint32_t number, const RowPlace& moved);
  template <class Body>
  auto guarded(Body body);

  const std::string directory_;
  const KeyColumns columns_;
  const std::string identity_;
  std::unique_ptr<KeyStore> store_;
  std::optional<lake::SnapshotId> snapshot_;
  // A snapshot that some of the entries stand for already.
  std::optional<lake::SnapshotId> towards_;
  std::mutex writing_;  // held by who changes entries; guards what stands above
  uint32_t next_file_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, uint32_t> files_;
};

}  // namespace headrace::key_index
