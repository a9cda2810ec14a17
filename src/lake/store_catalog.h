#pragma once

// The catalog over a metadata store: space "tables", key "<database>.<table>", value
// {"metadata_location": …}. A dropped table leaves the tombstone {"dropped": true}, so that the
// version of its entry goes on and a commit that began before the drop cannot hit a new table of
// the same name. Private to this module; use Catalog::open.

#include <map>
#include <mutex>
#include <optional>

#include "lake/snapshot_builder.h"
#include "lake/snapshot_expiry.h"
#include "lake/table_files.h"

namespace headrace::lake {

class StoreCatalog final : public Catalog {
 public:
  StoreCatalog(store::MetadataStore& store, FileSystem& files, Clock& clock, Random& random,
               const CatalogOptions& options);

  std::vector<std::string> databases() override;
  std::vector<TableIdentifier> list(const std::string& database) override;
  TablePtr load(const TableIdentifier& identifier) override;
  TablePtr find(const TableIdentifier& identifier) override;
  std::map<TableIdentifier, int64_t> versions() override;
  TablePtr create(const CreateTable& request) override;
  void drop(const TableIdentifier& identifier, bool purge) override;
  std::vector<TablePtr> commit(const std::vector<TableChange>& changes) override;
  std::string data_directory(const Table& table) override;
  std::vector<DataFile> files(const Table& table, std::optional<SnapshotId> snapshot) override;
  std::vector<DataFile> files_added_after(const Table& table,
                                          std::optional<SnapshotId> after) override;

 private:
  struct Pointer {
    int64_t version = 0;                  // 0: there is no entry
    std::optional<std::string> location;  // nullopt: no entry, or a tombstone
  };
  // What one attempt of a commit has made of one table.
  struct Attempt {
    TablePtr before;
    std::shared_ptr<Table> after;
    Expired expired;
  };
  using Builders = std::vector<std::unique_ptr<SnapshotBuilder>>;

  std::vector<DataFile> live_files(const Table& table, const Snapshot& snapshot,
                                   ManifestContent content);
  Pointer pointer(const TableIdentifier& identifier);
  TablePtr cached(const TableIdentifier& identifier, const Pointer& at);
  void remember(TablePtr table);
  TablePtr table_at(const TableIdentifier& identifier, const Pointer& at);

  std::vector<TablePtr> try_commit(Builders& builders);
  Attempt attempt(SnapshotBuilder& builder, int64_t now_ms);
  void move_pointers(const Builders& builders, const std::vector<Attempt>& attempts);
  bool is_committed(const SnapshotBuilder& builder, const Attempt& attempt);
  bool settle(const SnapshotBuilder& builder, const Attempt& attempt);
  void check_leases(const Builders& builders);
  void discard(Builders& builders, const std::vector<Attempt>& attempts) noexcept;
  void discard_added(const Builders& builders) noexcept;
  void back_off(int attempt);

  store::MetadataStore& store_;
  FileSystem& file_system_;
  Clock& clock_;
  Random& random_;
  const CatalogOptions options_;
  TableFiles files_;
  std::mutex mutex_;  // guards tables_
  std::map<TableIdentifier, TablePtr> tables_;
};

inline constexpr const char* kTablesSpace = "tables";
std::string pointer_value(const std::string& metadata_location);

}  // namespace headrace::lake
