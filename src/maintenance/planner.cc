#include "maintenance/planner.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "lake/delete_writer.h"

namespace headrace::maintenance {
namespace {

constexpr double kMebibyte = 1024 * 1024;

using Files = std::vector<const lake::DataFile*>;

// A file of three quarters of the target is large enough.
int64_t large_enough(const PlannerOptions& options) { return options.target_file_bytes / 4 * 3; }

// A smaller file is not written anew by itself for the rows that are deleted in it.
int64_t worth_alone(const PlannerOptions& options) {
  return options.eager ? 0 : options.target_file_bytes / 16;
}

// So small a file is never too costly.
constexpr int64_t kAlwaysCheap = 64LL * 1024;
// Delete files of one data file that are written as one; the job itself does so at eight.
constexpr size_t kManyDeleteFiles = 4;

// What of the file is live rows.
int64_t live_bytes(const lake::DataFile& file) {
  if (file.record_count <= 0) return file.file_size_bytes;
  const double share = static_cast<double>(std::max<int64_t>(lake::live_rows(file), 0)) /
                       static_cast<double>(file.record_count);
  return static_cast<int64_t>(share * static_cast<double>(file.file_size_bytes));
}

bool is_worn(const lake::DataFile& file, const PlannerOptions& options) {
  if (file.deletes.empty()) return false;
  if (options.eager || lake::has_equality_deletes(file)) return true;
  const int64_t dead = file.record_count - lake::live_rows(file);
  return dead * 100 >= file.record_count * options.max_dead_percent;
}

std::map<lake::PartitionValues, Files> files_by_partition(
    const lake::Table& table, const std::vector<lake::DataFile>& files) {
  std::map<lake::PartitionValues, Files> partitions;
  for (const lake::DataFile& file : files) {
    if (file.spec_id == table.metadata.default_spec_id) partitions[file.partition].push_back(&file);
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
  size_t saved = files.size() - 1;
  for (const lake::DataFile* file : files) {
    task.files.push_back(*file);
    task.bytes += file->file_size_bytes;
    task.rows += file->record_count;
    saved += file->deletes.size();
  }
  task.gain =
      static_cast<double>(saved) / std::max(1.0, static_cast<double>(task.bytes) / kMebibyte);
  return task;
}

class PartitionPlan {
 public:
  PartitionPlan(const lake::TablePtr& table, const PlannerOptions& options)
      : table_(table), options_(options) {}

  void take(const lake::DataFile* file) {
    const int64_t bytes = live_bytes(*file);
    const bool too_large = bytes_ + bytes > options_.target_file_bytes;
    const bool too_costly = !options_.eager && !files_.empty() && bytes > kAlwaysCheap &&
                            bytes > std::max(bytes_, 2 * live_bytes(*files_.front()));
    // What is too costly now may begin a merge of its own with others of its size.
    if (too_large || too_costly) close();
    files_.push_back(file);
    bytes_ += bytes;
  }

  void close() {
    // A merge that fills a file is final, however few it takes.
    const bool is_full = bytes_ >= large_enough(options_);
    const size_t wanted =
        options_.eager || is_full ? 2 : static_cast<size_t>(std::max(options_.min_files, 2));
    if (files_.size() >= wanted) {
      tasks_.push_back(to_task(table_, files_));
    } else {
      // Small ones wait for others.
      for (const lake::DataFile* file : files_) {
        if (file->file_size_bytes >= worth_alone(options_)) take_alone(file);
      }
    }
    files_.clear();
    bytes_ = 0;
  }

  void take_alone(const lake::DataFile* file) {
    if (is_worn(*file, options_)) tasks_.push_back(to_task(table_, {file}));
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
  for (auto& [partition, candidates] : files_by_partition(*table, files)) {
    std::sort(candidates.begin(), candidates.end(),
              [](const lake::DataFile* one, const lake::DataFile* two) {
                const int64_t bytes_of_one = live_bytes(*one);
                const int64_t bytes_of_two = live_bytes(*two);
                return std::tie(bytes_of_one, one->path) < std::tie(bytes_of_two, two->path);
              });
    PartitionPlan plan(table, options);
    for (const lake::DataFile* file : candidates) {
      if (live_bytes(*file) < large_enough(options)) {
        plan.take(file);
      } else {
        plan.take_alone(file);
      }
    }
    for (MergeTask& task : plan.finish()) tasks.push_back(std::move(task));
  }
  std::stable_sort(tasks.begin(), tasks.end(), [](const MergeTask& one, const MergeTask& other) {
    return one.gain > other.gain;
  });
  return tasks;
}

std::optional<DeletesTask> plan_deletes(const lake::TablePtr& table,
                                        const std::vector<lake::DataFile>& files,
                                        const std::vector<lake::DataFile>& deletes,
                                        const PlannerOptions& options) {
  const size_t many = options.eager ? 2 : kManyDeleteFiles;
  DeletesTask task;
  task.table = table;
  std::set<std::string> needed;
  std::set<std::string> shared;
  for (const lake::DataFile& file : files) {
    size_t by_position = 0;
    for (const auto& some : file.deletes) {
      needed.insert(some->identity());
      if (some->content != lake::FileContent::kPositionDeletes) continue;
      ++by_position;
      if (!lake::only_data_file_of(*some)) shared.insert(some->path);
    }
    if (by_position < many) continue;
    task.data_files.push_back(file.path);
    task.saved += static_cast<int64_t>(by_position) - 1;
  }
  for (const lake::DataFile& file : deletes) {
    if (!needed.contains(file.identity())) ++task.saved;
  }
  // A file of deletes of many data files goes when each of these has its own.
  if (shared.size() >= static_cast<size_t>(options.eager ? 1 : options.min_files)) {
    task.saved += static_cast<int64_t>(shared.size());
    const std::set<std::string> there(task.data_files.begin(), task.data_files.end());
    for (const lake::DataFile& file : files) {
      const bool has_shared =
          std::any_of(file.deletes.begin(), file.deletes.end(),
                      [&](const auto& some) { return shared.contains(some->path); });
      if (has_shared && !there.contains(file.path)) task.data_files.push_back(file.path);
    }
  }
  if (task.saved < (options.eager ? 1 : options.min_files)) return std::nullopt;
  return task;
}

}  // namespace headrace::maintenance
