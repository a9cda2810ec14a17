// Tables that other engines create, register, rename and drop.

#include <set>

#include "base/error.h"
#include "lake/store_catalog.h"
#include "telemetry/log.h"

namespace headrace::lake {
namespace {

using objects::is_within;
using objects::normalized;

bool overlap(const std::string& a, const std::string& b) {
  return a == b || is_within(a, b) || is_within(b, a);
}

// All files that the table's metadata leads to.
std::set<std::string> files_of(TableFiles& files, const Table& table) {
  std::set<std::string> uris = {table.metadata_location};
  for (const Json& entry : table.metadata.metadata_log) {
    uris.insert(string_member(entry, "metadata-file"));
  }
  for (const Snapshot& snapshot : table.metadata.snapshots) {
    uris.insert(snapshot.manifest_list);
    for (const auto list = files.manifest_list(snapshot); const ManifestFile& manifest : *list) {
      uris.insert(manifest.path);
      for (const auto entries = files.manifest(table.metadata, manifest);
           const ManifestEntry& entry : *entries) {
        uris.insert(entry.file.path);
      }
    }
  }
  return uris;
}

}  // namespace

void StoreCatalog::check_free(const TableIdentifier& identifier, const Pointer& at) const {
  if (!at.location && !at.view_location) return;
  fail(ErrorKind::kAlreadyExists, "{} {} exists already", at.location ? "table" : "view",
       identifier.to_string());
}

// A name for a table or view of another engine.
void StoreCatalog::check_new(const TableIdentifier& identifier) {
  check_name("table", identifier.name);
  if (!find_namespace(identifier.database)) {
    fail(ErrorKind::kNotFound, "namespace {} does not exist", identifier.database);
  }
}

// A renamed table keeps its folder: a new one of its old name gets another.
std::string StoreCatalog::default_location(const TableIdentifier& identifier) {
  std::string uri = options_.warehouse + "/" + identifier.database + "/" + identifier.name;
  if (!objects_.is_empty(uri + "/metadata")) uri += "-" + make_uuid(random_);
  return uri;
}

// Dropping a table removes its folder, so it must be nobody else's.
std::string StoreCatalog::checked_location(const std::string& location) const {
  const std::string uri = normalized(location);
  check_location(uri);
  const bool is_deep = is_within(uri, options_.warehouse) &&
                       uri.find('/', options_.warehouse.size() + 1) != std::string::npos;
  if (!is_deep) {
    fail(ErrorKind::kInvalid,
         "a table cannot lie in {}: choose a folder in {}/<namespace>/, or give none", location,
         engine_path(options_.warehouse));
  }
  return uri;
}

void StoreCatalog::check_not_shared(const Table& table) {
  const std::string folder = normalized(table.metadata.location);
  for (const TableIdentifier& identifier : list("")) {
    if (identifier == table.identifier) continue;
    const TablePtr other = find(identifier);
    if (other == nullptr || !overlap(folder, normalized(other->metadata.location))) continue;
    fail(ErrorKind::kInvalid, "{}: its folder {} is that of table {}, too",
         table.identifier.to_string(), engine_path(folder), identifier.to_string());
  }
}

void StoreCatalog::make_folders(const std::string& location) {
  objects_.make_folder(location + "/metadata");
  objects_.make_folder(location + "/data");
}

TablePtr StoreCatalog::create(const NewTable& request, bool staged) {
  check_new(request.identifier);
  const Pointer before = pointer(request.identifier);
  check_free(request.identifier, before);
  auto table = std::make_shared<Table>();
  table->identifier = request.identifier;
  const std::string location = request.location.empty() ? default_location(request.identifier)
                                                        : checked_location(request.location);
  table->metadata =
      first_metadata(request, location, make_uuid(random_), millis_since_epoch(clock_.now()));
  check_not_shared(*table);
  make_folders(location);
  return staged ? table : publish(std::move(table), before.version);
}

TablePtr StoreCatalog::register_table(const TableIdentifier& identifier,
                                      const std::string& metadata_location, bool overwrite) {
  check_new(identifier);
  const Pointer before = pointer(identifier);
  if (!overwrite || before.view_location) check_free(identifier, before);
  auto table = std::make_shared<Table>();
  table->identifier = identifier;
  table->metadata_location = normalized(metadata_location);
  if (!objects_.exists(table->metadata_location)) {
    fail(ErrorKind::kInvalid, "registering {}: there is no file {}", identifier.to_string(),
         metadata_location);
  }
  table->metadata = files_.read_metadata(table->metadata_location);
  check_not_shared(*table);
  table->catalog_version = before.version + 1;
  store_.apply({{kTablesSpace, identifier.to_string(), pointer_value(table->metadata_location),
                 before.version}});
  remember(table);
  return table;
}

void StoreCatalog::move_entry(const TableIdentifier& from, int64_t version,
                              const TableIdentifier& to, const std::string& value) {
  check_new(to);
  const Pointer target = pointer(to);
  check_free(to, target);
  store_.apply({{kTablesSpace, from.to_string(), tombstone(), version},
                {kTablesSpace, to.to_string(), value, target.version}});
}

void StoreCatalog::rename(const TableIdentifier& from, const TableIdentifier& to) {
  const TablePtr table = load(from);
  move_entry(from, table->catalog_version, to, pointer_value(table->metadata_location));
}

void StoreCatalog::purge(const Table& table) {
  const std::string folder = normalized(table.metadata.location);
  if (is_within(folder, options_.warehouse)) {
    objects_.remove_folder(folder);
    return;
  }
  // A registered table: its folder may hold what is not its own.
  try {
    std::vector<std::string> own;
    for (const std::string& uri : files_of(files_, table)) {
      if (is_within(normalized(uri), folder)) own.push_back(uri);
    }
    files_.remove_best_effort(own);
  } catch (const Error& error) {
    telemetry::log_warning("lake", "files of a dropped table stay",
                           {{"table", table.identifier.to_string()},
                            {"location", table.metadata.location},
                            {"reason", error.message()}});
  }
}

}  // namespace headrace::lake
