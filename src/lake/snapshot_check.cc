#include "lake/snapshot_check.h"

#include <algorithm>

#include "base/error.h"

namespace headrace::lake {
namespace {

constexpr uint64_t kUsualFooterBytes = 64 * 1024;

}  // namespace

bool SnapshotCheck::needs_entries(const ManifestFile& manifest) const {
  return metadata_.format_version >= 3 && manifest.content == ManifestContent::kDeletes;
}

void SnapshotCheck::check(const ManifestFile& manifest) const {
  if (metadata_.format_version < 3 || manifest.content != ManifestContent::kData ||
      manifest.first_row_id) {
    return;
  }
  fail(ErrorKind::kInvalid,
       "the manifest {} has no first_row_id in the manifest list, which format version 3 requires",
       manifest.path);
}

void SnapshotCheck::check(const ManifestFile& manifest, const ManifestEntries& entries) {
  for (const ManifestEntry& entry : entries) {
    if (entry.status == EntryStatus::kDeleted) continue;
    const DataFile& file = entry.file;
    if (file.is_deletion_vector() && !with_vector_.insert(*file.referenced_data_file).second) {
      fail(ErrorKind::kInvalid,
           "{} has two deletion vectors; a new one must take the old one's place",
           *file.referenced_data_file);
    }
    const bool is_new =
        manifest.added_snapshot_id == snapshot_.snapshot_id && entry.status == EntryStatus::kAdded;
    if (is_new) check_added(entry);
  }
}

void SnapshotCheck::check_added(const ManifestEntry& entry) {
  const DataFile& file = entry.file;
  if (file.is_deletion_vector() && metadata_.format_version < 3) {
    fail(ErrorKind::kInvalid, "{} is a deletion vector, and the table has format version {}",
         file.identity(), metadata_.format_version);
  }
  if (metadata_.format_version < 3) return;
  if (file.content == FileContent::kPositionDeletes && !file.is_deletion_vector()) {
    fail(ErrorKind::kInvalid,
         "{} is a position delete file; in format version 3 rows are deleted by deletion vectors",
         file.path);
  }
  if (file.is_deletion_vector()) check_vector(file);
  const int64_t end = snapshot_.first_row_id.value_or(0) + snapshot_.added_rows.value_or(0);
  if (file.content == FileContent::kData &&
      file.first_row_id.value_or(0) > end - file.record_count) {
    fail(ErrorKind::kInvalid, "the rows of {} have ids beyond those that the snapshot takes",
         file.path);
  }
}

// "content_offset and content_size_in_bytes must exactly match the offset and length stored in the
// Puffin footer" (spec, "Data File Fields").
void SnapshotCheck::check_vector(const DataFile& vector) {
  const auto& blobs = blobs_of(vector);
  const auto blob = std::find_if(blobs.begin(), blobs.end(), [&](const PuffinBlob& some) {
    return some.offset == vector.content_offset && some.length == vector.content_size_bytes;
  });
  if (blob == blobs.end() || blob->type != kDeletionVectorBlob) {
    fail(ErrorKind::kInvalid, "{} has no deletion vector of {} bytes at {}", vector.path,
         *vector.content_size_bytes, *vector.content_offset);
  }
  const auto referenced = blob->properties.find("referenced-data-file");
  if (referenced != blob->properties.end() && referenced->second == vector.referenced_data_file) {
    return;
  }
  fail(ErrorKind::kInvalid, "the deletion vector at {} of {} is not of {}", *vector.content_offset,
       vector.path, *vector.referenced_data_file);
}

const std::vector<PuffinBlob>& SnapshotCheck::blobs_of(const DataFile& vector) {
  const auto known = read_.find(vector.path);
  if (known != read_.end()) return known->second;
  std::string end = objects_.get_end(vector.path, kUsualFooterBytes).bytes;
  const size_t tail = std::min(end.size(), kPuffinEndBytes);
  const uint64_t size = puffin_footer_bytes(std::string_view(end).substr(end.size() - tail));
  if (size > end.size()) end = objects_.get_end(vector.path, size).bytes;
  const std::string_view footer(end);
  return read_[vector.path] =
             read_puffin_footer(footer.substr(end.size() - std::min<uint64_t>(size, end.size())));
}

}  // namespace headrace::lake
