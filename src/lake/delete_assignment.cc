#include "lake/delete_assignment.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "lake/delete_set.h"
#include "lake/delete_writer.h"

namespace headrace::lake {
namespace {

using DeletePtr = std::shared_ptr<const DataFile>;
using Partition = std::pair<int, PartitionValues>;

// Deletes by what they can apply to.
struct DeleteIndex {
  std::map<std::string, DeletePtr> vectors;  // by data file
  std::map<std::string, std::vector<DeletePtr>> by_file;
  std::map<Partition, std::vector<DeletePtr>> by_partition;
  std::vector<DeletePtr> everywhere;  // equality deletes of an unpartitioned spec
};

DeleteIndex index_of(const Table& table, const std::vector<DataFile>& deletes) {
  DeleteIndex index;
  for (const DataFile& file : deletes) {
    auto shared = std::make_shared<const DataFile>(file);
    if (file.is_deletion_vector()) {
      if (index.vectors.emplace(*file.referenced_data_file, std::move(shared)).second) continue;
      fail(ErrorKind::kCorrupt,
           "reading {}: {} has two deletion vectors, and which one holds cannot be told",
           table.identifier.to_string(), *file.referenced_data_file);
    }
    const bool is_equality = file.content == FileContent::kEqualityDeletes;
    if (is_equality && table.metadata.spec(file.spec_id).fields.empty()) {
      index.everywhere.push_back(std::move(shared));
      continue;
    }
    const auto only = is_equality ? std::nullopt : only_data_file_of(file);
    auto& group = only ? index.by_file[*only] : index.by_partition[{file.spec_id, file.partition}];
    group.push_back(std::move(shared));
  }
  return index;
}

// A delete by value never applies to rows of its own commit, one by position may.
bool applies(const DataFile& deletes, const DataFile& data) {
  return deletes.content == FileContent::kEqualityDeletes
             ? data.sequence_number < deletes.sequence_number
             : data.sequence_number <= deletes.sequence_number;
}

void add_applicable(DataFile& data, const std::vector<DeletePtr>& candidates) {
  for (const DeletePtr& candidate : candidates) {
    if (applies(*candidate, data)) data.deletes.push_back(candidate);
  }
}

// A vector holds whatever was deleted by position before.
void add_vector(DataFile& data, const DeleteIndex& index) {
  const auto vector = index.vectors.find(data.path);
  if (vector != index.vectors.end() && applies(*vector->second, data)) {
    std::erase_if(data.deletes, [](const DeletePtr& file) {
      return file->content == FileContent::kPositionDeletes;
    });
    data.deletes.push_back(vector->second);
  }
}

std::vector<DeletePtr> position_deletes(const DataFile& data) {
  std::vector<DeletePtr> result;
  for (const DeletePtr& file : data.deletes) {
    if (file->content == FileContent::kPositionDeletes) result.push_back(file);
  }
  return result;
}

}  // namespace

std::string DataFile::identity() const {
  return content_offset ? format("{}#{}", path, *content_offset) : path;
}

int64_t live_rows(const DataFile& file) {
  int64_t rows = file.record_count;
  for (const auto& deletes : file.deletes) {
    if (only_data_file_of(*deletes) == file.path) rows -= deletes->record_count;
  }
  return rows;
}

bool has_equality_deletes(const DataFile& file) {
  return std::any_of(file.deletes.begin(), file.deletes.end(), [](const auto& deletes) {
    return deletes->content == FileContent::kEqualityDeletes;
  });
}

void assign_deletes(const Table& table, std::vector<DataFile>& data_files,
                    const std::vector<DataFile>& deletes) {
  if (deletes.empty()) return;
  const DeleteIndex index = index_of(table, deletes);
  std::shared_ptr<DeleteSet> set;
  for (DataFile& data : data_files) {
    add_applicable(data, index.everywhere);
    if (const auto found = index.by_file.find(data.path); found != index.by_file.end()) {
      add_applicable(data, found->second);
    }
    const auto found = index.by_partition.find({data.spec_id, data.partition});
    if (found != index.by_partition.end()) add_applicable(data, found->second);
    add_vector(data, index);
    std::stable_sort(data.deletes.begin(), data.deletes.end(),
                     [](const DeletePtr& a, const DeletePtr& b) {
                       return a->sequence_number < b->sequence_number;
                     });
    std::vector<DeletePtr> by_position = position_deletes(data);
    if (by_position.empty()) continue;
    if (!set) set = DeleteSet::make();
    data.delete_set = set;
    data.delete_number = set->add_file(data.path, std::move(by_position));
  }
}

}  // namespace headrace::lake
