#include "maintenance/merge.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "lake/delete_writer.h"
#include "lake/row_deletes.h"
#include "maintenance/row_moves.h"

namespace headrace::maintenance {
namespace {

constexpr int kMaxMergeAttempts = 20;

class Merge {
 public:
  Merge(const MergeCollaborators& collaborators, const MergeTask& task)
      : collaborators_(collaborators),
        task_(task),
        connection_(collaborators.database.connect()),
        deletes_(collaborators.database) {
    for (const lake::DataFile& file : task.files) {
      KnownDeletes& known = known_deletes_[file.path];
      known.first_row_id = file.first_row_id;
      for (const auto& some : file.deletes) {
        known.all.insert(some->identity());
        if (some->content == lake::FileContent::kEqualityDeletes) known.by_value.insert(some->path);
      }
    }
  }

  std::optional<Merged> run(const MergeOrder& order) {
    rewritten_ = rewrite_rows(collaborators_, *connection_, deletes_, task_, order);
    Merged merged;
    try {
      merged.table = exchange();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCommitUnknown) discard();
      throw;
    }
    if (merged.table == nullptr) {
      discard();
      return std::nullopt;
    }
    merged.added = rewritten_.added;
    for (const lake::DataFile& file : merged.added) merged.bytes += file.file_size_bytes;
    return merged;
  }

 private:
  // What a data file had when it was read.
  struct KnownDeletes {
    std::optional<int64_t> first_row_id;
    std::set<std::string> all;
    std::set<std::string> by_value;
  };

  void discard() noexcept { collaborators_.catalog.discard_files(rewritten_.added); }

  lake::TablePtr exchange() {
    const lake::TableIdentifier& identifier = task_.table->identifier;
    if (collaborators_.tables != nullptr && collaborators_.tables->is_changed_by_key(identifier)) {
      tables::LiveTables::FileExchange exchange;
      exchange.identifier = identifier;
      exchange.moved = rewritten_.moved;
      if (!rewritten_.added.empty()) exchange.added = rewritten_.added.front();
      for (const lake::DataFile& file : task_.files) exchange.replaced.push_back(file.path);
      exchange.commit = [this](const lake::TablePtr& base) { return commit_on(base); };
      return collaborators_.tables->exchange_files(exchange, *connection_, collaborators_.patience);
    }
    for (int attempt = 1; attempt <= kMaxMergeAttempts; ++attempt) {
      const lake::TablePtr base = collaborators_.catalog.find(identifier);
      if (base == nullptr || is_impossible_) return nullptr;
      if (auto committed = commit_on(base)) return committed;
    }
    return nullptr;
  }

  // nullptr: it cannot be done any more, or somebody else was quicker.
  lake::TablePtr commit_on(const lake::TablePtr& base) {
    lake::TableChange change;
    change.base = base;
    change.operation = "replace";
    change.only_on_base = true;
    lake::RowPositions gone;
    is_impossible_ = base->metadata.table_uuid != task_.table->metadata.table_uuid ||
                     !take_in(*base, change, gone);
    if (is_impossible_) return nullptr;
    std::vector<lake::DataFile> carried;
    if (gone.count() > 0 && !rewritten_.added.empty()) {
      carried =
          lake::delete_rows(*connection_, collaborators_.catalog, collaborators_.files,
                            collaborators_.random, *base, {{rewritten_.added.front(), gone, gone}})
              .added;
    }
    change.added = rewritten_.added;
    change.added.insert(change.added.end(), carried.begin(), carried.end());
    try {
      return collaborators_.catalog.commit({change}).at(0);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCommitUnknown) {
        collaborators_.catalog.discard_files(carried);
      }
      if (error.kind() == ErrorKind::kConflict) return nullptr;
      throw;
    }
  }

  // What goes: the files, and the deletes that are of them alone. `gone`: places in the new file of
  // rows that were deleted since the files were read. False when it cannot be done any more.
  bool take_in(const lake::Table& base, lake::TableChange& change, lake::RowPositions& gone) {
    std::set<std::string> wanted;
    for (const lake::DataFile& file : task_.files) wanted.insert(file.path);
    std::map<std::string, lake::DataFile> own_deletes;
    for (const lake::DataFile& file : collaborators_.catalog.files(base)) {
      if (wanted.erase(file.path) == 0) continue;
      change.removed.push_back(file);
      for (const auto& deletes : file.deletes) {
        if (lake::only_data_file_of(*deletes) == file.path) {
          own_deletes.emplace(deletes->identity(), *deletes);
        }
      }
      // A commit after the upgrade of the table's format has given its rows their ids.
      if (file.first_row_id != known_deletes_[file.path].first_row_id) return false;
      if (!carry_over(file, gone)) return false;
    }
    for (const auto& [path, file] : own_deletes) change.removed.push_back(file);
    return wanted.empty();
  }

  bool carry_over(const lake::DataFile& file, lake::RowPositions& gone) {
    std::set<std::string> now;
    std::set<std::string> by_value;
    lake::RowPositions all;
    for (const auto& deletes : file.deletes) {
      now.insert(deletes->identity());
      if (deletes->content == lake::FileContent::kEqualityDeletes) by_value.insert(deletes->path);
    }
    const KnownDeletes& known = known_deletes_[file.path];
    if (now == known.all) return true;
    // Which rows they match is told by their age, and the new file is of another.
    if (by_value != known.by_value) return false;
    for (const auto& deletes : file.deletes) {
      if (deletes->content != lake::FileContent::kPositionDeletes) continue;
      if (const auto some = deletes_.read(*deletes, file.path)) all.add(*some);
    }
    const lake::RowPositions none;
    const lake::RowPositions* live = rewritten_.moved->live(file.path);
    if (live == nullptr) live = &none;
    // Rows that were deleted when the files were read may live again: the table was rolled back.
    const int64_t left_out = file.record_count - live->count();
    if (by_value.empty() && all.without(*live).count() != left_out) return false;
    if (!by_value.empty() &&
        !std::includes(now.begin(), now.end(), known.all.begin(), known.all.end())) {
      return false;
    }
    gone.add(rewritten_.moved->moved(file.path, all));
    return true;
  }

  const MergeCollaborators& collaborators_;
  const MergeTask& task_;
  std::unique_ptr<engine::Connection> connection_;
  lake::DeleteReader deletes_;
  std::map<std::string, KnownDeletes> known_deletes_;  // by data file
  RewrittenFiles rewritten_;
  bool is_impossible_ = false;
};

}  // namespace

std::optional<Merged> merge(const MergeCollaborators& collaborators, const MergeTask& task,
                            const MergeOrder& order) {
  return Merge(collaborators, task).run(order);
}

}  // namespace headrace::maintenance
