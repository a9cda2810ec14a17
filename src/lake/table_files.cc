#include "lake/table_files.h"

#include <charconv>

#include "base/error.h"
#include "lake/footprint.h"
#include "lake/snapshot_check.h"
#include "objects/uri.h"

namespace headrace::lake {
namespace {

constexpr size_t kCachedListBytes = size_t{16} << 20U;
constexpr size_t kCachedManifestBytes = size_t{64} << 20U;

// The number in front of the name of a metadata file; −1 for names of another pattern.
int64_t version_of(const std::string& location) {
  const size_t slash = location.rfind('/');
  const size_t begin = slash == std::string::npos ? 0 : slash + 1;
  int64_t version = -1;
  const char* end = location.data() + location.size();
  if (std::from_chars(location.data() + begin, end, version).ec != std::errc{}) return -1;
  return version;
}

}  // namespace

TableFiles::TableFiles(objects::ObjectStore& objects, Random& random, bool removes_in_background)
    : objects_(objects),
      random_(random),
      lists_(kCachedListBytes),
      manifests_(kCachedManifestBytes),
      remover_(removes_in_background ? std::make_unique<FileRemover>(objects) : nullptr) {}

TableMetadata TableFiles::read_metadata(const std::string& location) {
  try {
    return table_metadata_from_json(parse_json(objects_.get(location), "table metadata"));
  } catch (const Error& error) {
    // A pointer to a file that is not there or is no JSON is damage, whatever it looks like here.
    const bool damaged =
        error.kind() == ErrorKind::kNotFound || error.kind() == ErrorKind::kInvalid;
    throw Error(damaged ? ErrorKind::kCorrupt : error.kind(),
                format("reading {}: {}", location, error.message()));
  }
}

ManifestListPtr TableFiles::manifest_list(const Snapshot& snapshot) {
  if (ManifestListPtr known = lists_.find(snapshot.manifest_list)) return known;
  try {
    auto list = std::make_shared<const ManifestList>(
        read_manifest_list(objects_.get(snapshot.manifest_list)));
    lists_.put(snapshot.manifest_list, list, footprint(*list));
    return list;
  } catch (const Error& error) {
    throw error.with_context(format("reading the manifest list {}", snapshot.manifest_list));
  }
}

ManifestEntriesPtr TableFiles::manifest(const TableMetadata& metadata,
                                        const ManifestFile& manifest) {
  // Row ids are inherited from the list, which may give other ones in another branch.
  const std::string key = manifest.first_row_id
                              ? format("{}#{}", manifest.path, *manifest.first_row_id)
                              : manifest.path;
  if (ManifestEntriesPtr known = manifests_.find(key)) return known;
  try {
    auto entries = std::make_shared<const ManifestEntries>(
        read_manifest(objects_.get(manifest.path), manifest, metadata.current_schema(),
                      metadata.spec(manifest.spec_id)));
    manifests_.put(key, entries, footprint(*entries));
    return entries;
  } catch (const Error& error) {
    throw error.with_context(format("reading the manifest {}", manifest.path));
  }
}

void TableFiles::check_snapshot(const TableMetadata& metadata, const Snapshot& snapshot) {
  try {
    SnapshotCheck check(objects_, metadata, snapshot);
    for (const auto list = manifest_list(snapshot); const ManifestFile& manifest : *list) {
      const PartitionSpec& spec = metadata.spec(manifest.spec_id);
      check.check(manifest);
      if (manifest.added_snapshot_id == snapshot.snapshot_id) {
        // Not kept: its entries inherit from a list that may have to be written again.
        check.check(manifest, read_manifest(objects_.get(manifest.path), manifest,
                                            metadata.current_schema(), spec));
      } else if (check.needs_entries(manifest)) {
        check.check(manifest, *this->manifest(metadata, manifest));
      } else {
        objects_.head(manifest.path);
      }
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kUnavailable) throw;
    fail(error.kind() == ErrorKind::kUnsupported ? ErrorKind::kUnsupported : ErrorKind::kInvalid,
         "the files of snapshot {}: {}", snapshot.snapshot_id, error.message());
  }
}

std::string TableFiles::write_metadata(const TableMetadata& metadata,
                                       const std::string& previous_location) {
  const int64_t version = previous_location.empty() ? 0 : version_of(previous_location) + 1;
  const std::string uri =
      metadata_uri(metadata, format("{:05}-{}.metadata.json", version, make_uuid(random_)));
  objects_.put_if_absent(uri, to_text(metadata));
  return uri;
}

ManifestFile TableFiles::write_manifest(const TableMetadata& metadata, int spec_id,
                                        ManifestEntries entries) {
  const Schema& schema = metadata.current_schema();
  const PartitionSpec& spec = metadata.spec(spec_id);
  ManifestFile manifest = summarize(schema, spec, entries);
  const std::string bytes =
      lake::write_manifest(schema, spec, entries, sync_marker(), metadata.format_version);
  manifest.path = metadata_uri(metadata, make_uuid(random_) + "-m0.avro");
  objects_.put_if_absent(manifest.path, bytes);
  manifest.length = static_cast<int64_t>(bytes.size());
  return manifest;
}

std::string TableFiles::write_manifest_list(const TableMetadata& metadata, const Snapshot& snapshot,
                                            ManifestList manifests) {
  const std::string uri =
      metadata_uri(metadata, format("snap-{}-1-{}.avro", snapshot.snapshot_id, make_uuid(random_)));
  objects_.put_if_absent(
      uri, lake::write_manifest_list(manifests, snapshot, sync_marker(), metadata.format_version));
  const size_t weight = footprint(manifests);
  lists_.put(uri, std::make_shared<const ManifestList>(std::move(manifests)), weight);
  return uri;
}

void TableFiles::remove_best_effort(const std::vector<std::string>& uris) noexcept {
  try {
    forget(uris);
    objects_.remove(uris);
  } catch (const std::exception&) {
    // What stays is an orphan; it does no harm.
  }
}

void TableFiles::remove_soon(const std::vector<std::string>& uris) noexcept {
  if (remover_ == nullptr) {
    remove_best_effort(uris);
    return;
  }
  try {
    forget(uris);
    remover_->add(uris);
  } catch (const std::exception&) {
    // As above.
  }
}

void TableFiles::forget(const std::vector<std::string>& uris) {
  for (const std::string& uri : uris) {
    lists_.forget(uri);
    manifests_.forget(uri);
  }
}

std::string TableFiles::sync_marker() {
  std::string marker;
  for (int i = 0; i < 2; ++i) {
    const uint64_t random = random_.next();
    marker.append(reinterpret_cast<const char*>(&random), sizeof(random));
  }
  return marker;
}

std::string TableFiles::metadata_uri(const TableMetadata& metadata, const std::string& name) {
  return objects::normalized(metadata.location) + "/metadata/" + name;
}

}  // namespace headrace::lake
