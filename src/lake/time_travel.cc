#include "lake/time_travel.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace headrace::lake {
namespace {

constexpr size_t kMostListed = 20;

std::optional<int64_t> integer_if_there(const Json& reference, const char* name) {
  const Json* found = find_member(reference, name);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<int64_t>();
}

std::optional<SnapshotId> id_from(const std::string& text) {
  SnapshotId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

const Schema* schema_of(const TableMetadata& metadata, const Snapshot& snapshot) {
  for (const Schema& schema : metadata.schemas) {
    if (schema.schema_id == snapshot.schema_id) return &schema;
  }
  return &metadata.current_schema();
}

std::string time_text(int64_t time_ms) { return to_iso8601(Timestamp(milliseconds(time_ms))); }

// "branch main, tag release", or how many there are besides.
std::string references_text(const TableMetadata& metadata) {
  std::vector<std::string> names;
  const auto references = references_of(metadata);
  for (const SnapshotReference& reference : references) {
    if (names.size() == kMostListed) {
      names.push_back(format("{} more", references.size() - kMostListed));
      break;
    }
    names.push_back(format("{} '{}'", reference.is_branch ? "branch" : "tag", reference.name));
  }
  return names.empty() ? "no branches or tags" : format("{}", join(names, ", "));
}

// What a table can be asked for, for one who has asked for something else.
std::string existing(const Table& table) {
  const TableMetadata& metadata = table.metadata;
  if (metadata.snapshots.empty()) return "it has no snapshot yet";
  const auto by_time = [](const Snapshot& a, const Snapshot& b) {
    return a.timestamp_ms < b.timestamp_ms;
  };
  const auto [oldest, newest] =
      std::minmax_element(metadata.snapshots.begin(), metadata.snapshots.end(), by_time);
  return format(
      "it has {} snapshots, from {} of {} to {} of {}, and {}; see system.snapshots and "
      "system.refs",
      metadata.snapshots.size(), oldest->snapshot_id, time_text(oldest->timestamp_ms),
      newest->snapshot_id, time_text(newest->timestamp_ms), references_text(metadata));
}

}  // namespace

std::vector<SnapshotReference> references_of(const TableMetadata& metadata) {
  std::vector<SnapshotReference> references;
  for (const auto& [name, reference] : metadata.refs) {
    references.push_back({std::string(name), string_member_or(reference, "type", "") == "branch",
                          integer_member(reference, "snapshot-id"),
                          integer_if_there(reference, "min-snapshots-to-keep"),
                          integer_if_there(reference, "max-snapshot-age-ms"),
                          integer_if_there(reference, "max-ref-age-ms")});
  }
  if (metadata.current_snapshot_id && !metadata.refs.contains(kMainBranch)) {
    references.push_back({kMainBranch, true, *metadata.current_snapshot_id});
  }
  std::sort(references.begin(), references.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return references;
}

TableVersion find_version(const Table& table, const std::string& version) {
  const TableMetadata& metadata = table.metadata;
  for (const SnapshotReference& reference : references_of(metadata)) {
    if (reference.name != version) continue;
    const Snapshot* snapshot = metadata.snapshot(reference.snapshot_id);
    if (snapshot == nullptr) {
      fail(ErrorKind::kCorrupt, "'{}' of {} points to snapshot {}, which the table does not have",
           version, table.identifier.to_string(), reference.snapshot_id);
    }
    return {snapshot,
            reference.is_branch ? &metadata.current_schema() : schema_of(metadata, *snapshot)};
  }
  const std::optional<SnapshotId> id = id_from(version);
  const Snapshot* snapshot = id ? metadata.snapshot(*id) : nullptr;
  if (snapshot != nullptr) return {snapshot, schema_of(metadata, *snapshot)};
  fail(ErrorKind::kNotFound, "table {} has no {} '{}'{}: {}", table.identifier.to_string(),
       id ? "snapshot" : "branch or tag", version, id ? ", or it has expired" : "",
       existing(table));
}

TableVersion find_version_at(const Table& table, Timestamp time) {
  const TableMetadata& metadata = table.metadata;
  // A snapshot is of a millisecond, so all of it counts as the past within it.
  const int64_t time_ms = std::chrono::floor<milliseconds>(time).time_since_epoch().count();
  std::optional<SnapshotId> current;  // in the order in which they became current
  for (const SnapshotLogEntry& entry : metadata.snapshot_log) {
    if (entry.timestamp_ms <= time_ms) current = entry.snapshot_id;
  }
  if (current) {
    if (const Snapshot* snapshot = metadata.snapshot(*current)) {
      return {snapshot, schema_of(metadata, *snapshot)};
    }
  }
  fail(ErrorKind::kNotFound,
       "table {} cannot be read as of {}: it is younger, or what it was then has expired ({})",
       table.identifier.to_string(), to_iso8601(time), existing(table));
}

}  // namespace headrace::lake
