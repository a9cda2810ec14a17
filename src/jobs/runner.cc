#include "jobs/runner.h"

#include <algorithm>

#include "base/error.h"
#include "jobs/committer.h"
#include "jobs/compiler.h"
#include "jobs/dead_letters.h"
#include "jobs/input.h"
#include "jobs/writer.h"
#include "telemetry/log.h"

namespace headrace::jobs {

std::string_view name_of(JobState state) {
  switch (state) {
    case JobState::kStarting:
      return "starting";
    case JobState::kRunning:
      return "running";
    case JobState::kPaused:
      return "paused";
    case JobState::kRetrying:
      return "retrying";
    case JobState::kFailed:
      return "failed";
    case JobState::kFinished:
      return "finished";
    case JobState::kStopped:
      return "stopped";
  }
  return "";
}

// One life of a job, from its committed positions to a stop or a failure.
class JobRunner::Session final : public InputLoader {
 public:
  Session(JobRunner& runner)
      : runner_(runner), runtime_(runner.runtime_), connection_(runtime_.database.connect()) {
    connection_->execute("CREATE SCHEMA IF NOT EXISTS static");
    runtime_.board.put(name(), std::make_shared<InputBatch>());
    job_ = compile_job(runner_.spec_, *connection_, *this);
    input_ = make_input();
    const tables::Positions start = input_->start();
    std::map<std::string, std::vector<stream::Offset>> raw_start;
    for (const CompiledTarget& target : job_.targets) {
      if (!target.raw_topic.empty()) raw_start[target.raw_topic] = start.topic(target.raw_topic);
    }
    writer_.emplace(JobWriter::Collaborators{runtime_.database, runtime_.catalog, runtime_.tables,
                                             runtime_.files, runtime_.random},
                    job_, raw_start);
    choose_start(start);
    committer_.emplace(*writer_, runtime_.clock,
                       [this](const SealedWork& work) { committed(work); });
    last_seal_ = runtime_.clock.steady_now();
  }

  ~Session() override {
    committer_.reset();
    writer_.reset();
    runtime_.board.remove(name());
  }

  // Works until `stop`; with `to_end`, until nothing is left.
  void run(std::stop_token stop, bool to_end,
           const std::function<void(const RunProgress&)>& progress) {
    while (!stop.stop_requested()) {
      const bool worked = step(stop, !to_end);
      if (progress)
        progress({runner_.status().records, runner_.status().dead_letters, input_->lag(at_)});
      if (to_end && !worked && !bound_) break;
    }
    seal_and_wait();
  }

  // InputLoader
  void load_static(const CompiledInput& input) override {
    const std::string version = static_version(input);
    if (static_versions_[input.node] == version) return;
    const std::string relation =
        input.need.kind == SourceNeed::Kind::kTable
            ? engine::quote_name(input.need.table.database, input.need.table.name)
            : read_files_sql(input.need, static_paths(input));
    connection_->execute(format("CREATE OR REPLACE TABLE {} AS SELECT * FROM {}",
                                static_table_name(name(), input.node), relation));
    static_versions_[input.node] = version;
    telemetry::log_info("jobs", "static input read", {{"job", name()}, {"node", input.node}});
  }

  void show_driving(const CompiledInput& input) override {
    std::string relation;
    if (input.need.kind == SourceNeed::Kind::kTable) {
      relation = lake::scan_sql(*runtime_.catalog.load(input.need.table), {});
    } else {
      relation = format("{} LIMIT 0", read_files_sql(input.need, static_paths(input)));
    }
    connection_->execute(format("CREATE OR REPLACE VIEW {} AS SELECT * FROM {}",
                                driving_view_name(name(), input.node), relation));
  }

 private:
  const std::string& name() const { return runner_.spec_.name; }

  std::unique_ptr<JobInput> make_input() {
    const CompiledInput& first = job_.driving.front();
    switch (first.need.kind) {
      case SourceNeed::Kind::kTable:
        return make_table_input(name(), first, runtime_.catalog, *connection_, runtime_.clock);
      case SourceNeed::Kind::kFiles:
        return make_files_input(name(), first, runtime_.project_directory, runtime_.files,
                                *connection_, runtime_.clock);
      case SourceNeed::Kind::kTopic:
        break;
    }
    return make_topic_input(name(), job_.driving, runtime_.log, runtime_.clock,
                            {runner_.spec_.batch_records, runner_.spec_.batch_wait});
  }

  std::vector<std::string> static_paths(const CompiledInput& input) {
    auto paths = matching_files(*connection_, runtime_.project_directory, input.need.path);
    if (paths.empty()) {
      fail(ErrorKind::kNotFound, "job {}: nodes.{}: no file matches {}", name(), input.node,
           input.need.path);
    }
    return paths;
  }

  // Changes when the static input does.
  std::string static_version(const CompiledInput& input) {
    if (input.need.kind == SourceNeed::Kind::kTable) {
      const auto state = runtime_.tables.find(input.need.table);
      if (!state) {
        fail(ErrorKind::kNotFound, "job {}: nodes.{}: there is no table {}", name(), input.node,
             input.need.table.to_string());
      }
      return std::to_string(state->version);
    }
    std::string version;
    for (const std::string& path : static_paths(input)) {
      const FileInfo info = runtime_.files.info(path);
      version += format("{}:{}:{}:{}\n", path, info.size_bytes, info.modified_micros, info.inode);
    }
    return version;
  }

  // Where the job goes on: where its targets stand. Those that lag work alone first.
  void choose_start(const tables::Positions& start) {
    std::vector<std::string> topics;
    for (const CompiledInput& input : job_.driving) topics.push_back(input.need.topic);
    const auto& targets = writer_->targets();
    const auto position = [&](size_t i) { return targets[i].committed.value_or(start); };
    at_ = position(0);
    for (size_t i = 1; i < targets.size(); ++i) {
      if (!reaches(position(i), at_, topics)) at_ = position(i);
    }
    bound_.reset();
    std::vector<bool> active;
    for (size_t i = 0; i < targets.size(); ++i) {
      active.push_back(position(i) == at_);
      if (active.back()) continue;
      if (!reaches(position(i), at_, topics)) {
        fail(ErrorKind::kConflict,
             "job {}: its tables stand at positions that do not follow from each other: {} and {}",
             name(), at_.to_text(), position(i).to_text());
      }
      if (!bound_ || reaches(*bound_, position(i), topics)) bound_ = position(i);
    }
    writer_->activate(active);
    input_->check(at_);
    input_->committed(at_);
    if (bound_) {
      telemetry::log_info("jobs", "some tables lag behind the others and catch up first",
                          {{"job", name()}, {"from", at_.to_text()}, {"to", bound_->to_text()}});
    }
    runner_.set_positions(at_.to_text());
  }

  // One round. False when there was nothing to do.
  bool step(std::stop_token stop, bool may_wait) {
    refresh_statics();
    const std::optional<Work> work = input_->next(at_, bound_ ? &*bound_ : nullptr, may_wait, stop);
    if (work) process(*work);
    if (bound_ && at_ == *bound_) {
      seal_and_wait();
      choose_start(at_);
      return true;
    }
    seal_if_due();
    runner_.update([&](JobStatus& status) { status.lag = input_->lag(at_); });
    return work.has_value();
  }

  void refresh_statics() {
    constexpr milliseconds kBetweenLooks{1000};
    const SteadyTime now = runtime_.clock.steady_now();
    if (job_.statics.empty() || now - last_static_look_ < kBetweenLooks) return;
    last_static_look_ = now;
    for (const CompiledInput& input : job_.statics) load_static(input);
  }

  void process(const Work& work) {
    runtime_.board.put(name(), work.batch);
    try {
      run_batch(work);
    } catch (const Error& error) {
      const bool is_about_data =
          error.kind() == ErrorKind::kInvalid || error.kind() == ErrorKind::kUnsupported;
      if (!is_about_data || !job_.is_driven_by_topics()) throw error.with_context("job " + name());
      isolate(work, error);
    }
    at_ = work.after;
    hot_bytes_ += work.bytes;
    hot_records_ += work.records;
    runner_.update([&](JobStatus& status) {
      status.records += work.records;
      ++status.batches;
      status.hot_records = hot_records_;
      status.positions = at_.to_text();
    });
    runner_.records_.add(static_cast<double>(work.records));
  }

  // Runs the SQL of a batch in one engine transaction.
  void run_batch(const Work& work) {
    work.batch->take_rejections();  // of a try before
    std::vector<std::pair<lake::TableIdentifier, int64_t>> inserted;
    connection_->execute("BEGIN");
    int64_t rejected = 0;
    try {
      for (const std::string& sql : job_.shared_tables) connection_->execute(sql);
      for (const auto& [table, sql] : writer_->insert_statements()) {
        inserted.emplace_back(table, connection_->execute(sql));
      }
      rejected = append_rejections(*work.batch);
      connection_->execute("COMMIT");
    } catch (...) {
      connection_->execute("ROLLBACK");
      throw;
    }
    for (const auto& [table, rows] : inserted) runtime_.tables.rows_added(table, rows);
    for (const WriterTarget& target : writer_->targets()) {
      if (target.is_active && !target.compiled.raw_topic.empty()) {
        runtime_.tables.rows_added(target.compiled.need.table, work.records);
      }
    }
    count_dead_letters(rejected);
  }

  int64_t append_rejections(InputBatch& batch) {
    const std::vector<Rejection> rejections = batch.take_rejections();
    if (rejections.empty() || !dead_letters_are_active()) return 0;
    append_dead_letters(*connection_, runtime_.tables.hot_table(writer_->dead_letters()), name(),
                        batch, rejections, runtime_.clock.now());
    return static_cast<int64_t>(rejections.size());
  }

  bool dead_letters_are_active() const { return writer_->targets().back().is_active; }

  void count_dead_letters(int64_t rejected) {
    if (rejected == 0) return;
    runtime_.tables.rows_added(writer_->dead_letters(), rejected);
    runner_.update([&](JobStatus& status) { status.dead_letters += rejected; });
    runner_.dead_letters_.add(static_cast<double>(rejected));
  }

  // The SQL fails on some record of the batch: halves find it, and it becomes a dead letter.
  void isolate(const Work& work, const Error& error) {
    if (work.records == 1) {
      bury(work, error);
      return;
    }
    telemetry::log_warning(
        "jobs", "a batch failed; looking for the record at fault",
        {{"job", name()}, {"records", work.records}, {"reason", error.message()}});
    for (const Work& half : halves(work)) {
      runtime_.board.put(name(), half.batch);
      try {
        run_batch(half);
      } catch (const Error& failure) {
        isolate(half, failure);
      }
    }
  }

  static std::vector<Work> halves(const Work& work) {
    std::vector<Work> parts(2);
    int64_t first = work.records / 2;
    for (Work& part : parts) part.batch = std::make_shared<InputBatch>();
    for (const auto& [topic, slices] : work.batch->topics) {
      for (const PartitionSlice& slice : slices) {
        const stream::Offset middle = std::min(slice.to, slice.from + first);
        first -= middle - slice.from;
        const auto add = [&, &name = topic](Work& part, stream::Offset from, stream::Offset to) {
          if (from >= to) return;
          PartitionSlice piece = slice;
          piece.from = from;
          piece.to = to;
          part.records += to - from;
          part.batch->topics[name].push_back(std::move(piece));
        };
        add(parts[0], slice.from, middle);
        add(parts[1], middle, slice.to);
      }
    }
    return parts;
  }

  void bury(const Work& work, const Error& error) {
    for (const auto& [topic, slices] : work.batch->topics) {
      for (const PartitionSlice& slice : slices) {
        work.batch->reject({"", error.message(), slice.topic, slice.partition, slice.from, ""});
      }
    }
    connection_->execute("BEGIN");
    int64_t rejected = 0;
    try {
      const std::vector<Rejection> rejections = work.batch->take_rejections();
      if (dead_letters_are_active()) {
        append_dead_letters(*connection_, runtime_.tables.hot_table(writer_->dead_letters()),
                            name(), *work.batch, rejections, runtime_.clock.now());
        rejected = static_cast<int64_t>(rejections.size());
      }
      connection_->execute("COMMIT");
    } catch (...) {
      connection_->execute("ROLLBACK");
      throw;
    }
    count_dead_letters(rejected);
  }

  void seal_if_due() {
    if (hot_records_ == 0) {
      runner_.nothing_to_commit();
      last_seal_ = runtime_.clock.steady_now();
      return;
    }
    const bool is_old = runtime_.clock.steady_now() - last_seal_ >= runtime_.commit_interval;
    const bool is_large = hot_bytes_ >= runtime_.commit_bytes;
    if (!is_old && !is_large && !runner_.is_commit_wanted()) return;
    if (!committer_->is_idle()) {
      // Twice the limit is where memory ends: the commit must catch up.
      if (hot_bytes_ < 2 * runtime_.commit_bytes) return;
      committer_->wait_until_idle();
    }
    seal();
  }

  void seal() {
    SealedWork work = writer_->seal(at_);
    sealed_records_ = hot_records_;
    hot_records_ = 0;
    hot_bytes_ = 0;
    last_seal_ = runtime_.clock.steady_now();
    committer_->submit(std::move(work));
  }

  void seal_and_wait() {
    committer_->wait_until_idle();
    if (hot_records_ > 0) {
      seal();
      committer_->wait_until_idle();
    }
  }

  // On the committer's thread.
  void committed(const SealedWork& work) {
    input_->committed(work.positions);
    runner_.update([&](JobStatus& status) { ++status.commits; });
    runner_.committed();
    if (!runtime_.on_commit) return;
    std::vector<lake::TableIdentifier> tables;
    for (const size_t target : work.targets)
      tables.push_back(writer_->targets()[target].compiled.need.table);
    runtime_.on_commit(tables);
  }

  JobRunner& runner_;
  Runtime& runtime_;
  std::unique_ptr<engine::Connection> connection_;
  CompiledJob job_;
  std::unique_ptr<JobInput> input_;
  std::optional<JobWriter> writer_;
  std::optional<Committer> committer_;
  tables::Positions at_;
  std::optional<tables::Positions> bound_;
  int64_t hot_bytes_ = 0;
  int64_t hot_records_ = 0;
  int64_t sealed_records_ = 0;
  SteadyTime last_seal_;
  SteadyTime last_static_look_{};
  std::map<std::string, std::string> static_versions_;
};

JobRunner::JobRunner(JobSpec spec, const Runtime& runtime)
    : spec_(std::move(spec)),
      runtime_(runtime),
      records_(runtime.metrics.counter("headrace_job_records_total",
                                       "Records that a job has taken in", {{"job", spec_.name}})),
      dead_letters_(runtime.metrics.counter("headrace_job_dead_letters_total",
                                            "Records that a job has put into its dead-letter table",
                                            {{"job", spec_.name}})),
      retries_(runtime.metrics.counter("headrace_job_retries_total",
                                       "Times that a job began again after a passing failure",
                                       {{"job", spec_.name}})) {}

JobRunner::~JobRunner() { stop(); }

void JobRunner::start() {
  set_state(JobState::kStarting);
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

void JobRunner::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void JobRunner::run(std::stop_token stop) {
  microseconds pause = milliseconds(200);
  while (!stop.stop_requested()) {
    try {
      Session session(*this);
      set_state(JobState::kRunning);
      pause = milliseconds(200);
      session.run(stop, !spec_.is_streaming, {});
      set_state(stop.stop_requested() ? JobState::kStopped : JobState::kFinished);
      return;
    } catch (const std::exception& failure) {
      const auto* error = dynamic_cast<const Error*>(&failure);
      const bool passes = error != nullptr && (error->kind() == ErrorKind::kUnavailable ||
                                               error->kind() == ErrorKind::kTimeout);
      telemetry::log_error("jobs", passes ? "job failed, beginning again" : "job failed",
                           {{"job", spec_.name}, {"reason", failure.what()}});
      set_state(passes ? JobState::kRetrying : JobState::kFailed, failure.what());
      if (!passes) return;
      retries_.add();
      update([](JobStatus& status) { ++status.retries; });
    }
    runtime_.clock.sleep_for(pause, stop);
    pause = std::min<microseconds>(pause * 2, std::chrono::seconds(30));
  }
  set_state(JobState::kStopped);
}

void JobRunner::run_to_end(std::stop_token stop,
                           const std::function<void(const RunProgress&)>& progress) {
  set_state(JobState::kRunning);
  try {
    Session(*this).run(stop, true, progress);
    set_state(JobState::kFinished);
  } catch (const std::exception& failure) {
    set_state(JobState::kFailed, failure.what());
    throw;
  }
}

void JobRunner::wait_until_started() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return status_.state != JobState::kStarting; });
}

void JobRunner::commit_soon() {
  std::lock_guard lock(mutex_);
  commits_wanted_ = commits_done_ + 2;  // one may be under way without the newest rows
}

bool JobRunner::wait_until_committed(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return commits_done_ >= commits_wanted_; });
}

JobStatus JobRunner::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

void JobRunner::set_state(JobState state, std::string error) {
  std::lock_guard lock(mutex_);
  status_.state = state;
  status_.since = runtime_.clock.now();
  status_.last_error = std::move(error);
  if (state != JobState::kRunning) commits_wanted_ = commits_done_;  // nobody would answer
  changed_.notify_all();
}

void JobRunner::update(const std::function<void(JobStatus&)>& change) {
  std::lock_guard lock(mutex_);
  change(status_);
}

void JobRunner::set_positions(const std::string& positions) {
  update([&](JobStatus& status) { status.positions = positions; });
}

bool JobRunner::is_commit_wanted() {
  std::lock_guard lock(mutex_);
  return commits_done_ < commits_wanted_;
}

void JobRunner::committed() {
  std::lock_guard lock(mutex_);
  ++commits_done_;
  changed_.notify_all();
}

void JobRunner::nothing_to_commit() {
  std::lock_guard lock(mutex_);
  if (commits_done_ >= commits_wanted_) return;
  commits_done_ = commits_wanted_;
  changed_.notify_all();
}

}  // namespace headrace::jobs
