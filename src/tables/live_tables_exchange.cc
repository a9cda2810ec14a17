// How files of a table that a job changes by key are exchanged for others while it goes on.
//
// Between seal() and replace_committed() the job's deletes name files that must still be there, so
// an exchange takes place outside of that, and seal() waits for it. Batches wait only while the
// files are swapped in memory.

#include <utility>

#include "base/error.h"
#include "tables/live_tables_state.h"
#include "telemetry/log.h"

namespace headrace::tables {

bool LiveTables::is_changed_by_key(const TableIdentifier& identifier) const {
  const std::lock_guard lock(state_->mutex);
  return state_->upserts.contains(identifier);
}

// nullptr: no job changes the table, or its commit did not end.
std::shared_ptr<UpsertTable> LiveTables::begin_exchange(const TableIdentifier& identifier,
                                                        milliseconds patience,
                                                        lake::TablePtr& base) {
  std::unique_lock lock(state_->mutex);
  const auto open = [&] {
    const auto found = state_->upserts.find(identifier);
    return found == state_->upserts.end() ? nullptr : found->second;
  };
  state_->taken_up.wait_for(lock, patience, [&] {
    return open() == nullptr || open()->is_moved() || !state_->at(identifier).is_committing;
  });
  std::shared_ptr<UpsertTable> upsert = open();
  if (upsert == nullptr || upsert->is_moved()) return nullptr;
  TableState& live = state_->at(identifier);
  if (live.is_committing || live.is_exchanging) return nullptr;
  live.is_exchanging = true;
  base = live.table;
  return upsert;
}

// `committed`: nullptr when there is nothing to take up. False when the job has ended or begun
// again meanwhile; it knows nothing of the exchange then, but that the table has moved on.
bool LiveTables::end_exchange(const TableIdentifier& identifier,
                              const std::shared_ptr<UpsertTable>& upsert,
                              const lake::TablePtr& committed,
                              const UpsertTable::Exchange& exchange) {
  const auto no_batch = upsert->lock();
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->upserts.find(identifier);
  if (found == state_->upserts.end() || found->second != upsert) return false;
  TableState& live = state_->at(identifier);
  live.is_exchanging = false;
  state_->taken_up.notify_all();
  const bool refresh_wanted = std::exchange(live.refresh_wanted, false);
  try {
    if (refresh_wanted && is_behind(committed ? committed : live.table)) upsert->set_moved();
    if (committed == nullptr) return true;
    upsert->exchange_files(state_->collaborators.catalog.files(*committed), exchange);
    live.table = committed;
    live.files = upsert->files();
    ++live.version;
    std::vector<std::string> statements;
    state_->append_definitions(identifier, statements);
    state_->run(statements);
  } catch (const std::exception& error) {
    // The commit stands, whatever becomes of this: the job begins again on top of it.
    telemetry::log_warning("tables", "exchanged files could not be taken up",
                           {{"table", identifier.to_string()}, {"reason", error.what()}});
    upsert->set_moved();
  }
  return true;
}

lake::TablePtr LiveTables::exchange_files(const FileExchange& given, engine::Connection& connection,
                                          milliseconds patience) {
  lake::TablePtr base;
  const auto upsert = begin_exchange(given.identifier, patience, base);
  if (upsert == nullptr) return nullptr;
  const UpsertTable::Exchange exchange{given.moved, given.added ? &*given.added : nullptr,
                                       given.replaced};
  lake::TablePtr committed;
  try {
    upsert->reserve(exchange);
    committed = given.commit(base);
  } catch (const Error& error) {
    // When it may stand, the job looks for itself.
    if (error.kind() == ErrorKind::kCommitUnknown) upsert->set_moved();
    end_exchange(given.identifier, upsert, nullptr, exchange);
    throw;
  }
  if (!end_exchange(given.identifier, upsert, committed, exchange)) {
    if (committed) refresh_again(given.identifier);
    return committed;
  }
  if (committed == nullptr || upsert->is_moved()) return committed;
  try {
    upsert->index_moved(connection, *committed, exchange);
  } catch (const std::exception& error) {
    telemetry::log_warning("tables", "the key index could not follow moved rows",
                           {{"table", given.identifier.to_string()}, {"reason", error.what()}});
    upsert->set_moved();
  }
  return committed;
}

}  // namespace headrace::tables
