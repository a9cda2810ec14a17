#include "lake/snapshot_summary.h"

#include <charconv>
#include <set>

#include "base/format.h"

namespace headrace::lake {
namespace {

struct Counts {
  int64_t data_files = 0;
  int64_t records = 0;
  int64_t position_delete_files = 0;
  int64_t vectors = 0;
  int64_t position_deletes = 0;
  int64_t equality_delete_files = 0;
  int64_t equality_deletes = 0;
  int64_t size_bytes = 0;
  std::set<std::pair<int, PartitionValues>> partitions = {};

  void add(const DataFile& file) {
    // Vectors share their file.
    size_bytes += file.content_size_bytes.value_or(file.file_size_bytes);
    partitions.emplace(file.spec_id, file.partition);
    switch (file.content) {
      case FileContent::kData:
        ++data_files;
        records += file.record_count;
        return;
      case FileContent::kPositionDeletes:
        ++(file.is_deletion_vector() ? vectors : position_delete_files);
        position_deletes += file.record_count;
        return;
      case FileContent::kEqualityDeletes:
        ++equality_delete_files;
        equality_deletes += file.record_count;
        return;
    }
  }
  int64_t delete_files() const { return position_delete_files + vectors + equality_delete_files; }
};

// A total of the parent; nullopt when it was not kept, as some writers do.
std::optional<int64_t> previous(const Snapshot* parent, const std::string& key) {
  if (parent == nullptr) return 0;
  const auto entry = parent->summary.find(key);
  if (entry == parent->summary.end()) return std::nullopt;
  const std::string& text = entry->second;
  int64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

void put_if_any(Summary& summary, const std::string& key, int64_t value) {
  if (value != 0) summary[key] = format("{}", value);
}

void put_total(Summary& summary, const Snapshot* parent, const std::string& key, int64_t change) {
  if (const auto before = previous(parent, key)) summary[key] = format("{}", *before + change);
}

}  // namespace

Summary make_summary(const TableChange& change, const std::vector<const DataFile*>& removed,
                     const Snapshot* parent) {
  Counts added;
  Counts gone;
  for (const DataFile& file : change.added) added.add(file);
  for (const DataFile* file : removed) gone.add(*file);
  added.partitions.merge(gone.partitions);
  Summary summary = change.summary;
  summary["operation"] = change.operation;
  put_if_any(summary, "added-data-files", added.data_files);
  put_if_any(summary, "added-records", added.records);
  put_if_any(summary, "added-files-size", added.size_bytes);
  put_if_any(summary, "added-delete-files", added.delete_files());
  put_if_any(summary, "added-position-delete-files", added.position_delete_files);
  put_if_any(summary, "added-dvs", added.vectors);
  put_if_any(summary, "added-position-deletes", added.position_deletes);
  put_if_any(summary, "added-equality-delete-files", added.equality_delete_files);
  put_if_any(summary, "added-equality-deletes", added.equality_deletes);
  put_if_any(summary, "deleted-data-files", gone.data_files);
  put_if_any(summary, "deleted-records", gone.records);
  put_if_any(summary, "removed-files-size", gone.size_bytes);
  put_if_any(summary, "removed-delete-files", gone.delete_files());
  put_if_any(summary, "removed-position-delete-files", gone.position_delete_files);
  put_if_any(summary, "removed-dvs", gone.vectors);
  put_if_any(summary, "removed-position-deletes", gone.position_deletes);
  put_if_any(summary, "removed-equality-delete-files", gone.equality_delete_files);
  put_if_any(summary, "removed-equality-deletes", gone.equality_deletes);
  summary["changed-partition-count"] = format("{}", added.partitions.size());
  put_total(summary, parent, "total-data-files", added.data_files - gone.data_files);
  put_total(summary, parent, "total-records", added.records - gone.records);
  put_total(summary, parent, "total-files-size", added.size_bytes - gone.size_bytes);
  put_total(summary, parent, "total-delete-files", added.delete_files() - gone.delete_files());
  put_total(summary, parent, "total-position-deletes",
            added.position_deletes - gone.position_deletes);
  put_total(summary, parent, "total-equality-deletes",
            added.equality_deletes - gone.equality_deletes);
  return summary;
}

}  // namespace headrace::lake
