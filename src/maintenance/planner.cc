#include "maintenance/planner.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace headrace::maintenance {
namespace {

constexpr double kMebibyte = 1024 * 1024;

using Files = std::vector<const lake::DataFile*>;

// A file of three quarters of the target is large enough.
int64_t large_enough(const PlannerOptions& options) { return options.target_file_bytes / 4 * 3; }

std::map<lake::PartitionValues, Files> small_files_by_partition(
    const lake::Table& table, const std::vector<lake::DataFile>& files,
    const PlannerOptions& options) {
  std::map<lake::PartitionValues, Files> partitions;
  for (const lake::DataFile& file : files) {
    if (file.spec_id != table.metadata.default_spec_id) continue;
    if (!file.deletes.empty() || file.file_size_bytes >= large_enough(options)) continue;
    partitions[file.partition].push_back(&file);
  }
  return partitions;
}

MergeTask to_task(const lake::TablePtr& table, Files files) {
  std::sort(files.begin(), files.end(), [](const lake::DataFile* one, const lake::DataFile* other) {
    return std::tie(one->sequence_number, one->path) <
           std::tie(other->sequence_number, other->path);
  });
  MergeTask task;
  task.table = table;
  for (const lake::DataFile* file : files) {
    task.files.push_back(*file);
    task.bytes += file->file_size_bytes;
    task.rows += file->record_count;
  }
  task.gain = static_cast<double>(files.size() - 1) /
              std::max(1.0, static_cast<double>(task.bytes) / kMebibyte);
  return task;
}

class PartitionPlan {
 public:
  PartitionPlan(const lake::TablePtr& table, const PlannerOptions& options)
      : table_(table), options_(options) {}

  void take(const lake::DataFile* file) {
    const bool too_large = bytes_ + file->file_size_bytes > options_.target_file_bytes;
    const bool too_costly =
        !options_.eager && !files_.empty() &&
        file->file_size_bytes > std::max(bytes_, 2 * files_.front()->file_size_bytes);
    // What is too costly now may begin a merge of its own with others of its size.
    if (too_large || too_costly) close();
    files_.push_back(file);
    bytes_ += file->file_size_bytes;
  }

  void close() {
    // A merge that fills a file is final, however few it takes.
    const bool is_full = bytes_ >= large_enough(options_);
    const size_t wanted =
        options_.eager || is_full ? 2 : static_cast<size_t>(std::max(options_.min_files, 2));
    if (files_.size() >= wanted) tasks_.push_back(to_task(table_, files_));
    files_.clear();
    bytes_ = 0;
  }

  std::vector<MergeTask> finish() {
    close();
    return std::move(tasks_);
  }

 private:
  const lake::TablePtr& table_;
  const PlannerOptions& options_;
  Files files_;
  int64_t bytes_ = 0;
  std::vector<MergeTask> tasks_;
};

}  // namespace

std::vector<MergeTask> plan_merges(const lake::TablePtr& table,
                                   const std::vector<lake::DataFile>& files,
                                   const PlannerOptions& options) {
  std::vector<MergeTask> tasks;
  for (auto& [partition, small] : small_files_by_partition(*table, files, options)) {
    std::sort(small.begin(), small.end(), [](const lake::DataFile* one, const lake::DataFile* two) {
      return std::tie(one->file_size_bytes, one->path) < std::tie(two->file_size_bytes, two->path);
    });
    PartitionPlan plan(table, options);
    for (const lake::DataFile* file : small) plan.take(file);
    for (MergeTask& task : plan.finish()) tasks.push_back(std::move(task));
  }
  std::stable_sort(tasks.begin(), tasks.end(), [](const MergeTask& one, const MergeTask& other) {
    return one.gain > other.gain;
  });
  return tasks;
}

}  // namespace headrace::maintenance
