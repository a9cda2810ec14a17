// Which files a table needs: what is not among them, and old, is left over from something that
// failed.

#include "lake/store_catalog.h"

namespace headrace::lake {
namespace {

// Other engines name statistics, logs of metadata and more, in members that are only kept here: any
// text may be a file.
void collect_texts(const Json& json, std::set<std::string>& texts) {
  if (json.is_string()) {
    texts.emplace(json.get_string());
  } else if (json.is_array()) {
    for (const Json& element : json.get_array()) collect_texts(element, texts);
  } else if (json.is_object()) {
    for (const auto& [key, value] : json.get_object()) collect_texts(value, texts);
  }
}

}  // namespace

std::set<std::string> StoreCatalog::referenced_files(const Table& table) {
  const TableMetadata& metadata = table.metadata;
  std::set<std::string> referenced = {table.metadata_location};
  collect_texts(metadata.metadata_log, referenced);
  collect_texts(metadata.unknown, referenced);
  for (const Snapshot& snapshot : metadata.snapshots) {
    referenced.insert(snapshot.manifest_list);
    collect_texts(snapshot.unknown, referenced);
    for (const auto list = files_.manifest_list(snapshot); const ManifestFile& manifest : *list) {
      // Snapshots share most of their manifests.
      if (!referenced.insert(manifest.path).second) continue;
      for (const auto entries = files_.manifest(metadata, manifest);
           const ManifestEntry& entry : *entries) {
        if (entry.status != EntryStatus::kDeleted) referenced.insert(entry.file.path);
      }
    }
  }
  return referenced;
}

}  // namespace headrace::lake
