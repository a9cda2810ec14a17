// What became of a commit when the store failed while it moved the pointers.

#include <algorithm>

#include "base/error.h"
#include "lake/store_catalog.h"

namespace headrace::lake {

// Others may have committed on top meanwhile.
bool StoreCatalog::has_moved(const PointerMove& move) {
  const Pointer now = pointer(move.identifier);
  if (!now.location) return false;
  if (*now.location == move.location_after) return true;
  const TablePtr table = table_at(move.identifier, now);
  if (move.snapshot_id) return table->metadata.snapshot(*move.snapshot_id) != nullptr;
  const JsonArray& log = table->metadata.metadata_log;
  return std::any_of(log.begin(), log.end(), [&](const Json& entry) {
    return string_member(entry, "metadata-file") == move.location_after;
  });
}

// A commit that is still under way would find its files gone. The old pointer, or a tombstone where
// there was none, is written again under the version that the commit expects: from then on it
// cannot take place any more.
bool StoreCatalog::settle(const PointerMove& move) {
  const std::string name = move.identifier.to_string();
  while (!has_moved(move)) {
    const auto entry = store_.get(kTablesSpace, name);
    const int64_t version = entry ? entry->version : 0;
    if (version != move.version_before) return false;
    try {
      store_.apply({{kTablesSpace, name, entry ? entry->value : tombstone(), version}});
      return false;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConflict) throw;
    }
  }
  return true;
}

void StoreCatalog::find_outcome(const Error& error, const std::string& tables,
                                const PointerMove& move, const std::function<void()>& discard) {
  const bool is_unknown = error.kind() == ErrorKind::kCommitUnknown;
  bool has_taken_place = false;
  try {
    has_taken_place = is_unknown ? settle(move) : has_moved(move);
  } catch (const Error& second) {
    fail(ErrorKind::kCommitUnknown,
         "committing to {}: {}; and whether it took place could not be read: {}. Look for {} in {} "
         "before trying again",
         tables, error.message(), second.message(),
         move.snapshot_id ? format("snapshot {}", *move.snapshot_id) : move.location_after,
         move.identifier.to_string());
  }
  if (has_taken_place) return;
  discard();
  // It is known by now: nothing was changed.
  throw Error(is_unknown ? ErrorKind::kUnavailable : error.kind(), error.message());
}

}  // namespace headrace::lake
