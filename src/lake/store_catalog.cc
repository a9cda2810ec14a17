// Looking tables up, creating and dropping them.

#include "lake/store_catalog.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "lake/format_version.h"
#include "lake/name_mapping.h"
#include "lake/schema_log.h"
#include "lake/sort_order.h"
#include "lake/transform.h"
#include "objects/folder_store.h"

namespace headrace::lake {
namespace {

constexpr int kFirstPartitionFieldId = 1000;
constexpr size_t kMaxNameLength = 128;
constexpr int kMaxLoadAttempts = 5;

}  // namespace

void check_name(std::string_view what, const std::string& name) {
  const bool allowed = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == ' ' || static_cast<uint8_t>(c) >= 0x80;
  });
  if (!name.empty() && name.size() <= kMaxNameLength && allowed) return;
  fail(ErrorKind::kInvalid,
       "naming a {} \"{}\": use 1 to {} letters, digits, spaces, \"_\" and \"-\"", what, name,
       kMaxNameLength);
}

void check_location(const std::string& uri) {
  const std::string path = objects::is_s3(uri) ? uri : local_path(uri);
  const size_t bad = path.find_first_of("*?[]{}#%\\'\"\n");
  if (bad == std::string::npos) return;
  fail(ErrorKind::kInvalid,
       "keeping tables in {}: the character {} in a path has a meaning for readers of Iceberg; "
       "choose another directory",
       path, path.substr(bad, 1));
}

namespace {

std::string absolute(const std::string& path) {
  std::string full = std::filesystem::absolute(path).lexically_normal().string();
  while (full.size() > 1 && full.back() == '/') full.pop_back();
  return full;
}

CatalogOptions checked(CatalogOptions options) {
  if (options.warehouse.empty()) {
    fail(ErrorKind::kInvalid, "opening the catalog: no warehouse directory is given");
  }
  options.warehouse = objects::normalized(
      objects::is_s3(options.warehouse) ? options.warehouse : absolute(options.warehouse));
  check_location(options.warehouse);
  return options;
}

std::string given_location(const std::string& location) {
  const std::string uri =
      objects::normalized(objects::is_s3(location) ? location : absolute(local_path(location)));
  check_location(uri);
  return uri;
}

void check_types(const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    if (field.type.kind == TypeKind::kFixed) {
      fail(ErrorKind::kUnsupported,
           "creating a table: column \"{}\" is fixed[{}], which DuckDB cannot write; use binary",
           field.name, field.type.length);
    }
    check_types(field.type.fields);
  }
}

TableMetadata first_metadata(const CreateTable& request, const std::string& location,
                             Random& random, int64_t now_ms) {
  check_types(request.schema.fields);
  TableMetadata metadata;
  check_format_version(request.format_version, "creating " + request.identifier.to_string());
  metadata.format_version = request.format_version;
  metadata.table_uuid = make_uuid(random);
  metadata.location = location;
  metadata.last_updated_ms = now_ms;
  metadata.schemas = {request.schema};
  metadata.current_schema_id = request.schema.schema_id;
  metadata.last_column_id = request.schema.highest_field_id();
  PartitionSpec spec;
  for (const std::string& text : request.partition_by) {
    const int id = kFirstPartitionFieldId + static_cast<int>(spec.fields.size());
    spec.fields.push_back(parse_partition_field(text, request.schema, id));
    metadata.last_partition_id = id;
  }
  metadata.partition_specs = {std::move(spec)};
  metadata.sort_orders = {JsonObject{{"order-id", 0}, {"fields", JsonArray{}}}};
  if (!request.sort_by.empty()) set_sort_order(metadata, request.sort_by);
  metadata.properties = {{kNameMappingProperty, name_mapping(request.schema)},
                         {"write.parquet.compression-codec", "zstd"}};
  for (const auto& [key, value] : request.properties) metadata.properties[key] = value;
  return metadata;
}

// The version of each table's pointer, in a database or ("") in all.
std::map<TableIdentifier, int64_t> versions_below(store::MetadataStore& store,
                                                  const std::string& database) {
  std::map<TableIdentifier, int64_t> versions;
  const std::string prefix = database.empty() ? "" : database + ".";
  for (const store::Entry& entry : store.list(kTablesSpace, prefix)) {
    const size_t dot = entry.key.find('.');
    const Json value = parse_json(entry.value, "a table's pointer");
    if (dot == std::string::npos || find_member(value, "metadata_location") == nullptr) continue;
    versions[{entry.key.substr(0, dot), entry.key.substr(dot + 1)}] = entry.version;
  }
  return versions;
}

}  // namespace

std::string pointer_value(const std::string& metadata_location) {
  return to_text(JsonObject{{"metadata_location", metadata_location}});
}

std::string tombstone() { return to_text(JsonObject{{"dropped", true}}); }

std::unique_ptr<Catalog> Catalog::open(store::MetadataStore& store, FileSystem& files, Clock& clock,
                                       Random& random, const CatalogOptions& options) {
  return std::make_unique<StoreCatalog>(store, files, objects::make_folder_store(files), clock,
                                        random, options);
}

std::unique_ptr<Catalog> Catalog::open(store::MetadataStore& store, FileSystem& files,
                                       objects::ObjectStore& objects, Clock& clock, Random& random,
                                       const CatalogOptions& options) {
  return std::make_unique<StoreCatalog>(store, files, objects, clock, random, options);
}

StoreCatalog::StoreCatalog(store::MetadataStore& store, FileSystem& files,
                           objects::ObjectStore& objects, Clock& clock, Random& random,
                           const CatalogOptions& options)
    : store_(store),
      file_system_(files),
      objects_(objects),
      clock_(clock),
      random_(random),
      options_(checked(options)),
      files_(objects, random, options_.removes_in_background) {}

StoreCatalog::StoreCatalog(store::MetadataStore& store, FileSystem& files,
                           std::unique_ptr<objects::ObjectStore> objects, Clock& clock,
                           Random& random, const CatalogOptions& options)
    : store_(store),
      own_objects_(std::move(objects)),
      file_system_(files),
      objects_(*own_objects_),
      clock_(clock),
      random_(random),
      options_(checked(options)),
      files_(objects_, random, options_.removes_in_background) {}

std::vector<TableIdentifier> StoreCatalog::list(const std::string& database) {
  std::vector<TableIdentifier> identifiers;
  for (const auto& [identifier, version] : versions_below(store_, database)) {
    identifiers.push_back(identifier);
  }
  return identifiers;
}

std::map<TableIdentifier, int64_t> StoreCatalog::versions() { return versions_below(store_, ""); }

std::vector<SchemaChange> StoreCatalog::schema_changes() {
  std::vector<SchemaChange> changes;
  for (const store::Entry& entry : store_.list(kSchemaChangesSpace, "")) {
    const std::string table = entry.key.substr(0, entry.key.rfind('/'));
    const size_t dot = table.find('.');
    if (dot == std::string::npos) continue;
    for (SchemaChange& change :
         schema_changes_from_text({table.substr(0, dot), table.substr(dot + 1)}, entry.value)) {
      changes.push_back(std::move(change));
    }
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const auto& a, const auto& b) { return a.changed_at_ms < b.changed_at_ms; });
  return changes;
}

StoreCatalog::Pointer StoreCatalog::pointer(const TableIdentifier& identifier) {
  Pointer found;
  const auto entry = store_.get(kTablesSpace, identifier.to_string());
  if (!entry) return found;
  found.version = entry->version;
  const Json value = parse_json(entry->value, "a table's pointer");
  if (const Json* location = find_member(value, "metadata_location")) {
    found.location = std::string(location->as_string());
  }
  if (const Json* location = find_member(value, "view_metadata_location")) {
    found.view_location = std::string(location->as_string());
  }
  return found;
}

TablePtr StoreCatalog::cached(const TableIdentifier& identifier, const Pointer& at) {
  const std::lock_guard lock(mutex_);
  const auto found = tables_.find(identifier);
  if (found == tables_.end() || found->second->catalog_version != at.version ||
      found->second->metadata_location != *at.location) {
    return nullptr;
  }
  return found->second;
}

void StoreCatalog::remember(TablePtr table) {
  const std::lock_guard lock(mutex_);
  TablePtr& known = tables_[table->identifier];
  if (known == nullptr || known->catalog_version < table->catalog_version) known = std::move(table);
}

void StoreCatalog::remove_expired(const Table& table, const Expired& expired) {
  const size_t removed = remove_expired_files(files_, table.metadata, expired);
  if (expired.snapshots.empty() || !options_.on_expired) return;
  options_.on_expired(table.identifier, expired.snapshots.size(), removed);
}

TablePtr StoreCatalog::table_at(const TableIdentifier& identifier, const Pointer& at) {
  if (TablePtr known = cached(identifier, at)) return known;
  auto table = std::make_shared<Table>();
  table->identifier = identifier;
  table->metadata_location = *at.location;
  table->catalog_version = at.version;
  table->metadata = files_.read_metadata(*at.location);
  remember(table);
  return table;
}

TablePtr StoreCatalog::find(const TableIdentifier& identifier) {
  for (int attempt = 1;; ++attempt) {
    const Pointer at = pointer(identifier);
    if (!at.location) return nullptr;
    try {
      return table_at(identifier, at);
    } catch (const Error&) {
      // Old metadata files are removed by commits: the pointer may have moved on meanwhile.
      if (attempt == kMaxLoadAttempts || pointer(identifier).version == at.version) throw;
    }
  }
}

TablePtr StoreCatalog::load(const TableIdentifier& identifier) {
  if (TablePtr table = find(identifier)) return table;
  fail(ErrorKind::kNotFound, "table {} does not exist", identifier.to_string());
}

TablePtr StoreCatalog::create(const CreateTable& request) {
  check_name("database", request.identifier.database);
  check_name("table", request.identifier.name);
  const Pointer before = pointer(request.identifier);
  check_free(request.identifier, before);
  const std::string location = request.location.empty() ? default_location(request.identifier)
                                                        : given_location(request.location);
  auto table = std::make_shared<Table>();
  table->identifier = request.identifier;
  table->metadata = first_metadata(request, location, random_, millis_since_epoch(clock_.now()));
  make_folders(location);
  return publish(std::move(table), before.version);
}

// The first metadata file of a new table, and the pointer to it.
TablePtr StoreCatalog::publish(std::shared_ptr<Table> table, int64_t version_before) {
  const std::string name = table->identifier.to_string();
  table->metadata_location = files_.write_metadata(table->metadata, "");
  table->catalog_version = version_before + 1;
  try {
    store_.apply({{kTablesSpace, name, pointer_value(table->metadata_location), version_before}});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kConflict) throw;
    files_.remove_best_effort(table->metadata_location);
    fail(ErrorKind::kAlreadyExists, "table {} exists already: it was created meanwhile", name);
  }
  remember(table);
  return table;
}

void StoreCatalog::drop(const TableIdentifier& identifier, bool with_files) {
  const TablePtr table = load(identifier);
  if (with_files) check_not_shared(*table);
  store_.apply({{kTablesSpace, identifier.to_string(), tombstone(), table->catalog_version}});
  if (with_files) purge(*table);
}

}  // namespace headrace::lake
