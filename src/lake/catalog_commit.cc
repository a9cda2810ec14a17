// The commit: write what the new snapshots need, move all pointers in one transaction, and on a
// lost race do it again on top of what the winner left.

#include <algorithm>
#include <limits>
#include <set>

#include "base/error.h"
#include "lake/schema_log.h"
#include "lake/store_catalog.h"

namespace headrace::lake {
namespace {

constexpr int kMaxCommitAttempts = 30;
constexpr int64_t kFirstBackOffMicros = 1'000;
constexpr int64_t kMaxBackOffMicros = 200'000;

SnapshotId new_snapshot_id(Random& random) {
  // Positive, and never 0 or −1, which some readers take for "none".
  return static_cast<SnapshotId>(random.next() >> 2) + 1;
}

void check_distinct(const std::vector<TableChange>& changes) {
  std::set<TableIdentifier> seen;
  for (const TableChange& change : changes) {
    if (change.base == nullptr) {
      fail(ErrorKind::kInternal, "committing: a change has no table it is based on");
    }
    if (!seen.insert(change.base->identifier).second) {
      fail(ErrorKind::kInvalid, "committing: {} is changed twice in one commit",
           change.base->identifier.to_string());
    }
  }
}

CatalogOptions options_for(const TableChange& change, CatalogOptions options) {
  if (!change.retention) return options;
  options.keep_snapshots = change.retention->keep_snapshots;
  options.keep_snapshots_ms = change.retention->keep_snapshots_ms;
  options.max_snapshots = std::numeric_limits<int>::max();
  return options;
}

void roll_back(Table& table, SnapshotId to) {
  TableMetadata& metadata = table.metadata;
  if (metadata.snapshot(to) == nullptr) {
    fail(ErrorKind::kNotFound, "rolling back {}: snapshot {} does not exist or has expired",
         table.identifier.to_string(), to);
  }
  metadata.current_snapshot_id = to;
  metadata.refs[kMainBranch] = JsonObject{{"snapshot-id", to}, {"type", "branch"}};
  metadata.snapshot_log.push_back({metadata.last_updated_ms, to});
}

std::string names_of(const std::vector<TableChange>& changes) {
  std::vector<std::string> names;
  for (const TableChange& change : changes) names.push_back(change.base->identifier.to_string());
  return format("{}", join(names, ", "));
}

}  // namespace

std::vector<TablePtr> StoreCatalog::commit(const std::vector<TableChange>& changes) {
  if (changes.empty()) return {};
  check_distinct(changes);
  Builders builders;
  for (const TableChange& change : changes) {
    builders.push_back(std::make_unique<SnapshotBuilder>(files_, change, new_snapshot_id(random_),
                                                         options_.merge_manifests_at));
  }
  for (int attempt = 1;; ++attempt) {
    std::vector<TablePtr> committed = try_commit(builders);
    if (!committed.empty()) return committed;
    if (attempt == kMaxCommitAttempts) {
      discard_added(builders);
      fail(ErrorKind::kConflict, "committing to {}: lost against other writers {} times",
           names_of(changes), kMaxCommitAttempts);
    }
    back_off(attempt);
  }
}

// Empty: another writer was first, try again.
std::vector<TablePtr> StoreCatalog::try_commit(Builders& builders) {
  std::vector<Attempt> attempts;
  const int64_t now_ms = millis_since_epoch(clock_.now());
  try {
    for (const auto& builder : builders) attempts.push_back(attempt(*builder, now_ms));
  } catch (...) {
    discard(builders, attempts);
    discard_added(builders);
    throw;
  }
  try {
    move_pointers(builders, attempts);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kConflict) {
      discard(builders, attempts);
      check_leases(builders);
      return {};
    }
    const SnapshotBuilder& first = *builders.front();
    const Attempt& made = attempts.front();
    // All tables move together, so one tells for all.
    const PointerMove move{
        made.before->identifier, made.before->catalog_version, made.after->metadata_location,
        first.makes_snapshot() ? std::optional(first.snapshot_id()) : std::nullopt};
    find_outcome(error, move.identifier.to_string(), move, [&] {
      discard(builders, attempts);
      discard_added(builders);
    });
  }
  std::vector<TablePtr> tables;
  for (const Attempt& done : attempts) {
    remember(done.after);
    remove_expired(*done.after, done.expired);
    tables.push_back(done.after);
  }
  return tables;
}

StoreCatalog::Attempt StoreCatalog::attempt(SnapshotBuilder& builder, int64_t now_ms) {
  Attempt result;
  result.before = load(builder.change().base->identifier);
  result.after = std::make_shared<Table>();
  result.after->identifier = result.before->identifier;
  result.after->metadata = builder.apply_to(*result.before, now_ms);
  const TableChange& change = builder.change();
  if (change.roll_back_to) roll_back(*result.after, *change.roll_back_to);
  result.expired = expire(result.after->metadata, options_for(change, options_), now_ms);
  result.after->metadata_location =
      files_.write_metadata(result.after->metadata, result.before->metadata_location);
  result.after->catalog_version = result.before->catalog_version + 1;
  return result;
}

void StoreCatalog::move_pointers(const Builders& builders, const std::vector<Attempt>& attempts) {
  std::vector<store::Change> moves;
  std::set<std::string> leases;
  for (const auto& builder : builders) {
    const auto& lease = builder->change().lease;
    if (lease && leases.insert(lease->name).second) moves.push_back(store::Leases::check(*lease));
  }
  for (size_t i = 0; i < builders.size(); ++i) {
    moves.push_back({kTablesSpace, attempts[i].before->identifier.to_string(),
                     pointer_value(attempts[i].after->metadata_location),
                     attempts[i].before->catalog_version});
    log_schema_change(*attempts[i].before, *attempts[i].after, builders[i]->change().cause, moves);
  }
  store_.apply(moves);
}

void StoreCatalog::check_leases(const Builders& builders) {
  store::Leases leases(store_);
  for (const auto& builder : builders) {
    const auto& lease = builder->change().lease;
    if (!lease || leases.is_current(*lease)) continue;
    discard_added(builders);
    fail(ErrorKind::kConflict,
         "committing to {}: the lease {} was taken by another process meanwhile",
         builder->change().base->identifier.to_string(), lease->name);
  }
}

void StoreCatalog::discard(Builders& builders, const std::vector<Attempt>& attempts) noexcept {
  for (const auto& builder : builders) {
    for (const std::string& file : builder->take_attempt_files()) files_.remove_best_effort(file);
  }
  for (const Attempt& attempt : attempts) {
    files_.remove_best_effort(attempt.after->metadata_location);
  }
}

void StoreCatalog::discard_added(const Builders& builders) noexcept {
  for (const auto& builder : builders) {
    for (const std::string& path : builder->added_manifest_paths()) {
      files_.remove_best_effort(path);
    }
  }
}

void StoreCatalog::back_off(int attempt) {
  const int64_t longest = std::min(kFirstBackOffMicros << std::min(attempt, 10), kMaxBackOffMicros);
  const auto wait = static_cast<int64_t>(random_.below(static_cast<uint64_t>(longest))) + 1;
  clock_.sleep_for(microseconds(wait), {});
}

}  // namespace headrace::lake
