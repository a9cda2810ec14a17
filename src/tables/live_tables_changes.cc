// What happened to a table's rows, for views that are kept up to date from it.

#include "base/error.h"
#include "tables/live_tables_state.h"

namespace headrace::tables {

SignedChanges Dependent::changes_after(lake::SnapshotId) {
  fail(ErrorKind::kInternal, "a view that others read does not tell its changes");
}

lake::TablePtr LiveTables::committed(const TableIdentifier& identifier) const {
  const auto found = state_->tables.find(identifier);
  return found == state_->tables.end() ? nullptr : found->second.table;
}

std::string LiveTables::rows_sql(const TableIdentifier& identifier, bool lock_held) const {
  std::unique_lock lock(state_->mutex, std::defer_lock);
  if (!lock_held) lock.lock();
  if (state_->owners.contains(identifier)) {
    return format("(SELECT * FROM {})", engine::quote_name(identifier.database, identifier.name));
  }
  const TableState& live = state_->at(identifier);
  return format("(SELECT * FROM ({}){})", lake::scan_sql(*shown(live), *live.files),
                state_->hot_relations(identifier, live));
}

SignedChanges LiveTables::changes_after(const TableIdentifier& identifier,
                                        lake::SnapshotId snapshot, bool lock_held) {
  std::unique_lock lock(state_->mutex, std::defer_lock);
  if (!lock_held) lock.lock();
  const auto owner = state_->owners.find(identifier);
  if (owner != state_->owners.end()) return owner->second->changes_after(snapshot);
  const TableState& live = state_->at(identifier);
  SignedChanges changes;
  changes.files = lake::changes_after(state_->collaborators.catalog, *live.table, snapshot,
                                      state_->delete_reader.loader());
  changes.only_came = changes.files.only_came() && !live.is_upsert;
  changes.sql = format("({}{}", lake::changes_sql(*shown(live), changes.files, kSignColumn),
                       state_->hot_relations(identifier, live, ", 1"));
  if (live.is_upsert) {
    for (const int64_t generation : live.generations) {
      changes.sql += format(" UNION ALL SELECT {}, -1 FROM {} r",
                            columns_by_id(state_->gone_schemas.at(generation),
                                          shown(live)->metadata.current_schema()),
                            gone_name(identifier, generation));
    }
  }
  changes.sql += ')';
  return changes;
}

void LiveTables::add_dependent(const TableIdentifier& on, Dependent* dependent) {
  std::shared_ptr<UpsertTable> upsert;
  std::unique_lock<std::mutex> no_batches;
  std::unique_lock lock(state_->mutex);
  // Batches of changes lock the table before they lock us.
  while (state_->upserts.contains(on) && state_->upserts.at(on) != upsert) {
    upsert = state_->upserts.at(on);
    lock.unlock();
    no_batches = upsert->lock();
    lock.lock();
  }
  const bool was_watched = state_->is_watched(on);
  state_->dependents[on].push_back(dependent);
  if (was_watched || !state_->upserts.contains(on)) return;
  const TableState& live = state_->at(on);
  const bool has_sealed = live.generations.size() > 1;
  const UpsertTable::GoneRows gone = upsert->gone(has_sealed);
  std::vector<std::string> statements;
  for (const int64_t generation : live.generations) {
    const bool is_newest = generation == live.generations.back();
    statements.push_back("DELETE FROM " + gone_name(on, generation));
    statements.push_back(
        state_->keep_gone_sql(on, *live.table, generation, is_newest ? gone.newest : gone.sealed));
  }
  state_->run(statements);
}

void LiveTables::remove_dependent(const TableIdentifier& on, Dependent* dependent) {
  std::lock_guard lock(state_->mutex);
  std::erase(state_->dependents[on], dependent);
}

}  // namespace headrace::tables
