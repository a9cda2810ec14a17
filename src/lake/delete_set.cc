#include "lake/delete_set.h"

#include <algorithm>
#include <deque>

#include "base/error.h"

namespace headrace::lake {
namespace {

// Ids stand in SQL text that any database of the process may run, so they are the process's.
class SetDirectory {
 public:
  int64_t next_id() {
    const std::lock_guard lock(mutex_);
    return ++last_id_;
  }

  void put(const std::shared_ptr<DeleteSet>& set) {
    const std::lock_guard lock(mutex_);
    std::erase_if(sets_, [](const auto& entry) { return entry.second.expired(); });
    sets_[set->id()] = set;
    newest_.push_back(set);
    if (newest_.size() > kKept) newest_.pop_front();
  }

  std::shared_ptr<DeleteSet> find(int64_t id) {
    const std::lock_guard lock(mutex_);
    const auto found = sets_.find(id);
    return found == sets_.end() ? nullptr : found->second.lock();
  }

 private:
  static constexpr size_t kKept = 64;
  std::mutex mutex_;
  int64_t last_id_ = 0;
  std::map<int64_t, std::weak_ptr<DeleteSet>> sets_;
  std::deque<std::shared_ptr<DeleteSet>> newest_;
};

SetDirectory& all_sets() {
  static SetDirectory all;
  return all;
}

}  // namespace

DeleteSet::DeleteSet(std::string version_sql)
    : id_(all_sets().next_id()), version_sql_(std::move(version_sql)) {}

std::shared_ptr<DeleteSet> DeleteSet::make(std::string version_sql) {
  std::shared_ptr<DeleteSet> set(new DeleteSet(std::move(version_sql)));
  all_sets().put(set);
  return set;
}

std::shared_ptr<DeleteSet> DeleteSet::find(int64_t id) {
  if (auto set = all_sets().find(id)) return set;
  fail(ErrorKind::kUnavailable,
       "the table's files were replaced while the query was planned: run the query again");
}

size_t DeleteSet::add_file(const std::string& path,
                           std::vector<std::shared_ptr<const DataFile>> deletes,
                           RowPositionsPtr known) {
  File file;
  file.path = path;
  file.deletes = std::move(deletes);
  file.is_read = known != nullptr || file.deletes.empty();
  file.committed = std::move(known);
  files_.push_back(std::move(file));
  return files_.size() - 1;
}

RowPositionsPtr DeleteSet::committed(File& file, const DeleteLoader& load) {
  if (file.is_read) return file.committed;
  RowPositions all;
  for (const auto& deletes : file.deletes) {
    if (const RowPositionsPtr some = load(*deletes, file.path)) all.add(*some);
  }
  if (all.count() > 0) file.committed = std::make_shared<const RowPositions>(std::move(all));
  file.is_read = true;
  return file.committed;
}

RowPositionsPtr DeleteSet::deleted(size_t number, int64_t version, const DeleteLoader& load) {
  const std::lock_guard lock(mutex_);
  File& file = files_.at(number);
  RowPositionsPtr base = committed(file, load);
  if (layers_.empty()) return base;
  auto layer = layers_.begin();
  if (file.newest_version != 0 && file.newest_version <= version) {
    base = file.newest;
    layer = layers_.upper_bound(file.newest_version);
  }
  std::shared_ptr<RowPositions> merged;
  for (; layer != layers_.end() && layer->first <= version; ++layer) {
    const auto found = layer->second.find(number);
    if (found == layer->second.end()) continue;
    if (!merged) {
      merged = base ? std::make_shared<RowPositions>(*base) : std::make_shared<RowPositions>();
    }
    merged->add(found->second);
  }
  if (merged) base = std::move(merged);
  // Only layers that are there: one that comes later may have a version below the one asked for.
  const int64_t reached = std::min(version, layers_.rbegin()->first);
  if (reached > file.newest_version) {
    file.newest = base;
    file.newest_version = reached;
  }
  return base;
}

void DeleteSet::add_layer(int64_t version, PositionsByFile positions) {
  const std::lock_guard lock(mutex_);
  PositionsByFile& layer = layers_[version];
  for (auto& [file, some] : positions) layer[file].add(some);
}

void DeleteSet::remove_layers_from(int64_t version) {
  const std::lock_guard lock(mutex_);
  layers_.erase(layers_.lower_bound(version), layers_.end());
  for (File& file : files_) {
    if (file.newest_version < version) continue;
    file.newest = nullptr;
    file.newest_version = 0;
  }
}

std::map<int64_t, PositionsByFile> DeleteSet::layers(int64_t first, int64_t last) const {
  const std::lock_guard lock(mutex_);
  return {layers_.lower_bound(first), layers_.upper_bound(last)};
}

}  // namespace headrace::lake
