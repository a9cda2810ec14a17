#pragma once

// What LiveTables keeps of a table with a primary key while a job writes to it.
//
// A change of a key that is committed deletes the committed row by its position, found in the key
// index. Until the commit, such positions are layers of the table's DeleteSet, each with a version;
// the version that a reader sees is a macro of the engine, replaced in the transaction that inserts
// the new rows into the hot table, so both become visible at once. A hot table has one row for each
// key that changed in its generation; a deleted key's row is marked. Changes of keys in a sealed
// generation are remembered in its table of superseded keys, and become deletes by position when
// the generation's files are there.
//
// Life cycle: made by LiveTables::open_target, ended by close_target. Thread use: a batch of
// changes and a swap of files exclude each other by lock(); the rest as said at each method.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/database.h"
#include "key_index/key_index.h"
#include "lake/delete_reader.h"
#include "lake/delete_set.h"
#include "lake/moved_rows.h"
#include "lake/row_deletes.h"
#include "lake/table.h"

namespace headrace::tables {

// How the rows that a job gives change a table.
struct UpsertSpec {
  std::vector<std::string> primary_key;    // empty: rows are only added
  std::optional<std::string> sequence_by;  // the greater one wins; else the later one
};

// The table property that says what its key is: "id, region".
inline constexpr const char* kPrimaryKeyProperty = "headrace.primary-key";
// Of hot rows: the key was deleted.
inline constexpr const char* kDeletedColumn = "__deleted";

// "a.id = b.id AND …" of two relations.
std::string same_keys(const std::vector<std::string>& keys, std::string_view a, std::string_view b);

// A batch of changes.
struct Changes {
  // Gives the table's columns, kDeletedColumn, and what `latest_first` names.
  std::string select;
  // ORDER BY expressions that put the last change of a key first.
  std::vector<std::string> latest_first;
};

class UpsertTable {
 public:
  using Files = std::shared_ptr<const std::vector<lake::DataFile>>;

  // Brings the index to the table's snapshot, which may take a while. `version_macro`: the quoted
  // name of the macro.
  UpsertTable(engine::Database& database, std::unique_ptr<key_index::KeyIndex> index,
              const lake::Table& table, const std::vector<lake::DataFile>& files,
              std::string version_macro);

  std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }

  // The data files, with the set that knows the deleted rows of all of them.
  Files files() const { return files_; }
  const key_index::KeyColumns& columns() const { return index_->columns(); }
  std::string version_ddl() const;
  std::string drop_ddl() const { return "DROP MACRO IF EXISTS " + version_macro_; }

  // Locked, in an engine transaction of `connection`; `newest` and `sealed` are hot tables,
  // `sealed` with its table of superseded keys, both empty when there is none. Returns by how many
  // the rows of the newest generation grew. Afterwards keep() when the transaction was committed,
  // or take_back().
  struct HotTables {
    std::string newest;
    std::string sealed;
    std::string superseded;
    // Takes the committed rows that the changes delete (gone_rows_sql); may be empty.
    std::function<void(engine::Connection&, const std::vector<lake::DataFile>&)> keep_gone;
  };
  int64_t apply(engine::Connection& connection, const lake::Schema& schema, const Changes& changes,
                const HotTables& hot);
  void keep();
  void take_back();

  // Locked. Committed rows that hot changes deleted (gone_rows_sql): of the sealed generation and
  // of the newest, where a sealed one is there.
  struct GoneRows {
    std::vector<lake::DataFile> sealed;
    std::vector<lake::DataFile> newest;
  };
  GoneRows gone(bool has_sealed) const;

  // Locked. What the generation that ends now deletes.
  std::vector<lake::DeletedRows> seal();

  // After the commit of a sealed generation, without the lock: `gone` as in KeyIndex::take_up.
  void index_committed(engine::Connection& connection, const lake::Table& table,
                       const std::vector<lake::DataFile>& added, const std::string& gone);
  // Locked: takes up the files of the commit. Keys superseded meanwhile (`superseded`: a table of
  // them) become deletes of the rows just committed.
  void replace_files(engine::Connection& connection, const std::vector<lake::DataFile>& files,
                     const std::vector<lake::DataFile>& added, const std::string& superseded);

  // Rows of files were written anew into `to` (nullptr: there were none left), and that is
  // committed: takes up the files of the commit. Deletes that are not committed yet follow their
  // rows, and look-ups find rows that have moved. One such exchange at a time: the next one after
  // index_moved().
  struct Exchange {
    std::shared_ptr<const lake::MovedRows> moved = {};  // nullptr: no row has moved
    const lake::DataFile* to = nullptr;
    std::vector<std::string> replaced;  // paths of data files that are gone
  };
  void reserve(const Exchange& exchange);  // before the commit, without the lock
  void exchange_files(const std::vector<lake::DataFile>& files,
                      const Exchange& exchange);  // locked
  // Without the lock: lets the index follow, which may take a while. Batches and commits go on.
  void index_moved(engine::Connection& connection, const lake::Table& table,
                   const Exchange& exchange);

  // Somebody else committed to the table: what is hot was made from rows that have changed.
  void set_moved() { is_moved_ = true; }
  bool is_moved() const { return is_moved_; }

 private:
  struct Lookup;
  // Where rows are that the index does not find at their new place yet.
  struct Move {
    std::map<uint32_t, std::string> from;  // files that are gone, by the index's numbers
    std::shared_ptr<const lake::MovedRows> rows;
    uint32_t to = 0;
    key_index::KeyEntry now(const key_index::KeyEntry& entry) const;
  };
  void add_layers_of(const lake::DeleteSet& before, const lake::MovedRows* moved,
                     const std::string& moved_to);
  void adopt(const std::vector<lake::DataFile>& files,
             const std::map<std::string, lake::RowPositionsPtr>& known);
  std::optional<std::pair<size_t, int64_t>> live_row(const key_index::KeyEntry& entry,
                                                     Lookup& lookup) const;
  std::vector<lake::DataFile> rows_at(const lake::PositionsByFile& positions) const;
  lake::PositionsByFile find_committed(engine::Connection& connection, const std::string& changes);
  lake::PositionsByFile rows_of_keys(engine::Connection& connection, const std::string& keys);

  const std::string version_macro_;
  mutable lake::DeleteReader reader_;
  std::unique_ptr<key_index::KeyIndex> index_;
  std::mutex mutex_;
  Files files_;
  std::shared_ptr<lake::DeleteSet> set_;
  std::map<uint32_t, size_t> set_numbers_;  // by the index's numbers of files
  std::optional<Move> move_;
  std::optional<Move> reserved_;  // of an exchange that is being committed
  int64_t version_ = 1;           // the newest that was committed in the engine
  int64_t sealed_version_ = 0;    // up to which layers belong to the sealed generation
  int64_t taken_version_ = 0;     // up to which they are in committed files
  std::atomic<bool> is_moved_ = false;
};

}  // namespace headrace::tables
