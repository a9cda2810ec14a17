#include "lake/scan_files.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

#include "base/error.h"
#include "lake/file_filter.h"

namespace headrace::lake {
namespace {

using ScanFilesPtr = std::shared_ptr<const ScanFiles>;

// Names stand in SQL text that any database of the process may run, so they are the process's.
class Directory {
 public:
  std::string next_name() {
    const std::lock_guard lock(mutex_);
    return format("{}", ++last_name_);
  }

  void put(const ScanFilesPtr& list) {
    const std::lock_guard lock(mutex_);
    std::erase_if(lists_, [](const auto& entry) { return entry.second.expired(); });
    lists_[list->name()] = list;
    newest_.push_back(list);
    kept_files_ += list->size();
    while (newest_.size() > 1 && (newest_.size() > kMaxKept || kept_files_ > kMaxKeptFiles)) {
      kept_files_ -= newest_.front()->size();
      newest_.pop_front();
    }
  }

  ScanFilesPtr find(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = lists_.find(name);
    return found == lists_.end() ? nullptr : found->second.lock();
  }

 private:
  static constexpr size_t kMaxKept = 64;
  static constexpr size_t kMaxKeptFiles = 20'000;
  std::mutex mutex_;
  int64_t last_name_ = 0;
  std::map<std::string, std::weak_ptr<const ScanFiles>> lists_;
  std::deque<ScanFilesPtr> newest_;
  size_t kept_files_ = 0;
};

Directory& directory() {
  static Directory all;
  return all;
}

}  // namespace

ScanFiles::ScanFiles(TablePtr table, Schema schema, DataFilesPtr files, std::vector<size_t> places)
    : name_(directory().next_name()),
      table_(std::move(table)),
      schema_(std::move(schema)),
      files_(std::move(files)),
      places_(std::move(places)) {}

ScanFilesPtr ScanFiles::make(TablePtr table, Schema schema, DataFilesPtr files,
                             std::vector<size_t> places) {
  auto list = std::make_shared<const ScanFiles>(std::move(table), std::move(schema),
                                                std::move(files), std::move(places));
  directory().put(list);
  return list;
}

ScanFilesPtr ScanFiles::find(const std::string& name) {
  if (auto list = directory().find(name)) return list;
  fail(ErrorKind::kUnavailable,
       "the table's files were replaced while the query was planned: run the query again");
}

std::string ScanFiles::path(size_t index) const { return engine_path(file(index).path); }

int64_t ScanFiles::rows(size_t index) const { return live_rows(file(index)); }

std::vector<size_t> ScanFiles::matching(const std::vector<size_t>& files,
                                        const engine::Condition& condition) const {
  const FileFilter filter(table_->metadata, schema_, condition);
  if (!filter.may_exclude()) return files;
  std::vector<size_t> result;
  std::copy_if(files.begin(), files.end(), std::back_inserter(result),
               [&](size_t index) { return filter.may_match(file(index)); });
  return result;
}

void register_file_scan(engine::Database& database) {
  database.add_file_scan([](const std::string& name) { return ScanFiles::find(name); });
}

}  // namespace headrace::lake
