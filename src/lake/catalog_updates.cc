// Commits from outside: requirements are checked and updates applied on what the table is now, the
// files of new snapshots are looked at, then all pointers move in one transaction.

#include <algorithm>
#include <limits>
#include <set>

#include "base/error.h"
#include "lake/append_rebase.h"
#include "lake/schema_log.h"
#include "lake/store_catalog.h"

namespace headrace::lake {
namespace {

constexpr int kMaxUpdateAttempts = 30;
constexpr const char* kCauseOfOthers = "another engine, through the Iceberg catalog";

std::string names_of(const std::vector<TableUpdates>& tables) {
  std::vector<std::string> names;
  for (const TableUpdates& table : tables) names.push_back(table.identifier.to_string());
  return format("{}", join(names, ", "));
}

void check_distinct(const std::vector<TableUpdates>& tables) {
  std::set<TableIdentifier> seen;
  for (const TableUpdates& table : tables) {
    if (seen.insert(table.identifier).second) continue;
    fail(ErrorKind::kInvalid, "committing: {} is changed twice in one commit",
         table.identifier.to_string());
  }
}

// Which snapshots another engine keeps is its own matter; old metadata files go.
CatalogOptions keeping_snapshots(CatalogOptions options) {
  options.keep_snapshots = std::numeric_limits<int>::max();
  options.max_snapshots = std::numeric_limits<int>::max();
  return options;
}

// True when the requirements hold but for a main branch on top of which appends can be put.
bool check_requirements(const TableUpdates& updates, const TableMetadata* current) {
  bool moved_on = false;
  for (const Requirement& requirement : updates.requirements) {
    const bool is_elsewhere = requirement.main_snapshot && current != nullptr &&
                              *requirement.main_snapshot != current->current_snapshot_id;
    if (is_elsewhere && AppendRebase::is_possible(updates, *current)) {
      moved_on = true;
    } else {
      requirement.check(updates.identifier.to_string(), current);
    }
  }
  return moved_on;
}

}  // namespace

std::vector<TablePtr> StoreCatalog::commit_updates(const std::vector<TableUpdates>& tables) {
  if (tables.empty()) return {};
  check_distinct(tables);
  for (int attempt = 1;; ++attempt) {
    std::vector<TablePtr> committed = try_updates(tables);
    if (!committed.empty()) return committed;
    if (attempt == kMaxUpdateAttempts) {
      fail(ErrorKind::kConflict, "committing to {}: lost against other writers {} times",
           names_of(tables), kMaxUpdateAttempts);
    }
    back_off(attempt);
  }
}

// Empty: another writer was first, try again.
std::vector<TablePtr> StoreCatalog::try_updates(const std::vector<TableUpdates>& tables) {
  std::vector<UpdateAttempt> attempts;
  const auto discard = [&] {
    for (const UpdateAttempt& attempt : attempts) {
      for (const std::string& file : attempt.files) files_.remove_best_effort(file);
    }
  };
  std::vector<store::Change> moves;
  try {
    for (const TableUpdates& table : tables) {
      attempts.push_back(attempt_updates(table, millis_since_epoch(clock_.now())));
      const UpdateAttempt& attempt = attempts.back();
      moves.push_back({kTablesSpace, attempt.identifier.to_string(),
                       pointer_value(attempt.after->metadata_location), attempt.version_before});
      if (attempt.before != nullptr) {
        log_schema_change(*attempt.before, *attempt.after, kCauseOfOthers, moves);
      }
    }
  } catch (...) {
    discard();
    throw;
  }
  try {
    store_.apply(moves);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kConflict) {
      discard();
      return {};
    }
    const UpdateAttempt& first = attempts.front();
    find_outcome(error, names_of(tables),
                 {first.identifier, first.version_before, first.after->metadata_location, {}},
                 discard);
  }
  std::vector<TablePtr> result;
  for (const UpdateAttempt& done : attempts) {
    remember(done.after);
    remove_expired(*done.after, done.expired);
    result.push_back(done.after);
  }
  return result;
}

// nullptr: the table is to be made.
TablePtr StoreCatalog::table_to_change(const TableUpdates& table, const Pointer& at) {
  const bool is_create = std::any_of(table.requirements.begin(), table.requirements.end(),
                                     [](const Requirement& entry) { return entry.is_create; });
  if (!is_create) return at.location ? table_at(table.identifier, at) : load(table.identifier);
  check_new(table.identifier);
  check_free(table.identifier, at);
  return nullptr;
}

StoreCatalog::UpdateAttempt StoreCatalog::attempt_updates(const TableUpdates& table,
                                                          int64_t now_ms) {
  const Pointer at = pointer(table.identifier);
  const TablePtr before = table_to_change(table, at);
  const TableMetadata* current = before == nullptr ? nullptr : &before->metadata;
  UpdateAttempt result{table.identifier, at.version, before, std::make_shared<Table>(), {}, {}};
  const std::string name = table.identifier.to_string();
  MetadataBuilder builder(name, current, now_ms);
  AppendRebase rebase(files_, name);
  if (check_requirements(table, current)) builder.rebase_snapshots(std::ref(rebase));
  try {
    for (const MetadataUpdate& update : table.updates) update.apply(builder);
    Table& after = *result.after;
    after.identifier = table.identifier;
    after.catalog_version = at.version + 1;
    after.metadata = builder.finish();
    if (before == nullptr || after.metadata.location != before->metadata.location) {
      after.metadata.location = checked_location(after.metadata.location);
      check_not_shared(after);
      make_folders(after.metadata.location);
    }
    check_snapshots(builder, after.metadata);
    if (before != nullptr) {
      after.metadata.metadata_log.push_back(
          JsonObject{{"timestamp-ms", before->metadata.last_updated_ms},
                     {"metadata-file", before->metadata_location}});
      result.expired = expire(after.metadata, keeping_snapshots(options_), now_ms);
    }
    after.metadata_location =
        files_.write_metadata(after.metadata, before == nullptr ? "" : before->metadata_location);
  } catch (...) {
    for (const std::string& file : rebase.written()) files_.remove_best_effort(file);
    throw;
  }
  result.files = rebase.written();
  result.files.push_back(result.after->metadata_location);
  return result;
}

// What new snapshots are made of must be there and be readable, and what is kept must stay so.
void StoreCatalog::check_snapshots(const MetadataBuilder& builder, const TableMetadata& metadata) {
  for (const Snapshot& snapshot : metadata.snapshots) {
    if (builder.added_snapshots().contains(snapshot.snapshot_id)) {
      files_.check_snapshot(metadata, snapshot);
    } else if (!builder.removed_specs().empty()) {
      for (const auto list = files_.manifest_list(snapshot); const ManifestFile& manifest : *list) {
        if (!builder.removed_specs().contains(manifest.spec_id)) continue;
        fail(ErrorKind::kInvalid, "partition spec {} cannot go: snapshot {} has files of it",
             manifest.spec_id, snapshot.snapshot_id);
      }
    }
  }
}

}  // namespace headrace::lake
