#include "lake/file_lists.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/once.h"
#include "lake/delete_reader.h"
#include "lake/file_filter.h"

namespace headrace::lake {
namespace {

class GivenFiles final : public TableFileList {
 public:
  GivenFiles(TablePtr table, Schema schema, DataFilesPtr files, std::vector<size_t> places)
      : table_(std::move(table)),
        schema_(std::move(schema)),
        files_(std::move(files)),
        places_(std::move(places)) {}

  size_t size() const override { return places_.size(); }
  const DataFile& data_file(size_t file) const override { return at(file); }
  std::string path(size_t file) const override { return engine_path(at(file).path); }
  int64_t rows(size_t file) const override { return live_rows(at(file)); }
  std::vector<size_t> matching(const std::vector<size_t>& files,
                               const engine::Condition& condition) const override {
    const FileFilter filter(table_->metadata, schema_, condition);
    if (!filter.may_exclude()) return files;
    std::vector<size_t> result;
    std::copy_if(files.begin(), files.end(), std::back_inserter(result),
                 [&](size_t file) { return filter.may_match(at(file)); });
    return result;
  }

 private:
  const DataFile& at(size_t file) const { return (*files_)[places_[file]]; }

  const TablePtr table_;
  const Schema schema_;
  const DataFilesPtr files_;
  const std::vector<size_t> places_;
};

class SnapshotFiles final : public TableFileList {
 public:
  SnapshotFiles(Catalog& catalog, TablePtr table, Schema schema, const ManifestList& manifests)
      : catalog_(catalog), table_(std::move(table)), schema_(std::move(schema)) {
    for (const ManifestFile& manifest : manifests) {
      if (manifest.content != ManifestContent::kData || manifest.live_files() <= 0) continue;
      parts_.push_back(std::make_unique<Part>(manifest, size_));
      size_ += static_cast<size_t>(manifest.live_files());
    }
  }

  size_t size() const override { return size_; }
  const DataFile& data_file(size_t file) const override {
    const Part& part = part_of(file);
    return *files_of(part)[file - part.first];
  }
  std::string path(size_t file) const override { return engine_path(data_file(file).path); }
  // On average, so that nothing is read for an estimate.
  int64_t rows(size_t file) const override {
    const ManifestFile& manifest = part_of(file).manifest;
    return (manifest.added_rows + manifest.existing_rows) / manifest.live_files();
  }
  std::vector<size_t> matching(const std::vector<size_t>& files,
                               const engine::Condition& condition) const override {
    const FileFilter filter(table_->metadata, schema_, condition);
    if (!filter.may_exclude()) return files;
    std::vector<size_t> result;
    for (auto file = files.begin(); file != files.end();) {
      const Part& part = part_of(*file);
      const auto end = std::lower_bound(
          file, files.end(), part.first + static_cast<size_t>(part.manifest.live_files()));
      if (filter.may_match(part.manifest)) {
        const auto& data = files_of(part);
        std::copy_if(file, end, std::back_inserter(result),
                     [&](size_t one) { return filter.may_match(*data[one - part.first]); });
      }
      file = end;
    }
    return result;
  }

 private:
  struct Part {
    Part(const ManifestFile& of, size_t begin) : manifest(of), first(begin) {}
    const ManifestFile manifest;
    const size_t first;  // place of its first file
    mutable Once once;
    mutable ManifestEntriesPtr entries;  // holds the files
    mutable std::vector<const DataFile*> files;
  };

  const Part& part_of(size_t file) const {
    const auto next =
        std::upper_bound(parts_.begin(), parts_.end(), file,
                         [](size_t place, const auto& part) { return place < part->first; });
    return **(next - 1);
  }

  const std::vector<const DataFile*>& files_of(const Part& part) const {
    part.once.run([&] {
      std::vector<const DataFile*> files;
      part.entries = catalog_.entries(*table_, part.manifest);
      for (const ManifestEntry& entry : *part.entries) {
        if (entry.status != EntryStatus::kDeleted) files.push_back(&entry.file);
      }
      if (static_cast<int64_t>(files.size()) != part.manifest.live_files()) {
        fail(ErrorKind::kCorrupt,
             "reading {}: the manifest {} has {} files, and the list of manifests says {}",
             table_->identifier.to_string(), part.manifest.path, files.size(),
             part.manifest.live_files());
      }
      part.files = std::move(files);
    });
    return part.files;
  }

  Catalog& catalog_;
  const TablePtr table_;
  const Schema schema_;
  std::vector<std::unique_ptr<Part>> parts_;
  size_t size_ = 0;
};

class LiveRows final : public engine::RowFilter {
 public:
  explicit LiveRows(RowPositionsPtr deleted) : deleted_(std::move(deleted)) {}
  size_t keep(int64_t first, size_t count, uint32_t* kept) const override {
    return deleted_->list_absent(first, count, kept);
  }

 private:
  const RowPositionsPtr deleted_;
};

// A list as one database reads it: with what reads delete files there.
class ListOfDatabase final : public engine::FileList {
 public:
  ListOfDatabase(FileListPtr list, std::shared_ptr<DeleteReader> reader)
      : list_(std::move(list)), reader_(std::move(reader)) {}

  size_t size() const override { return list_->size(); }
  std::string path(size_t file) const override { return list_->path(file); }
  int64_t rows(size_t file) const override { return list_->rows(file); }
  std::vector<size_t> matching(const std::vector<size_t>& files,
                               const engine::Condition& condition) const override {
    return list_->matching(files, condition);
  }
  std::unique_ptr<engine::RowFilter> rows_read(size_t file, int64_t version) const override {
    const DataFile& data_file = static_cast<const TableFileList&>(*list_).data_file(file);
    if (!data_file.delete_set) return nullptr;
    RowPositionsPtr deleted =
        data_file.delete_set->deleted(data_file.delete_number, version, reader_->loader());
    if (deleted == nullptr || deleted->count() == 0) return nullptr;
    return std::make_unique<LiveRows>(std::move(deleted));
  }

 private:
  const FileListPtr list_;
  const std::shared_ptr<DeleteReader> reader_;
};

// Names stand in SQL text that any database of the process may run, so they are the process's.
class ListDirectory {
 public:
  std::string put(const FileListPtr& list) {
    const std::lock_guard lock(mutex_);
    std::erase_if(lists_, [](const auto& entry) { return entry.second.expired(); });
    std::string name = format("{}", ++last_name_);
    lists_[name] = list;
    newest_.push_back(list);
    kept_files_ += list->size();
    while (newest_.size() > 1 && (newest_.size() > kMaxKept || kept_files_ > kMaxKeptFiles)) {
      kept_files_ -= newest_.front()->size();
      newest_.pop_front();
    }
    return name;
  }

  FileListPtr find(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = lists_.find(name);
    return found == lists_.end() ? nullptr : found->second.lock();
  }

 private:
  static constexpr size_t kMaxKept = 64;
  static constexpr size_t kMaxKeptFiles = 20'000;
  std::mutex mutex_;
  int64_t last_name_ = 0;
  std::map<std::string, std::weak_ptr<const engine::FileList>> lists_;
  std::deque<FileListPtr> newest_;
  size_t kept_files_ = 0;
};

ListDirectory& all_lists() {
  static ListDirectory all;
  return all;
}

}  // namespace

FileListPtr given_files(TablePtr table, Schema schema, DataFilesPtr files,
                        std::vector<size_t> places) {
  return std::make_shared<const GivenFiles>(std::move(table), std::move(schema), std::move(files),
                                            std::move(places));
}

FileListPtr snapshot_files(Catalog& catalog, TablePtr table, Schema schema,
                           const ManifestList& manifests) {
  return std::make_shared<const SnapshotFiles>(catalog, std::move(table), std::move(schema),
                                               manifests);
}

std::string put_file_list(const FileListPtr& list) { return all_lists().put(list); }

FileListPtr find_file_list(const std::string& name) {
  if (auto list = all_lists().find(name)) return list;
  fail(ErrorKind::kUnavailable,
       "the table's files were replaced while the query was planned: run the query again");
}

void register_file_scan(engine::Database& database) {
  database.add_file_scan(
      [reader = std::make_shared<DeleteReader>(database)](const std::string& name) {
        return std::make_shared<const ListOfDatabase>(find_file_list(name), reader);
      });
}

}  // namespace headrace::lake
