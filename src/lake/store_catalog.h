#pragma once

// The catalog over a metadata store: space "tables", key "<database>.<table>", value
// {"metadata_location": …}, or {"view_metadata_location": …} for a view of another engine. What is
// dropped leaves the tombstone {"dropped": true}, so that the version of its entry goes on and a
// commit that began before the drop cannot hit a new table of the same name. Space "namespaces":
// {"properties": {…}} by name. Space "schema_changes": schema_log.h. Private to this module; use
// Catalog::open.

#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "lake/open_catalog.h"
#include "lake/snapshot_builder.h"
#include "lake/snapshot_expiry.h"
#include "lake/table_files.h"

namespace headrace::lake {

class StoreCatalog final : public Catalog, public OpenCatalog {
 public:
  StoreCatalog(store::MetadataStore& store, FileSystem& files, objects::ObjectStore& objects,
               Clock& clock, Random& random, const CatalogOptions& options);
  // Takes over the store of objects.
  StoreCatalog(store::MetadataStore& store, FileSystem& files,
               std::unique_ptr<objects::ObjectStore> objects, Clock& clock, Random& random,
               const CatalogOptions& options);

  OpenCatalog& open_side() override { return *this; }
  std::vector<std::string> databases() override;
  std::vector<TableIdentifier> list(const std::string& database) override;
  TablePtr load(const TableIdentifier& identifier) override;
  TablePtr find(const TableIdentifier& identifier) override;
  std::map<TableIdentifier, int64_t> versions() override;
  TablePtr create(const CreateTable& request) override;
  void drop(const TableIdentifier& identifier, bool with_files) override;
  std::vector<TablePtr> commit(const std::vector<TableChange>& changes) override;
  objects::ObjectStore& objects() override { return objects_; }
  std::string data_directory(const Table& table) override;
  std::vector<std::string> publish_files(const Table& table,
                                         const std::vector<std::string>& paths) override;
  void discard_files(const std::vector<DataFile>& written) noexcept override;
  std::vector<DataFile> files(const Table& table, std::optional<SnapshotId> snapshot) override;
  ManifestListPtr manifests(const Table& table, SnapshotId snapshot) override;
  ManifestEntriesPtr entries(const Table& table, const ManifestFile& manifest) override;
  std::vector<DataFile> delete_files(const Table& table) override;
  std::vector<DataFile> files_added_after(const Table& table,
                                          std::optional<SnapshotId> after) override;
  std::vector<SchemaChange> schema_changes() override;
  std::set<std::string> referenced_files(const Table& table) override;

  // OpenCatalog
  std::optional<Properties> find_namespace(const std::string& name) override;
  void create_namespace(const std::string& name, const Properties& properties) override;
  void set_namespace_properties(const std::string& name, const Properties& properties) override;
  void drop_namespace(const std::string& name) override;
  TablePtr create(const NewTable& request, bool staged) override;
  TablePtr register_table(const TableIdentifier& identifier, const std::string& metadata_location,
                          bool overwrite) override;
  void rename(const TableIdentifier& from, const TableIdentifier& to) override;
  std::vector<TablePtr> commit_updates(const std::vector<TableUpdates>& tables) override;
  std::vector<TableIdentifier> list_views(const std::string& database) override;
  std::optional<View> find_view(const TableIdentifier& identifier) override;
  View create_view(const std::string& database, const Json& request) override;
  View commit_view(const TableIdentifier& identifier, const Json& request) override;
  void drop_view(const TableIdentifier& identifier) override;
  void rename_view(const TableIdentifier& from, const TableIdentifier& to) override;

 private:
  struct Pointer {
    int64_t version = 0;                       // 0: there is no entry
    std::optional<std::string> location;       // of a table
    std::optional<std::string> view_location;  // neither: no entry, or a tombstone
  };
  // What one attempt of a commit has made of one table.
  struct Attempt {
    TablePtr before;
    std::shared_ptr<Table> after;
    Expired expired;
  };
  // The same of a commit from outside.
  struct UpdateAttempt {
    TableIdentifier identifier;
    int64_t version_before = 0;
    TablePtr before;  // nullptr: the table is made
    std::shared_ptr<Table> after;
    Expired expired;
    std::vector<std::string> files;  // written for it
  };
  // How a commit moves the pointer of one table.
  struct PointerMove {
    TableIdentifier identifier;
    int64_t version_before = 0;
    std::string location_after;
    std::optional<SnapshotId> snapshot_id;  // that it adds, if it does
  };
  using Builders = std::vector<std::unique_ptr<SnapshotBuilder>>;

  std::vector<DataFile> live_files(const Table& table, const Snapshot& snapshot,
                                   ManifestContent content);
  Pointer pointer(const TableIdentifier& identifier);
  TablePtr cached(const TableIdentifier& identifier, const Pointer& at);
  void remember(TablePtr table);
  // Of a table that is committed: the files of what the commit expired.
  void remove_expired(const Table& table, const Expired& expired);
  TablePtr table_at(const TableIdentifier& identifier, const Pointer& at);

  std::vector<TablePtr> try_commit(Builders& builders);
  Attempt attempt(SnapshotBuilder& builder, int64_t now_ms);
  void move_pointers(const Builders& builders, const std::vector<Attempt>& attempts);
  void check_leases(const Builders& builders);
  void discard(Builders& builders, const std::vector<Attempt>& attempts) noexcept;
  void discard_added(const Builders& builders) noexcept;
  void back_off(int attempt);

  // After an error other than a conflict while pointers moved. Returns when they have moved. Throws
  // otherwise: when they have not, and never will, after `discard`; or commit_unknown.
  void find_outcome(const Error& error, const std::string& tables, const PointerMove& move,
                    const std::function<void()>& discard);
  bool has_moved(const PointerMove& move);
  bool settle(const PointerMove& move);

  std::vector<TablePtr> try_updates(const std::vector<TableUpdates>& tables);
  UpdateAttempt attempt_updates(const TableUpdates& table, int64_t now_ms);
  TablePtr table_to_change(const TableUpdates& table, const Pointer& at);
  void check_snapshots(const MetadataBuilder& builder, const TableMetadata& metadata);

  void check_free(const TableIdentifier& identifier, const Pointer& at) const;
  void check_new(const TableIdentifier& identifier);
  std::string default_location(const TableIdentifier& identifier);
  std::string checked_location(const std::string& location) const;
  void check_not_shared(const Table& table);
  void make_folders(const std::string& location);
  TablePtr publish(std::shared_ptr<Table> table, int64_t version_before);
  void purge(const Table& table);
  void move_entry(const TableIdentifier& from, int64_t version, const TableIdentifier& to,
                  const std::string& value);
  View write_view(const TableIdentifier& identifier, int64_t version_before, Json metadata);

  store::MetadataStore& store_;
  const std::unique_ptr<objects::ObjectStore> own_objects_;
  FileSystem& file_system_;
  objects::ObjectStore& objects_;
  Clock& clock_;
  Random& random_;
  const CatalogOptions options_;
  TableFiles files_;
  std::mutex mutex_;  // guards tables_
  std::map<TableIdentifier, TablePtr> tables_;
};

inline constexpr const char* kTablesSpace = "tables";
inline constexpr const char* kNamespacesSpace = "namespaces";
std::string pointer_value(const std::string& metadata_location);
std::string tombstone();
// Names become folders, and parts of URIs and keys. Error invalid.
void check_name(std::string_view what, const std::string& name);
// Readers take some characters for wildcards or for parts of a URI. Error invalid.
void check_location(const std::string& uri);

}  // namespace headrace::lake
