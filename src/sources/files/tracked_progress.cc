#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/json.h"
#include "sources/files/open_records.h"
#include "sources/files/partition_layout.h"
#include "sources/files/progress.h"
#include "sources/files/tracked_file.h"
#include "telemetry/log.h"

namespace headrace::sources {
namespace {

constexpr size_t kMaxHandles = 256;
// How long a file that is gone is kept open, for what its writer still adds.
constexpr microseconds kHandleLinger = std::chrono::seconds(60);

// Each tracked file has a slot in each partition that holds records of it: the position key
// "<source>/<slot>". The slot of a file that is gone for good is given to another, so there are
// never more keys than files at one time.
class TrackedProgress final : public Progress {
 public:
  TrackedProgress(ProgressContext context, const TrackingContext& tracking)
      : context_(std::move(context)), tracking_(tracking), layout_(context_) {}

  void load() override;
  std::vector<FileTask> plan(const std::vector<FoundFile>& found) override;
  stream::SourcePosition position(int partition, const FileTask& task,
                                  const FileMark& mark) override;
  void read_to(const FileTask& task, const FileMark& mark) override;

  int64_t files_done() const override { return files_done_; }
  int64_t files_total() const override { return files_total_; }
  int64_t lag_bytes() const override { return lag_bytes_; }

 private:
  void take_over(int partition, int slot, const Json& stored);
  void finish_load();
  // Finds the entries of the found files by inode, then by path; makes new ones.
  void match(const std::vector<FoundFile>& found);
  void note_seen(TrackedFile& file, const FoundFile& found);
  void note_missing(std::set<int64_t>& seen);
  int64_t add_file(const FoundFile& found);
  bool is_restored(const TrackedFile& file, const FoundFile& found);
  void forget(int64_t id);
  void count(const TrackedFile& file);

  bool wants_reading(const TrackedFile& file) const;
  std::optional<FileTask> task_for(int64_t id);
  // Opens it and makes sure that it is what the entry says; false when it is not to be read now.
  bool open(TrackedFile& file);
  // The content is another: goes on under a new id from the start.
  void start_over(TrackedFile& file, std::string_view why);
  bool is_whole(const TrackedFile& file) const {
    return is_read_whole(file.path, tracking_.options);
  }
  Timestamp now() const { return tracking_.clock.now(); }

  const ProgressContext context_;
  const TrackingContext tracking_;
  PartitionLayout layout_;
  std::map<int64_t, TrackedFile> files_;  // by id
  std::unordered_map<uint64_t, int64_t> by_inode_;
  std::vector<SlotTable> slots_;  // of each partition
  int64_t last_id_ = 0;
  size_t handles_ = 0;
  bool warned_of_limit_ = false;
  int64_t files_done_ = 0;
  int64_t files_total_ = 0;
  int64_t lag_bytes_ = 0;
};

// --- from and to the topic -------------------------------------------------------------------

void TrackedProgress::load() {
  files_.clear();
  by_inode_.clear();
  handles_ = 0;
  layout_.reset();
  const int partitions = context_.topic.partition_count();
  slots_.assign(static_cast<size_t>(partitions), {});
  const std::string prefix = context_.source + "/";
  for (int p = 0; p < partitions; ++p) {
    for (const stream::SourcePosition& stored : context_.topic.partition(p).source_positions()) {
      if (stored.source == context_.source) {
        fail(ErrorKind::kInvalid,
             "source {} has filled topic {} in mode once before and cannot go on in mode watch; "
             "give it a new name to read everything again",
             context_.source, context_.topic.name());
      }
      if (!stored.source.starts_with(prefix)) continue;
      int slot = -1;
      const char* end = stored.source.data() + stored.source.size();
      std::from_chars(stored.source.data() + prefix.size(), end, slot);
      if (slot < 0) continue;
      take_over(p, slot, parse_json(stored.position, "position of source " + stored.source));
    }
  }
  finish_load();
}

void TrackedProgress::take_over(int partition, int slot, const Json& stored) {
  layout_.take_over(stored);
  const StoredFile read = read_position(stored);
  const auto p = static_cast<size_t>(partition);
  const auto [found, is_new] = files_.try_emplace(read.file.id, read.file);
  TrackedFile& file = found->second;
  if (is_new) {
    file.have.resize(slots_.size());
    file.slots.assign(slots_.size(), -1);
    file.home_partition = partition;
  } else if (read.file.identity.head_bytes > file.identity.head_bytes) {
    file.identity = read.file.identity;
  }
  file.have[p] = read.mark;
  file.slots[p] = slot;
  slots_[p].take_over(slot);
}

void TrackedProgress::finish_load() {
  const auto partitions = static_cast<size_t>(layout_.partition_count());
  for (auto& [id, file] : files_) {
    last_id_ = std::max(last_id_, id);
    by_inode_[file.identity.inode] = id;  // the highest id stays
    if (layout_.keyed()) {
      file.home_partition = layout_.home_of(file.home);
      file.read = *std::min_element(
          file.have.begin(), file.have.begin() + static_cast<ptrdiff_t>(partitions),
          [](const FileMark& a, const FileMark& b) { return a.position < b.position; });
      // Complete only when every partition is.
      for (size_t p = 0; p < partitions; ++p) {
        if (file.have[p].complete_size != file.read.complete_size) file.read.complete_size = 0;
      }
    } else {
      file.read = file.have[static_cast<size_t>(file.home_partition)];
    }
  }
}

stream::SourcePosition TrackedProgress::position(int partition, const FileTask& task,
                                                 const FileMark& mark) {
  const auto p = static_cast<size_t>(partition);
  TrackedFile& file = files_.at(task.entry);
  if (file.slots[p] < 0) file.slots[p] = slots_[p].take();
  JsonObject position = to_position(file, mark);
  layout_.add_to(position);
  return {format("{}/{}", context_.source, file.slots[p]), to_text(position)};
}

void TrackedProgress::read_to(const FileTask& task, const FileMark& mark) {
  TrackedFile& file = files_.at(task.entry);
  file.read = mark;
  file.is_dirty = false;
  ++files_done_;
  if (is_whole(file) || handles_ > kMaxHandles) {
    if (file.handle) --handles_;
    file.handle = nullptr;
  }
}

// --- what is there ---------------------------------------------------------------------------

std::vector<FileTask> TrackedProgress::plan(const std::vector<FoundFile>& found) {
  files_total_ = files_done_ = lag_bytes_ = 0;
  match(found);
  std::vector<int64_t> due;
  for (const auto& [id, file] : files_) {
    count(file);
    if (wants_reading(file)) due.push_back(id);
  }
  std::vector<FileTask> tasks;
  for (const int64_t id : due) {
    if (auto task = task_for(id)) tasks.push_back(std::move(*task));
  }
  // The oldest first: what was rotated away comes before what replaced it.
  std::stable_sort(tasks.begin(), tasks.end(), [](const FileTask& a, const FileTask& b) {
    return std::pair(a.info.modified_micros, a.path) < std::pair(b.info.modified_micros, b.path);
  });
  return tasks;
}

void TrackedProgress::count(const TrackedFile& file) {
  if (file.missing_since) return;
  ++files_total_;
  if (!is_whole(file)) {
    lag_bytes_ +=
        static_cast<int64_t>(file.size_bytes - std::min(file.size_bytes, file.read.position));
    if (file.size_bytes <= file.read.position) ++files_done_;
  } else if (file.read.complete_size == file.size_bytes) {
    ++files_done_;
  } else {
    lag_bytes_ += static_cast<int64_t>(file.size_bytes);
  }
}

void TrackedProgress::match(const std::vector<FoundFile>& found) {
  std::set<int64_t> seen;
  std::vector<const FoundFile*> unknown;
  for (const FoundFile& file : found) {
    const auto known = by_inode_.find(file.info.inode);
    if (known == by_inode_.end()) {
      unknown.push_back(&file);
    } else if (seen.insert(known->second).second) {  // a hard link is the same file
      note_seen(files_.at(known->second), file);
    }
  }
  std::unordered_map<std::string, int64_t> by_path;
  if (!unknown.empty()) {
    for (const auto& [id, file] : files_) {
      if (!seen.contains(id)) by_path[file.path] = id;
    }
  }
  for (const FoundFile* file : unknown) {
    if (file->info.size_bytes == 0) continue;  // nothing to know it by
    const auto gone = by_path.find(file->path);
    if (gone != by_path.end() && is_restored(files_.at(gone->second), *file)) {
      TrackedFile& restored = files_.at(gone->second);
      restored.identity.inode = file->info.inode;
      by_inode_[file->info.inode] = gone->second;
      note_seen(restored, *file);
      seen.insert(gone->second);
    } else if (const int64_t id = add_file(*file)) {
      seen.insert(id);
    }
  }
  note_missing(seen);
}

void TrackedProgress::note_seen(TrackedFile& file, const FoundFile& found) {
  const bool first = file.changed_at == Timestamp{};
  if (first || file.size_bytes != found.info.size_bytes ||
      file.modified_micros != found.info.modified_micros) {
    file.is_dirty = true;
    file.changed_at =
        first ? std::min(now(), Timestamp(microseconds(found.info.modified_micros))) : now();
  }
  file.path = found.path;
  file.size_bytes = found.info.size_bytes;
  file.modified_micros = found.info.modified_micros;
  file.missing_since.reset();
}

void TrackedProgress::note_missing(std::set<int64_t>& seen) {
  std::vector<int64_t> forgotten;
  for (auto& [id, file] : files_) {
    if (seen.contains(id)) continue;
    if (!file.missing_since) file.missing_since = now();
    const microseconds gone = now() - *file.missing_since;
    const bool is_replaced = by_inode_.at(file.identity.inode) != id;
    if (gone >= tracking_.options.watch.forget_after || is_replaced) {
      forgotten.push_back(id);
    } else if (file.handle && gone >= kHandleLinger) {
      file.handle = nullptr;
      --handles_;
    }
  }
  for (const int64_t id : forgotten) forget(id);
}

void TrackedProgress::forget(int64_t id) {
  TrackedFile& file = files_.at(id);
  for (size_t p = 0; p < file.slots.size(); ++p) {
    if (file.slots[p] >= 0) slots_[p].release(file.slots[p]);
  }
  if (file.handle) --handles_;
  const auto known = by_inode_.find(file.identity.inode);
  if (known != by_inode_.end() && known->second == id) by_inode_.erase(known);
  files_.erase(id);
}

int64_t TrackedProgress::add_file(const FoundFile& found) {
  if (static_cast<int64_t>(files_.size()) >= tracking_.options.watch.max_files) {
    if (!warned_of_limit_) {
      telemetry::log_warning(
          "sources", "more files than max_files: new ones wait until others are gone",
          {{"source", context_.source}, {"max_files", tracking_.options.watch.max_files}});
    }
    warned_of_limit_ = true;
    return 0;
  }
  last_id_ = std::max(last_id_ + 1, micros_since_epoch(now()));
  TrackedFile& file = files_[last_id_];
  file.id = last_id_;
  file.home = found.path;
  file.home_partition = layout_.home_of(found.path);
  file.identity.inode = found.info.inode;
  file.have.resize(slots_.size());
  file.slots.assign(slots_.size(), -1);
  by_inode_[found.info.inode] = last_id_;
  note_seen(file, found);
  return last_id_;
}

// Another inode under the same path: the same file after a restore, if its head says so without
// doubt.
bool TrackedProgress::is_restored(const TrackedFile& file, const FoundFile& found) {
  if (!file.identity.is_distinctive() || found.info.size_bytes < file.read.position) return false;
  const auto opened = tracking_.files.open_read(full_path(tracking_.base_directory, found.path));
  return has_head_of(*opened, file.identity);
}

// --- what is to be read ----------------------------------------------------------------------

bool TrackedProgress::wants_reading(const TrackedFile& file) const {
  const microseconds quiet = now() - file.changed_at;
  if (file.missing_since) {
    return file.handle && file.handle->size_bytes() > file.read.position;
  }
  if (is_whole(file)) {
    return file.read.complete_size != file.size_bytes && quiet >= tracking_.options.watch.settle;
  }
  if (file.is_dirty) return file.size_bytes != file.read.position;
  const auto last_line_after = tracking_.options.watch.last_line_after;
  return file.size_bytes > file.read.position && last_line_after.count() > 0 &&
         quiet >= last_line_after;
}

std::optional<FileTask> TrackedProgress::task_for(int64_t id) {
  // A file that starts over gets a new entry in place of this one.
  const uint64_t inode = files_.at(id).identity.inode;
  if (!open(files_.at(id))) return std::nullopt;
  const TrackedFile& file = files_.at(by_inode_.at(inode));
  FileTask task;
  task.entry = file.id;
  task.path = file.path;
  task.file = file.handle;
  task.info.size_bytes = file.size_bytes;
  task.info.modified_micros = file.modified_micros;
  task.home_partition = file.home_partition;
  task.start = file.read;
  task.start.complete_size = 0;
  const auto last_line_after = tracking_.options.watch.last_line_after;
  task.is_settled =
      is_whole(file) || (last_line_after.count() > 0 && now() - file.changed_at >= last_line_after);
  for (int p = 0; p < layout_.partition_count(); ++p) {
    task.have.push_back(file.have[static_cast<size_t>(p)].position);
  }
  return task;
}

bool TrackedProgress::open(TrackedFile& file) {
  if (!file.handle) {
    const std::string path = full_path(tracking_.base_directory, file.path);
    try {
      file.handle = tracking_.files.open_read(path);
      ++handles_;
      // Renamed since the folder was listed: the next look finds out.
      if (tracking_.files.info(path).inode != file.identity.inode) {
        file.handle = nullptr;
        --handles_;
        return false;
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound) throw;
      return false;
    }
  }
  if (file.identity.head_bytes == 0) {  // never opened before
    file.identity = identify(*file.handle, file.identity.inode);
  } else if (!has_head_of(*file.handle, file.identity)) {
    start_over(file, "other content stands in it");
  } else if (!is_whole(file) && file.handle->size_bytes() < file.read.position) {
    start_over(file, "it was truncated");
  } else if (!file.identity.is_distinctive()) {
    file.identity = identify(*file.handle, file.identity.inode);
  }
  return true;
}

void TrackedProgress::start_over(TrackedFile& file, std::string_view why) {
  telemetry::log_warning("sources", "file is read from its start again",
                         {{"source", context_.source},
                          {"file", file.path},
                          {"reason", why},
                          {"read_to", file.read.position}});
  last_id_ = std::max(last_id_ + 1, micros_since_epoch(now()));
  // The keys stay: what they say is of content that is no more. A partition that still holds the
  // old entry when the process ends tells it apart by its id.
  TrackedFile next = file;
  next.id = last_id_;
  next.read = {};
  next.have.assign(file.have.size(), {});
  next.identity = identify(*file.handle, file.identity.inode);
  const int64_t old = file.id;
  files_.erase(old);
  by_inode_[next.identity.inode] = next.id;
  files_[next.id] = std::move(next);
}

}  // namespace

std::unique_ptr<Progress> make_tracked_progress(ProgressContext context,
                                                const TrackingContext& tracking) {
  return std::make_unique<TrackedProgress>(std::move(context), tracking);
}

}  // namespace headrace::sources
