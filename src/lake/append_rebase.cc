#include "lake/append_rebase.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/error.h"
#include "lake/row_lineage.h"

namespace headrace::lake {
namespace {

// A count of the whole table is the parent's and what was added.
struct Total {
  const char* total;
  const char* added;  // nullptr: appends do not change it
};
constexpr std::array<Total, 6> kTotals = {{{"total-records", "added-records"},
                                           {"total-data-files", "added-data-files"},
                                           {"total-files-size", "added-files-size"},
                                           {"total-delete-files", nullptr},
                                           {"total-position-deletes", nullptr},
                                           {"total-equality-deletes", nullptr}}};

std::optional<int64_t> count_in(const Summary& summary, const char* key) {
  const auto entry = summary.find(key);
  if (entry == summary.end()) return std::nullopt;
  int64_t value = 0;
  const std::string& text = entry->second;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

void count_again(Summary& summary, const Snapshot* parent) {
  for (const Total& total : kTotals) {
    const auto before = parent == nullptr ? 0 : count_in(parent->summary, total.total);
    if (!before) {
      summary.erase(total.total);
      continue;
    }
    const int64_t added = total.added == nullptr ? 0 : count_in(summary, total.added).value_or(0);
    summary[total.total] = format("{}", *before + added);
  }
}

bool is_ancestor(const TableMetadata& table, std::optional<SnapshotId> id) {
  if (!id) return true;  // of every snapshot
  for (const Snapshot* at = table.current_snapshot(); at != nullptr;
       at = at->parent_snapshot_id ? table.snapshot(*at->parent_snapshot_id) : nullptr) {
    if (at->snapshot_id == *id) return true;
  }
  return false;
}

}  // namespace

bool AppendRebase::is_possible(const TableUpdates& updates, const TableMetadata& current) {
  const bool only_adds =
      std::all_of(updates.updates.begin(), updates.updates.end(), [](const MetadataUpdate& update) {
        return update.action == "add-snapshot" || update.action == "set-snapshot-ref" ||
               update.action == "set-properties";
      });
  if (!only_adds || !current.current_snapshot_id) return false;
  return std::all_of(updates.requirements.begin(), updates.requirements.end(),
                     [&](const Requirement& requirement) {
                       return !requirement.main_snapshot ||
                              is_ancestor(current, *requirement.main_snapshot);
                     });
}

// The manifests that the append wrote. All others of its list must be those of its parent.
ManifestList AppendRebase::own_manifests(const Snapshot& snapshot, const TableMetadata& metadata) {
  std::set<std::string> of_parent;
  if (snapshot.parent_snapshot_id) {
    const auto sent = originals_.find(*snapshot.parent_snapshot_id);
    const Snapshot* parent =
        sent == originals_.end() ? metadata.snapshot(*snapshot.parent_snapshot_id) : &sent->second;
    if (parent != nullptr) {
      for (const auto list = files_.manifest_list(*parent); const ManifestFile& manifest : *list) {
        of_parent.insert(manifest.path);
      }
    }
  }
  ManifestList own;
  const auto operation = snapshot.summary.find("operation");
  bool is_append = operation != snapshot.summary.end() && operation->second == "append";
  for (const auto list = files_.manifest_list(snapshot); const ManifestFile& manifest : *list) {
    if (of_parent.contains(manifest.path)) continue;
    is_append = is_append && manifest.content == ManifestContent::kData &&
                manifest.added_snapshot_id == snapshot.snapshot_id &&
                manifest.existing_files == 0 && manifest.deleted_files == 0;
    own.push_back(manifest);
  }
  if (is_append) return own;
  fail(ErrorKind::kConflict,
       "committing to {}: the table has moved on, and snapshot {} is no plain append that could be "
       "put on top; load the table again",
       table_, snapshot.snapshot_id);
}

Snapshot AppendRebase::operator()(Snapshot snapshot, const TableMetadata& metadata) {
  ManifestList manifests = own_manifests(snapshot, metadata);
  originals_.emplace(snapshot.snapshot_id, snapshot);
  const std::optional<SnapshotId> on = latest_ ? latest_ : metadata.current_snapshot_id;
  const Snapshot* parent = metadata.snapshot(on.value());
  snapshot.parent_snapshot_id = on;
  snapshot.sequence_number = metadata.last_sequence_number + 1;
  snapshot.timestamp_ms = std::max(snapshot.timestamp_ms, parent->timestamp_ms);
  count_again(snapshot.summary, parent);
  for (ManifestFile& manifest : manifests) {
    manifest.sequence_number = snapshot.sequence_number;
    manifest.min_sequence_number = snapshot.sequence_number;
    manifest.first_row_id.reset();  // it gets its ids after those that were given meanwhile
  }
  const ManifestListPtr below = files_.manifest_list(*parent);
  manifests.insert(manifests.end(), below->begin(), below->end());
  if (metadata.format_version >= 3) assign_row_ids(manifests, metadata.next_row_id, snapshot);
  snapshot.manifest_list = files_.write_manifest_list(metadata, snapshot, std::move(manifests));
  written_.push_back(snapshot.manifest_list);
  latest_ = snapshot.snapshot_id;
  return snapshot;
}

}  // namespace headrace::lake
