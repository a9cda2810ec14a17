#include "maintenance/orphans.h"

#include <set>
#include <string>
#include <vector>

#include "base/error.h"

namespace headrace::maintenance {
namespace {

bool may_remove(const lake::Table& table) {
  const auto property = table.metadata.properties.find("gc.enabled");
  return property == table.metadata.properties.end() || property->second != "false";
}

// Names are compared, not paths: one file can be spelt in many ways, and names hold a UUID.
std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

void check_own_folder(lake::Catalog& catalog, const lake::Table& table) {
  const std::string folder = table.metadata.location + "/";
  for (const lake::TableIdentifier& other : catalog.list("")) {
    if (other == table.identifier) continue;
    const lake::TablePtr found = catalog.find(other);
    if (found == nullptr) continue;
    const std::string other_folder = found->metadata.location + "/";
    if (!folder.starts_with(other_folder) && !other_folder.starts_with(folder)) continue;
    fail(ErrorKind::kUnsupported,
         "removing orphans of {}: table {} keeps its files in the same folder, {}",
         table.identifier.to_string(), other.to_string(), table.metadata.location);
  }
}

}  // namespace

Removed remove_orphans(lake::Catalog& catalog, Clock& clock,
                       const lake::TableIdentifier& identifier, milliseconds older_than) {
  Removed removed;
  objects::ObjectStore& objects = catalog.objects();
  const std::string folder = objects::normalized(catalog.load(identifier)->metadata.location);
  const Timestamp before = clock.now() - older_than;
  std::vector<objects::ObjectInfo> candidates;
  for (const char* part : {"/data", "/metadata"}) {
    objects.list(folder + part, [&](const objects::ObjectInfo& object) {
      if (object.modified_micros < micros_since_epoch(before)) candidates.push_back(object);
    });
  }
  const lake::TablePtr table = catalog.load(identifier);
  if (!may_remove(*table) || objects::normalized(table->metadata.location) != folder) {
    return removed;
  }
  check_own_folder(catalog, *table);
  std::set<std::string> referenced;
  for (const std::string& uri : catalog.referenced_files(*table)) referenced.insert(name_of(uri));
  std::vector<std::string> orphans;
  for (const objects::ObjectInfo& candidate : candidates) {
    if (referenced.contains(name_of(candidate.uri))) continue;
    orphans.push_back(candidate.uri);
    ++removed.files;
    removed.bytes += static_cast<int64_t>(candidate.size_bytes);
  }
  if (!orphans.empty()) objects.remove(orphans);
  objects.remove_abandoned_uploads(folder, before);
  return removed;
}

}  // namespace headrace::maintenance
