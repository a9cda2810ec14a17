#include "maintenance/delete_files.h"

#include <map>
#include <set>

#include "base/error.h"
#include "lake/delete_writer.h"
#include "lake/row_deletes.h"
#include "maintenance/row_moves.h"

namespace headrace::maintenance {
namespace {

constexpr int kMaxWriteAttempts = 20;

class Folding {
 public:
  Folding(const MergeCollaborators& collaborators, const DeletesTask& task)
      : collaborators_(collaborators),
        task_(task),
        connection_(collaborators.database.connect()),
        reader_(collaborators.database) {}

  std::optional<FoldedDeletes> run() {
    result_.table = exchange();
    if (result_.table == nullptr) return std::nullopt;
    return result_;
  }

 private:
  lake::TablePtr exchange() {
    const lake::TableIdentifier& identifier = task_.table->identifier;
    if (collaborators_.tables != nullptr && collaborators_.tables->is_changed_by_key(identifier)) {
      tables::LiveTables::FileExchange exchange;
      exchange.identifier = identifier;
      exchange.commit = [this](const lake::TablePtr& base) { return commit_on(base); };
      return collaborators_.tables->exchange_files(exchange, *connection_, collaborators_.patience);
    }
    for (int attempt = 1; attempt <= kMaxWriteAttempts; ++attempt) {
      const lake::TablePtr base = collaborators_.catalog.find(identifier);
      if (base == nullptr) return nullptr;
      if (auto committed = commit_on(base)) return committed;
      if (is_done_) return nullptr;
    }
    return nullptr;
  }

  // What there is to do is looked for anew in the table that it is done to.
  lake::TablePtr commit_on(const lake::TablePtr& base) {
    lake::TableChange change;
    change.base = base;
    change.operation = "replace";
    change.only_on_base = true;
    try {
      collect(*base, change);
      is_done_ = change.removed.empty();
      if (is_done_) return nullptr;
      count(change);
      return collaborators_.catalog.commit({change}).at(0);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCommitUnknown) {
        collaborators_.catalog.discard_files(change.added);
      }
      if (error.kind() == ErrorKind::kConflict) return nullptr;
      throw;
    }
  }

  void collect(const lake::Table& base, lake::TableChange& change) {
    const std::set<std::string> wanted(task_.data_files.begin(), task_.data_files.end());
    std::set<std::string> needed;
    std::vector<lake::DeletedRows> folded;
    for (const lake::DataFile& file : collaborators_.catalog.files(base)) {
      size_t by_position = 0;
      bool is_shared = false;
      for (const auto& deletes : file.deletes) {
        if (deletes->content != lake::FileContent::kPositionDeletes) continue;
        ++by_position;
        is_shared = is_shared || !lake::only_data_file_of(*deletes);
      }
      const bool folds = wanted.contains(file.path) && (by_position > 1 || is_shared);
      if (folds) fold(file, folded);
      for (const auto& deletes : file.deletes) {
        const bool is_folded = folds && deletes->content == lake::FileContent::kPositionDeletes;
        if (!is_folded) needed.insert(deletes->identity());
      }
    }
    change.added = lake::delete_rows(*connection_, collaborators_.catalog, collaborators_.files,
                                     collaborators_.random, base, folded)
                       .added;
    for (const lake::DataFile& file : collaborators_.catalog.delete_files(base)) {
      if (!needed.contains(file.identity())) change.removed.push_back(file);
    }
  }

  void fold(const lake::DataFile& file, std::vector<lake::DeletedRows>& folded) {
    lake::RowPositions all;
    for (const auto& deletes : file.deletes) {
      if (deletes->content != lake::FileContent::kPositionDeletes) continue;
      if (const auto some = reader_.read(*deletes, file.path)) all.add(*some);
    }
    if (all.count() == 0) return;
    folded.push_back({file, all, all});
    folded.back().file.deletes.clear();  // what goes is for collect() to say
  }

  void count(const lake::TableChange& change) {
    result_ = {};
    result_.files_before = static_cast<int64_t>(change.removed.size());
    result_.files_after = static_cast<int64_t>(change.added.size());
    for (const lake::DataFile& file : change.removed) result_.bytes_before += file.file_size_bytes;
    for (const lake::DataFile& file : change.added) result_.bytes_after += file.file_size_bytes;
  }

  const MergeCollaborators& collaborators_;
  const DeletesTask& task_;
  std::unique_ptr<engine::Connection> connection_;
  lake::DeleteReader reader_;
  FoldedDeletes result_;
  bool is_done_ = false;
};

}  // namespace

std::optional<FoldedDeletes> fold_deletes(const MergeCollaborators& collaborators,
                                          const DeletesTask& task) {
  return Folding(collaborators, task).run();
}

}  // namespace headrace::maintenance
