// How commits come into what SQL sees: those of the jobs, and those of other engines beside them.

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "tables/live_tables_state.h"
#include "telemetry/log.h"

namespace headrace::tables {

void LiveTables::refresh(const TableIdentifier& identifier, milliseconds patience) {
  const lake::TablePtr table = state_->collaborators.catalog.load(identifier);
  auto files = live_files(state_->collaborators.catalog, *table);
  std::unique_lock lock(state_->mutex);
  state_->take_up(table, std::move(files));
  state_->taken_up.wait_for(lock, patience, [&] {
    const auto live = state_->tables.find(identifier);
    return live == state_->tables.end() || !live->second.refresh_wanted ||
           live->second.table->catalog_version >= table->catalog_version;
  });
}

std::vector<TableIdentifier> LiveTables::refresh_changed() {
  const auto versions = state_->collaborators.catalog.versions();
  for (const TableIdentifier& identifier : list()) {
    if (!versions.contains(identifier) && !is_in_use(identifier)) forget(identifier);
  }
  std::vector<TableIdentifier> changed;
  for (const auto& [identifier, version] : versions) {
    const auto before = find(identifier);
    if (before && before->table && before->table->catalog_version >= version) continue;
    try {
      refresh(identifier);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound) throw;  // dropped meanwhile
      continue;
    }
    const auto after = find(identifier);
    if (after && (!before || after->version != before->version)) changed.push_back(identifier);
  }
  return changed;
}

void LiveTables::forget(const TableIdentifier& identifier) {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->tables.find(identifier);
  if (found == state_->tables.end() || found->second.is_target) return;
  state_->run({"DROP VIEW IF EXISTS " + engine::quote_name(identifier.database, identifier.name)});
  state_->tables.erase(found);
}

bool LiveTables::is_in_use(const TableIdentifier& identifier) const {
  std::lock_guard lock(state_->mutex);
  const auto table = state_->tables.find(identifier);
  const auto dependents = state_->dependents.find(identifier);
  return (table != state_->tables.end() && table->second.is_target) ||
         state_->owners.contains(identifier) ||
         (dependents != state_->dependents.end() && !dependents->second.empty());
}

// For those who must not fail by what is in the table.
void LiveTables::refresh_again(const TableIdentifier& identifier) noexcept {
  try {
    refresh(identifier);
  } catch (const std::exception& error) {
    telemetry::log_warning("tables",
                           "a table could not be taken up, SQL does not show its newest state",
                           {{"table", identifier.to_string()}, {"reason", error.what()}});
  }
}

std::vector<SealedGeneration> LiveTables::seal(
    const std::vector<TableIdentifier>& identifiers,
    const std::map<std::string, std::vector<stream::Offset>>& raw_next) {
  std::unique_lock lock(state_->mutex);
  // Files of upsert tables may be exchanged just now; what was sealed before is committed.
  state_->taken_up.wait(lock, [&] {
    return std::none_of(identifiers.begin(), identifiers.end(), [&](const auto& identifier) {
      return state_->at(identifier).is_exchanging;
    });
  });
  std::vector<SealedGeneration> sealed;
  std::vector<std::string> statements;
  std::vector<std::pair<TableState*, int64_t>> started;
  for (const TableIdentifier& identifier : identifiers) {
    TableState& live = state_->at(identifier);
    SealedGeneration generation;
    if (live.raw_topic) {
      const auto& next = raw_next.at(*live.raw_topic);
      for (size_t i = 0; i < live.raw_committed.size(); ++i) {
        generation.raw_range.push_back({live.raw_committed[i], next.at(i)});
      }
    } else {
      generation.number = live.generations.back();
      generation.is_upsert = live.is_upsert;
      if (live.is_upsert) {
        statements.push_back(state_->superseded_ddl(identifier, generation.number));
        generation.deleted = state_->upserts.at(identifier)->seal();
      }
      const int64_t fresh = state_->next_generation++;
      statements.push_back(state_->hot_table_ddl(identifier, live, fresh));
      if (live.is_upsert) statements.push_back(state_->gone_ddl(identifier, live, fresh));
      started.emplace_back(&live, fresh);
    }
    generation.base = live.table;
    generation.rows = live.hot_rows - live.sealed_rows;
    sealed.push_back(std::move(generation));
  }
  for (const auto& [live, generation] : started) live->generations.push_back(generation);
  for (size_t i = 0; i < identifiers.size(); ++i) {
    state_->at(identifiers[i]).sealed_rows += sealed[i].rows;
    state_->at(identifiers[i]).is_committing = true;
  }
  try {
    for (const TableIdentifier& identifier : identifiers) {
      if (!state_->at(identifier).raw_topic) state_->append_definitions(identifier, statements);
    }
    state_->run(statements);
  } catch (...) {
    for (const auto& [live, generation] : started) live->generations.pop_back();
    for (size_t i = 0; i < identifiers.size(); ++i) {
      state_->at(identifiers[i]).sealed_rows -= sealed[i].rows;
      state_->at(identifiers[i]).is_committing = false;
    }
    throw;
  }
  return sealed;
}

// The keys of a commit's rows and of those that it deleted. Batches of changes go on meanwhile.
void LiveTables::index_committed(const CommittedTable& committed) {
  const TableIdentifier& identifier = committed.table->identifier;
  const std::shared_ptr<UpsertTable> table = upsert(identifier);
  const std::string gone = format("SELECT {}, {} FROM {} r WHERE r.{}",
                                  table->columns().key_sql("r"), table->columns().sequence_sql("r"),
                                  hot_name(identifier, committed.sealed.number), kDeletedColumn);
  table->index_committed(*state_->collaborators.database.connect(), *committed.table,
                         committed.added, gone);
}

bool LiveTables::is_behind(const lake::TablePtr& table) const {
  return state_->collaborators.catalog.load(table->identifier)->catalog_version >
         table->catalog_version;
}

struct LiveTables::Committed {
  lake::TablePtr table;
  std::shared_ptr<const std::vector<lake::DataFile>> files;
};

// The table after our commit, with what other engines committed before and since.
LiveTables::Committed LiveTables::after_commit(const CommittedTable& change) const {
  lake::Catalog& catalog = state_->collaborators.catalog;
  const TableState& live = state_->at(change.table->identifier);
  if (live.is_upsert) return {change.table, nullptr};  // its files follow with its index
  if (live.refresh_wanted) {
    const lake::TablePtr latest = catalog.load(change.table->identifier);
    return {latest, live_files(catalog, *latest)};
  }
  const lake::Snapshot* snapshot = change.table->metadata.current_snapshot();
  const bool is_next = snapshot != nullptr &&
                       snapshot->parent_snapshot_id == live.table->metadata.current_snapshot_id;
  if (!is_next) return {change.table, live_files(catalog, *change.table)};
  auto files = std::make_shared<std::vector<lake::DataFile>>();
  for (const lake::DataFile& file : *live.files) {
    if (!change.removed_paths.contains(file.path)) files->push_back(file);
  }
  files->insert(files->end(), change.added.begin(), change.added.end());
  return {change.table, std::move(files)};
}

void LiveTables::replace_committed(const std::vector<CommittedTable>& committed) {
  std::vector<TableIdentifier> upserts;
  for (const CommittedTable& change : committed) {
    if (!change.sealed.is_upsert) continue;
    index_committed(change);
    upserts.push_back(change.table->identifier);
  }
  std::sort(upserts.begin(), upserts.end());
  std::vector<std::unique_lock<std::mutex>> no_batches;
  for (const TableIdentifier& identifier : upserts) {
    no_batches.push_back(upsert(identifier)->lock());
  }
  std::lock_guard lock(state_->mutex);
  std::vector<std::string> statements;
  std::vector<std::string> drops;
  std::vector<Committed> after;
  for (const CommittedTable& change : committed) after.push_back(after_commit(change));
  for (size_t at = 0; at < committed.size(); ++at) {
    const CommittedTable& change = committed[at];
    TableState& live = state_->at(change.table->identifier);
    live.table = std::move(after[at].table);
    live.pending.reset();  // the commit had it
    live.is_committing = false;
    const bool refresh_wanted = std::exchange(live.refresh_wanted, false);
    if (live.is_upsert) {
      UpsertTable& table = *state_->upserts.at(change.table->identifier);
      if (refresh_wanted && is_behind(change.table)) table.set_moved();
      const std::string superseded =
          superseded_name(change.table->identifier, change.sealed.number);
      table.replace_files(*state_->connection, state_->collaborators.catalog.files(*change.table),
                          change.added, superseded);
      live.files = table.files();
      if (state_->is_watched(change.table->identifier)) {
        statements.push_back(state_->keep_superseded_sql(
            change.table->identifier, live, change.sealed.number, live.generations.back()));
      }
      drops.push_back("DROP TABLE " + superseded);
      drops.push_back(state_->drop_gone_ddl(change.table->identifier, change.sealed.number));
    } else {
      live.files = std::move(after[at].files);
    }
    for (size_t i = 0; i < change.sealed.raw_range.size(); ++i) {
      live.raw_committed[i] = *change.sealed.raw_range[i].to;
    }
    if (change.sealed.number != 0) {
      std::erase(live.generations, change.sealed.number);
      drops.push_back("DROP TABLE " + hot_name(change.table->identifier, change.sealed.number));
    }
    live.hot_rows -= change.sealed.rows;
    live.sealed_rows -= change.sealed.rows;
    ++live.version;
  }
  for (const CommittedTable& change : committed) {
    state_->append_definitions(change.table->identifier, statements);
  }
  statements.insert(statements.end(), drops.begin(), drops.end());
  state_->run(statements);
  state_->taken_up.notify_all();
}

}  // namespace headrace::tables
