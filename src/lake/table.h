#pragma once

// Iceberg tables: metadata, snapshots, data files, and commits through the catalog.
//
// A Table is an immutable picture of one metadata file; loading again gives a newer one. A commit
// is made of TableChange values; see Catalog. Facts: Iceberg table spec, format versions 2 and 3.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/shared_value.h"
#include "lake/snapshot.h"
#include "lake/types.h"
#include "objects/object_store.h"
#include "objects/uri.h"
#include "store/leases.h"
#include "store/metadata_store.h"

namespace headrace::lake {

// The branch that is a table's current state.
inline constexpr const char* kMainBranch = "main";

struct TableIdentifier {
  std::string database;  // bronze, silver, gold, or the user's own
  std::string name;
  std::string to_string() const { return database + "." + name; }
  auto operator<=>(const TableIdentifier&) const = default;
};

// A value of a partition field, already transformed; as text in DuckDB's spelling, nullopt for
// null.
using PartitionValues = std::vector<std::optional<std::string>>;

class DeleteSet;
struct ManifestEntry;  // manifest.h
struct ManifestFile;

// What the rows of a file are (spec, "Manifests", field 134).
enum class FileContent { kData = 0, kPositionDeletes = 1, kEqualityDeletes = 2 };

// What a file's columns hold, by field id, and where its parts begin.
struct FileFigures {
  std::map<int, int64_t> column_sizes = {};
  std::map<int, int64_t> value_counts = {};
  std::map<int, int64_t> null_value_counts = {};
  std::map<int, int64_t> nan_value_counts = {};
  std::map<int, std::string> lower_bounds = {};  // Iceberg single-value serialization
  std::map<int, std::string> upper_bounds = {};
  std::vector<int64_t> split_offsets = {};
};

// A file of a table: of rows, or of deletes of rows.
struct DataFile {
  std::string path = {};  // absolute URI (file:///…, s3://…)
  int spec_id = 0;
  PartitionValues partition = {};  // in the order of the spec's fields
  int64_t record_count = 0;
  int64_t file_size_bytes = 0;
  SharedValue<FileFigures> figures = {};
  std::optional<int> sort_order_id = {};
  FileContent content = FileContent::kData;
  std::optional<std::string> referenced_data_file = {};  // of position deletes that are all of it
  std::vector<int> equality_ids = {};                    // of equality deletes
  // Of a deletion vector (format 3): where its blob lies in the Puffin file at `path`.
  std::optional<int64_t> content_offset = {};
  std::optional<int64_t> content_size_bytes = {};
  std::optional<int64_t> first_row_id = {};  // of a data file, in format 3

  bool is_deletion_vector() const { return content_offset.has_value(); }
  // What tells it from the table's other files: its path; of a deletion vector, which shares its
  // file with others, also its place there.
  std::string identity() const;
  // Set on files read from a table:
  int64_t sequence_number = 0;
  SnapshotId added_snapshot_id = 0;
  // Of a data file: the delete files that apply to it, and its deleted rows (delete_set.h) with the
  // file's number among theirs; none when there are no position deletes.
  std::vector<std::shared_ptr<const DataFile>> deletes = {};
  std::shared_ptr<DeleteSet> delete_set = {};
  size_t delete_number = 0;
};

// Rows of a data file without those that its own delete files remove. Deletes that stand together
// with those of other files are not counted.
int64_t live_rows(const DataFile& file);

// Whether rows are deleted by their values, as other engines do: their places are in no delete
// file.
bool has_equality_deletes(const DataFile& file);

struct TableMetadata {
  int format_version = 2;   // 2 or 3
  int64_t next_row_id = 0;  // format 3
  std::string table_uuid;
  std::string location = {};  // URI
  int64_t last_sequence_number = 0;
  int64_t last_updated_ms = 0;
  int last_column_id = 0;
  int current_schema_id = 0;
  std::vector<Schema> schemas = {};
  int default_spec_id = 0;
  std::vector<PartitionSpec> partition_specs = {};
  int last_partition_id = 999;
  int default_sort_order_id = 0;
  JsonArray sort_orders;
  std::map<std::string, std::string> properties = {};
  std::optional<SnapshotId> current_snapshot_id = {};
  SnapshotList snapshots = {};
  std::vector<SnapshotLogEntry> snapshot_log = {};
  JsonArray metadata_log;
  JsonObject refs;
  JsonObject unknown;  // members written by other engines ("statistics", …), kept as they are

  const Schema& current_schema() const;
  const PartitionSpec& default_spec() const;
  const PartitionSpec& spec(int spec_id) const;  // corrupt when there is none
  const Snapshot* current_snapshot() const;      // nullptr: empty table
  const Snapshot* snapshot(SnapshotId id) const;
};

Json to_json(const TableMetadata& metadata);
// The same as text, with the texts of snapshots used that are kept.
std::string to_text(const TableMetadata& metadata);
void keep_snapshot_texts(TableMetadata& metadata);
TableMetadata table_metadata_from_json(const Json& json);

struct Table {
  TableIdentifier identifier = {};
  std::string metadata_location;
  int64_t catalog_version = 0;  // of the pointer in the metadata store
  TableMetadata metadata;
};
using TablePtr = std::shared_ptr<const Table>;

struct CreateTable {
  TableIdentifier identifier = {};
  Schema schema = {};
  std::vector<std::string> partition_by = {};  // as in parse_partition_field
  std::map<std::string, std::string> properties = {};
  std::string location = {};              // empty: <warehouse>/<database>/<name>
  std::vector<std::string> sort_by = {};  // columns by which files are sorted: "ts", "amount desc"
  int format_version = 2;                 // 2 or 3
};

// One change of a table's columns or partitioning. `change`: add, drop, rename, widen (another
// type) or partition; members of structs are named like "address.city".
struct SchemaDifference {
  std::string change;
  std::string column;
  std::string before;
  std::string after;
};

// The same with its circumstances, as kept for ever in the metadata store.
struct SchemaChange {
  TableIdentifier table;
  int64_t changed_at_ms = 0;
  std::string cause;
  SchemaDifference what;
};

// Which snapshots stay when others are expired.
struct SnapshotRetention {
  int keep_snapshots = 1;         // the newest ones, whatever their age
  int64_t keep_snapshots_ms = 0;  // and those that are not older
};

// What one commit does to one table. All of it or nothing becomes visible. A snapshot is made when
// files or summary entries are given; otherwise only the metadata changes.
struct TableChange {
  TablePtr base = {};                  // what the change was computed from
  std::vector<DataFile> added = {};    // data files and delete files
  std::vector<DataFile> removed = {};  // likewise, by identity; conflict when one is gone already
  // Added to the snapshot's own entries. What headrace keeps in the parent's goes on in the new
  // snapshot unless it is given here: carried_summary.h.
  Summary summary = {};
  std::string operation = "append";  // append | overwrite | replace | delete
  // Refuse with conflict when the current snapshot's summary does not hold this value for this key
  // (nullopt: the key must be absent). The job's guard against a second writer.
  std::map<std::string, std::optional<std::string>> expected_summary = {};
  // Refuse with conflict when anything was committed since `base`. For deletes by position: another
  // writer may have moved or changed the rows.
  bool only_on_base = false;
  std::map<std::string, std::string> set_properties = {};
  // The columns from this commit on: known ids may get another name, a wider type (int → long,
  // float → double, more decimal digits) or go; columns with id 0 are new and get one. Files that
  // lack a column read as NULL there. conflict when the schema moved on since `base`.
  std::optional<Schema> new_schema = {};
  // The table's sort order from this commit on, as in CreateTable; files that are there stay.
  std::optional<std::vector<std::string>> sort_by = {};
  // To a greater format version from this commit on.
  std::optional<int> format_version = {};
  // How files written from now on are divided, as in parse_partition_field; files that are there
  // stay as they are.
  std::optional<std::vector<std::string>> new_partition_by = {};
  // Who changes the columns or the partitioning, and why: for schema_changes().
  std::string cause = {};
  // Snapshots that these do not keep go with this commit, instead of those that the catalog's
  // options say.
  std::optional<SnapshotRetention> retention = {};
  // An older snapshot becomes the current one. Alone in its change; not_found when it has expired.
  std::optional<SnapshotId> roll_back_to = {};
  // Committed only while this lease has not been taken by another; conflict otherwise.
  std::optional<store::Lease> lease = {};
};

struct CatalogOptions {
  std::string warehouse = {};  // local directory, or s3://bucket/prefix
  std::string staging = {};    // local directory of files on their way to S3
  int keep_snapshots = 100;    // newer ones than these are kept; older are expired by commits
  int64_t keep_snapshots_ms =
      5 * 24 * 3600 * 1000LL;  // and none younger than this is, unless there are > max
  int max_snapshots = 200;
  int keep_metadata_files = 20;
  int merge_manifests_at = 50;         // small manifests are merged when there are this many
  bool removes_in_background = false;  // the files of what has expired
  // Told by the thread that committed, when the commit expired snapshots: of which table, how many,
  // and how many files went with them. Must not throw.
  std::function<void(const TableIdentifier&, size_t snapshots, size_t files)> on_expired = {};
};

class OpenCatalog;

// The catalog over the metadata store and the files of the warehouse.
// Thread use: from any thread. Errors: not_found, already_exists, conflict, commit_unknown,
// corrupt, unavailable.
class Catalog {
 public:
  static std::unique_ptr<Catalog> open(store::MetadataStore& store, FileSystem& files, Clock& clock,
                                       Random& random, const CatalogOptions& options);
  // The same with tables wherever `objects` reaches, which must outlive it.
  static std::unique_ptr<Catalog> open(store::MetadataStore& store, FileSystem& files,
                                       objects::ObjectStore& objects, Clock& clock, Random& random,
                                       const CatalogOptions& options);
  virtual ~Catalog() = default;

  // The same for other engines: namespaces, their commits, their views (lake/open_catalog.h).
  virtual OpenCatalog& open_side() = 0;

  virtual std::vector<std::string> databases() = 0;  // created ones, and those of tables
  virtual std::vector<TableIdentifier> list(const std::string& database) = 0;  // "" = all
  virtual TablePtr load(const TableIdentifier& identifier) = 0;                // not_found
  virtual TablePtr find(const TableIdentifier& identifier) = 0;  // nullptr when absent
  // Table::catalog_version of every table, read at once: it grows with each commit to a table,
  // whoever made it.
  virtual std::map<TableIdentifier, int64_t> versions() = 0;
  virtual TablePtr create(const CreateTable& request) = 0;
  virtual void drop(const TableIdentifier& identifier, bool purge) = 0;

  // Commits changes to several tables at once: their manifests and metadata are written and synced,
  // then one transaction of the metadata store moves all pointers. When a table moved on meanwhile,
  // an append is re-based on it and tried again; other operations are re-based if the files they
  // remove are still there. Returns the new tables in the same order.
  virtual std::vector<TablePtr> commit(const std::vector<TableChange>& changes) = 0;

  // Where the files of tables are.
  virtual objects::ObjectStore& objects() = 0;

  // Where the engine writes new data files of a table (local directory; created).
  virtual std::string data_directory(const Table& table) = 0;
  // Makes files that were written there durable files of the table, though of no snapshot yet, and
  // returns their URIs in the same order: they stay where they are, or go to S3. When it fails none
  // is left.
  virtual std::vector<std::string> publish_files(const Table& table,
                                                 const std::vector<std::string>& paths) = 0;
  // Removes files that no commit took; what cannot be removed stays as an orphan.
  virtual void discard_files(const std::vector<DataFile>& written) noexcept = 0;

  // Live data files of a snapshot (default: current), each with the deletes that apply to it.
  virtual std::vector<DataFile> files(const Table& table,
                                      std::optional<SnapshotId> snapshot = {}) = 0;
  // The manifests of a snapshot, of data and of deletes, and the entries of one of them.
  virtual std::shared_ptr<const std::vector<ManifestFile>> manifests(const Table& table,
                                                                     SnapshotId snapshot) = 0;
  virtual std::shared_ptr<const std::vector<ManifestEntry>> entries(
      const Table& table, const ManifestFile& manifest) = 0;
  // Live delete files of the current snapshot, whether they apply to a data file or not.
  virtual std::vector<DataFile> delete_files(const Table& table) = 0;
  // Data files added by snapshots after `after` up to the current one, in commit order, without
  // those that were added by "replace", each with the deletes that apply to it now. nullopt: all
  // live files. not_found when `after` was expired.
  virtual std::vector<DataFile> files_added_after(const Table& table,
                                                  std::optional<SnapshotId> after) = 0;
  // Every change of columns or partitioning that was committed to any table, whoever made it; the
  // oldest first. Those of dropped tables stay.
  virtual std::vector<SchemaChange> schema_changes() = 0;
  // URIs of all files that any of the table's snapshots needs, and of its metadata files.
  virtual std::set<std::string> referenced_files(const Table& table) = 0;
};

using objects::file_uri;
using objects::local_path;
// How SQL names a file: /a/b for file:///a/b; URIs in S3 as they are (object_files.h).
std::string engine_path(const std::string& uri);

}  // namespace headrace::lake
