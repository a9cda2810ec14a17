#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/json.h"
#include "sources/files/partition_layout.h"
#include "sources/files/progress.h"

namespace headrace::sources {
namespace {

constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();

// Where one partition stands: everything in files sorted before `file` is in it.
struct Cursor {
  std::string file;  // empty: nothing yet
  FileMark mark;
};

class OrderedProgress final : public Progress {
 public:
  explicit OrderedProgress(ProgressContext context)
      : context_(std::move(context)), layout_(context_) {}

  void load() override {
    layout_.reset();
    cursors_.assign(static_cast<size_t>(context_.topic.partition_count()), {});
    for (int p = 0; p < context_.topic.partition_count(); ++p) {
      const stream::Partition& partition = context_.topic.partition(p);
      refuse_tracked(partition);
      const auto stored = partition.source_position(context_.source);
      if (stored) take_over(cursors_[static_cast<size_t>(p)], *stored);
    }
  }

  std::vector<FileTask> plan(const std::vector<FoundFile>& found) override {
    std::vector<FileTask> tasks;
    lag_bytes_ = 0;
    for (const FoundFile& file : found) {
      FileTask task = make_task(file);
      if (task.start.position == kAll) continue;
      lag_bytes_ += static_cast<int64_t>(file.info.size_bytes);
      tasks.push_back(std::move(task));
    }
    files_total_ = static_cast<int64_t>(found.size());
    files_done_ = files_total_ - static_cast<int64_t>(tasks.size());
    return tasks;
  }

  stream::SourcePosition position(int, const FileTask& task, const FileMark& mark) override {
    JsonObject position{
        {"file", task.path}, {"position", mark.position}, {"records", mark.records}};
    if (mark.complete_size != 0) position["complete_size"] = mark.complete_size;
    layout_.add_to(position);
    return {context_.source, to_text(position)};
  }

  void read_to(const FileTask& task, const FileMark&) override {
    ++files_done_;
    lag_bytes_ -= static_cast<int64_t>(task.info.size_bytes);
  }

  int64_t files_done() const override { return files_done_; }
  int64_t files_total() const override { return files_total_; }
  int64_t lag_bytes() const override { return lag_bytes_; }

 private:
  void refuse_tracked(const stream::Partition& partition) const {
    for (const stream::SourcePosition& stored : partition.source_positions()) {
      if (stored.source.starts_with(context_.source + "/")) {
        fail(ErrorKind::kInvalid,
             "source {} has filled topic {} in mode watch before and cannot go on in mode once; "
             "give it a new name to read everything again",
             context_.source, context_.topic.name());
      }
    }
  }

  void take_over(Cursor& cursor, const std::string& stored) {
    const Json position = parse_json(stored, "position of source " + context_.source);
    layout_.take_over(position);
    cursor.file = string_member(position, "file");
    cursor.mark.position = static_cast<uint64_t>(integer_member(position, "position"));
    cursor.mark.records = static_cast<uint64_t>(integer_member(position, "records"));
    cursor.mark.complete_size =
        static_cast<uint64_t>(integer_member_or(position, "complete_size", 0));
  }

  static FileMark mark_of(const Cursor& cursor, const FoundFile& file) {
    if (file.path > cursor.file) return {};
    const bool complete =
        cursor.mark.complete_size != 0 && cursor.mark.complete_size == file.info.size_bytes;
    if (file.path < cursor.file || complete) return {kAll, 0, 0};
    return cursor.mark;
  }

  FileTask make_task(const FoundFile& file) const {
    FileTask task;
    task.path = file.path;
    task.info = file.info;
    task.home_partition = layout_.home_of(file.path);
    const auto count = static_cast<size_t>(layout_.partition_count());
    task.have.resize(count);
    task.start.position = kAll;
    for (size_t p = 0; p < count; ++p) {
      const FileMark mark = mark_of(cursors_[p], file);
      task.have[p] = mark.position;
      if (!layout_.keyed() && p != static_cast<size_t>(task.home_partition)) continue;
      if (mark.position < task.start.position) task.start = mark;
    }
    return task;
  }

  const ProgressContext context_;
  PartitionLayout layout_;
  std::vector<Cursor> cursors_;
  int64_t files_done_ = 0;
  int64_t files_total_ = 0;
  int64_t lag_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Progress> make_ordered_progress(ProgressContext context) {
  return std::make_unique<OrderedProgress>(std::move(context));
}

}  // namespace headrace::sources
