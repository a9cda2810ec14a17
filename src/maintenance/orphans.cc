#include "maintenance/orphans.h"

#include <set>
#include <string>
#include <vector>

#include "base/error.h"

namespace headrace::maintenance {
namespace {

struct Candidate {
  std::string path;
  int64_t bytes = 0;
};

// Folders may go or come while they are looked at.
void collect_old(FileSystem& files, const std::string& directory, int64_t before_micros,
                 std::vector<Candidate>& found) {
  std::vector<FileInfo> entries;
  try {
    entries = files.list(directory);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kNotFound) return;
    throw;
  }
  for (const FileInfo& entry : entries) {
    const std::string path = directory + "/" + entry.name;
    if (entry.is_directory) {
      collect_old(files, path, before_micros, found);
    } else if (entry.modified_micros < before_micros) {
      found.push_back({path, static_cast<int64_t>(entry.size_bytes)});
    }
  }
}

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

Removed remove_orphans(lake::Catalog& catalog, FileSystem& files, Clock& clock,
                       const lake::TableIdentifier& identifier, milliseconds older_than) {
  Removed removed;
  const std::string folder = lake::local_path(catalog.load(identifier)->metadata.location);
  const int64_t before_micros = micros_since_epoch(clock.now() - older_than);
  std::vector<Candidate> candidates;
  for (const char* part : {"/data", "/metadata"}) {
    collect_old(files, folder + part, before_micros, candidates);
  }
  const lake::TablePtr table = catalog.load(identifier);
  if (!may_remove(*table) || lake::local_path(table->metadata.location) != folder) return removed;
  check_own_folder(catalog, *table);
  std::set<std::string> referenced;
  for (const std::string& uri : catalog.referenced_files(*table)) referenced.insert(name_of(uri));
  for (const Candidate& candidate : candidates) {
    if (referenced.contains(name_of(candidate.path))) continue;
    files.remove(candidate.path);
    ++removed.files;
    removed.bytes += candidate.bytes;
  }
  return removed;
}

}  // namespace headrace::maintenance
