#include "sources/files/files_source.h"

#include <optional>
#include <vector>

#include "base/error.h"
#include "sources/append_pipeline.h"
#include "sources/backoff.h"
#include "sources/files/glob.h"
#include "sources/files/open_records.h"
#include "sources/files/partition_writer.h"
#include "sources/files/progress.h"
#include "sources/files/replay_pace.h"
#include "sources/record_fields.h"
#include "sources/source_meter.h"
#include "telemetry/log.h"

namespace headrace::sources {
namespace {

// Replayed records that are due within this time of each other are sent together.
constexpr microseconds kReplayQuantum{20'000};

bool is_passing(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kTimeout;
}

class FilesSource final : public Source {
 public:
  FilesSource(const SourceContext& context, const FilesOptions& options)
      : context_(context),
        options_(options),
        key_(to_json_pointer(options.key)),
        timestamp_(to_json_pointer(options.timestamp)),
        replay_time_(to_json_pointer(options.replay.time)),
        meter_(context.clock, context.metrics, context.name) {}

  void run(std::stop_token stop) override;
  SourceStatus status() const override { return meter_.status(); }

 private:
  // One try: from the positions in the topic until everything is read, a stop or a failure.
  class Attempt;

  bool is_paced() const { return !replay_time_.empty() && options_.replay.speed > 0; }

  const SourceContext context_;
  const FilesOptions options_;
  const std::string key_, timestamp_, replay_time_;  // JSON pointers; empty: not asked for
  SourceMeter meter_;
};

class FilesSource::Attempt {
 public:
  Attempt(FilesSource& source, std::stop_token stop)
      : source_(source),
        options_(source.options_),
        stop_(std::move(stop)),
        progress_(make_progress()),
        pipeline_(source.context_.clock, source.context_.random, source.meter_,
                  static_cast<size_t>(options_.max_in_flight_bytes.count)),
        writer_(source.context_.topic, *progress_, pipeline_,
                static_cast<size_t>(options_.batch_bytes.count)) {
    if (source.is_paced()) pace_.emplace(source.context_.clock, options_.replay.speed);
    progress_->load();
  }

  void read_once() {
    const std::vector<FoundFile> found = find();
    if (found.empty()) {
      fail(ErrorKind::kNotFound,
           "reading files: nothing matches {}; check the path, which starts at {}", options_.path,
           source_.context_.base_directory.empty() ? "the working directory"
                                                   : source_.context_.base_directory);
    }
    read_all(progress_->plan(found));
  }

  void watch() {
    while (!stop_.stop_requested()) {
      std::vector<FileTask> tasks = progress_->plan(find());
      report_progress();
      if (!tasks.empty()) {
        source_.meter_.set_state(SourceState::kRunning);
        read_all(std::move(tasks));
        source_.meter_.set_state(SourceState::kWaiting);
      }
      source_.context_.clock.sleep_for(options_.watch.poll, stop_);
    }
  }

 private:
  std::unique_ptr<Progress> make_progress();
  std::vector<FoundFile> find() {
    return find_files(source_.context_.files, source_.context_.base_directory, options_.path);
  }
  void read_all(std::vector<FileTask> tasks);
  void read_file(const std::shared_ptr<FileTask>& task);
  // Opens the file of a task; false when it vanished.
  bool open_file(FileTask& task);
  void read_records(const FileTask& task, RecordReader& reader, FileMark& mark);
  void add_record(const FileTask& task, const FileRecord& record, const FileMark& mark);
  void wait_until_due(const FileRecord& record);
  void pass_over(const FileTask& task, const std::string& why);
  int64_t default_time_ms(const FileTask& task) const;
  void report_progress();

  FilesSource& source_;
  const FilesOptions& options_;
  const std::stop_token stop_;
  std::unique_ptr<Progress> progress_;
  AppendPipeline pipeline_;
  PartitionWriter writer_;
  std::optional<ReplayPace> pace_;
  RecordFields fields_;
  std::vector<FileRecord> records_;
  int64_t now_ms_ = 0;  // of the records being added, when they have no time of their own
};

void FilesSource::run(std::stop_token stop) {
  Backoff backoff(context_.clock, context_.random);
  while (!stop.stop_requested()) {
    const int64_t durable_before = meter_.status().records;
    meter_.set_state(SourceState::kRunning);
    std::optional<Error> failure;
    try {
      Attempt attempt(*this, stop);
      if (options_.mode == FilesMode::kOnce) {
        attempt.read_once();
        meter_.set_state(SourceState::kFinished);
        return;
      }
      attempt.watch();
    } catch (const Error& error) {
      failure = error;
    }
    // The attempt is gone and with it its appends: the positions in the topic stand still.
    if (!failure || stop.stop_requested()) break;
    if (!is_passing(*failure)) {
      meter_.add_error();
      meter_.set_state(SourceState::kFailed, failure->message());
      telemetry::log_error("sources", "source failed",
                           {{"source", context_.name}, {"error", failure->message()}});
      return;
    }
    meter_.add_retry(failure->message());
    telemetry::log_warning("sources", "source tries again",
                           {{"source", context_.name}, {"error", failure->message()}});
    if (meter_.status().records > durable_before) backoff.reset();
    backoff.wait(stop);
  }
  meter_.set_state(SourceState::kStopped);
}

std::unique_ptr<Progress> FilesSource::Attempt::make_progress() {
  const ProgressContext context{source_.context_.topic, source_.context_.name,
                                !source_.key_.empty()};
  if (options_.mode == FilesMode::kOnce) return make_ordered_progress(context);
  return make_tracked_progress(context, {source_.context_.files, source_.context_.clock, options_,
                                         source_.context_.base_directory});
}

void FilesSource::Attempt::read_all(std::vector<FileTask> tasks) {
  for (FileTask& task : tasks) {
    report_progress();
    read_file(std::make_shared<FileTask>(std::move(task)));
  }
  writer_.flush(stop_);
  pipeline_.drain(stop_);
  report_progress();
}

bool FilesSource::Attempt::open_file(FileTask& task) {
  if (task.file) return true;
  try {
    task.file =
        source_.context_.files.open_read(full_path(source_.context_.base_directory, task.path));
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
    pass_over(task, "it vanished before it was read");
    return false;
  }
}

void FilesSource::Attempt::read_file(const std::shared_ptr<FileTask>& task) {
  if (!open_file(*task)) return;
  const uint64_t size_on_disk = task->file->size_bytes();
  OpenRequest request;
  request.path = task->path;
  request.full_path = full_path(source_.context_.base_directory, task->path);
  request.position = task->start.position;
  request.take_last_line = options_.mode == FilesMode::kOnce || task->is_settled;
  if (options_.on_oversize == OnFault::kSkip) {
    request.skip_oversize = [&](uint64_t position) {
      source_.meter_.add_skipped();
      telemetry::log_warning(
          "sources", "record left out: longer than max_record_bytes",
          {{"source", source_.context_.name}, {"file", task->path}, {"position", position}});
    };
  }
  FileMark mark = task->start;
  try {
    const std::unique_ptr<RecordReader> reader = open_records(*task->file, request, options_);
    if (!reader) {
      pass_over(*task, format("it was truncated: it ends before byte {}, up to which it was read",
                              task->start.position));
      return;
    }
    writer_.start_file(task, options_.headers.file
                                 ? std::vector<stream::RecordHeader>{{"file", task->path}}
                                 : std::vector<stream::RecordHeader>{});
    read_records(*task, *reader, mark);
  } catch (const Error& error) {
    if (is_passing(error) || error.kind() == ErrorKind::kCancelled ||
        options_.on_bad_file == OnFault::kFail) {
      throw;
    }
    pass_over(*task, error.message());
    return;
  }
  // A file that is followed is never complete, and the batches of each carry its own position.
  const bool watched = options_.mode == FilesMode::kWatch;
  if (!watched || is_read_whole(task->path, options_)) {
    writer_.complete_file(size_on_disk);
    mark.complete_size = size_on_disk;
  }
  progress_->read_to(*task, mark);
  if (watched) writer_.flush(stop_);
}

void FilesSource::Attempt::read_records(const FileTask& task, RecordReader& reader,
                                        FileMark& mark) {
  while (reader.read(records_)) {
    if (stop_.stop_requested()) fail(ErrorKind::kCancelled, "reading files: a stop was requested");
    now_ms_ = default_time_ms(task);
    for (const FileRecord& record : records_) {
      if (pace_) wait_until_due(record);
      mark.position = record.end;
      ++mark.records;
      add_record(task, record, mark);
    }
  }
}

void FilesSource::Attempt::add_record(const FileTask& task, const FileRecord& record,
                                      const FileMark& mark) {
  PartitionWriter::Record out{record.value, std::nullopt, now_ms_, mark};
  int partition = task.home_partition;
  if (!source_.timestamp_.empty()) {
    out.time_ms = fields_.find_time_ms(record.value, source_.timestamp_).value_or(now_ms_);
  }
  if (!source_.key_.empty()) {
    out.key = fields_.find_text(record.value, source_.key_);
    if (out.key) {
      partition = stream::partition_for_key(*out.key, static_cast<int>(task.have.size()));
    }
    if (record.end <= task.have[static_cast<size_t>(partition)]) return;
  }
  writer_.add(partition, out, stop_);
}

void FilesSource::Attempt::wait_until_due(const FileRecord& record) {
  const auto time_ms = fields_.find_time_ms(record.value, source_.replay_time_);
  if (!time_ms) return;  // due with the record before it
  const microseconds wait = pace_->wait_for(*time_ms);
  if (wait <= microseconds(0)) return;
  writer_.flush(stop_);
  if (!source_.context_.clock.sleep_for(std::max(wait, kReplayQuantum), stop_)) {
    fail(ErrorKind::kCancelled, "pacing records: a stop was requested");
  }
  now_ms_ = millis_since_epoch(source_.context_.clock.now());
}

void FilesSource::Attempt::pass_over(const FileTask& task, const std::string& why) {
  source_.meter_.add_error();
  telemetry::log_warning("sources", "file passed over",
                         {{"source", source_.context_.name}, {"file", task.path}, {"reason", why}});
  FileMark mark = task.start;
  mark.complete_size = task.info.size_bytes;  // not again before it changes
  progress_->read_to(task, mark);
  if (options_.mode == FilesMode::kWatch) writer_.flush(stop_);
}

int64_t FilesSource::Attempt::default_time_ms(const FileTask& task) const {
  if (options_.default_timestamp == TimeOrigin::kFile) return task.info.modified_micros / 1000;
  return millis_since_epoch(source_.context_.clock.now());
}

void FilesSource::Attempt::report_progress() {
  source_.meter_.set_files(progress_->files_done(), progress_->files_total());
  source_.meter_.set_lag(progress_->lag_bytes());
}

}  // namespace

std::unique_ptr<Source> make_files_source(const SourceContext& context,
                                          const FilesOptions& options) {
  return std::make_unique<FilesSource>(context, options);
}

}  // namespace headrace::sources
