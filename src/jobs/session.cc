#include "jobs/session.h"

#include <numeric>

#include "base/error.h"
#include "jobs/found_fields.h"
#include "lake/data_writer.h"
#include "tables/record_columns.h"
#include "telemetry/log.h"

namespace headrace::jobs {

Session::Session(const JobSpec& spec, const Runtime& runtime, SessionReport& report,
                 const std::optional<store::Lease>& lease)
    : spec_(spec),
      runtime_(runtime),
      report_(report),
      connection_(runtime.database.connect()),
      statics_(spec.name, runtime_, *connection_),
      lease_(lease),
      sources_(compile_sources(spec)),
      found_(stored_fields(spec, sources_, runtime.catalog)) {
  if (sources_.inferring.empty()) {
    open();
  } else if (has_columns(sources_, found_)) {
    try_open();
  }
}

void Session::open() {
  runtime_.board.put(spec_.name, std::make_shared<InputBatch>());
  job_ = compile_job(spec_, *connection_, *this, found_);
  if (runtime_.sharing && job_.driving.front().need.kind == SourceNeed::Kind::kTopic) {
    bind_to_log(*runtime_.sharing, spec_.name);
  }
  input_ = make_input(job_);
  const tables::Positions start = input_->start();
  std::map<std::string, std::vector<stream::Offset>> raw_start;
  for (const CompiledTarget& target : job_.targets) {
    if (!target.raw_topic.empty()) raw_start[target.raw_topic] = start.topic(target.raw_topic);
  }
  writer_.emplace(JobWriter::Collaborators{runtime_.database, runtime_.catalog, runtime_.tables,
                                           runtime_.files, runtime_.random, lease_},
                  job_, raw_start);
  if (job_.is_provisional) {
    job_ = compile_job(spec_, *connection_, *this, found_);
    writer_->use(job_);
  }
  batches_.emplace(
      BatchRunner::Collaborators{*connection_, runtime_.tables, runtime_.board, runtime_.clock,
                                 *writer_, [this](const InputBatch& batch) { grow(batch); }},
      job_);
  choose_start(start);
  committer_.emplace(*writer_, runtime_.clock, [this](const SealedWork& work) { committed(work); });
  last_seal_ = runtime_.clock.steady_now();
  std::vector<size_t> all(writer_->targets().size());
  std::iota(all.begin(), all.end(), 0);
  tell_of_tables(all);
}

Session::~Session() {
  committer_.reset();
  writer_.reset();
  runtime_.board.remove(spec_.name);
}

// False when the job names columns that no record has brought yet.
bool Session::try_open() {
  try {
    open();
    report_.waits_for("");
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) throw;
    waits_for_ = error.message();
    return false;
  }
}

// Looks at records, from the oldest on, until their fields are enough to begin with. False when
// that cannot be, because of `stop` or because there are none.
bool Session::look_ahead(std::stop_token stop, bool to_end) {
  constexpr int kMostBatches = 20;
  const auto input = make_input(sources_);
  tables::Positions at = input->start();
  report_.waits_for("waiting for the first records");
  for (int with_columns = 0; !stop.stop_requested();) {
    const std::optional<Work> work = input->next(at, nullptr, !to_end, stop);
    if (!work) {
      if (!to_end) continue;
      if (at == input->start()) return false;
      break;
    }
    at = work->after;
    grow_with(*work->batch, sources_, found_);
    if (!has_columns(sources_, found_)) continue;
    if (try_open()) return true;
    report_.waits_for(waits_for_);
    if (++with_columns == kMostBatches) break;
  }
  if (stop.stop_requested()) return false;
  fail(ErrorKind::kInvalid, "{}",
       waits_for_.empty()
           ? format("job {}: no record is a JSON object with fields, so there are no columns: name "
                    "them under 'fields'",
                    spec_.name)
           : waits_for_ +
                 "; the records so far have brought no such column: to have it always, "
                 "declare it under 'fields' of the parse node");
}

// The job's columns, and those of its tables, follow what a batch brings.
void Session::grow(const InputBatch& batch) {
  if (!grow_with(batch, job_, found_)) return;
  committer_->wait_until_idle();
  job_ = compile_job(spec_, *connection_, *this, found_);
  writer_->use(job_);
  telemetry::log_info("jobs", "the data brought new columns", {{"job", spec_.name}});
}

void Session::run(std::stop_token stop, bool to_end) {
  if (!is_open() && !look_ahead(stop, to_end)) return;
  while (!stop.stop_requested()) {
    const bool worked = step(stop, !to_end);
    if (to_end && !worked && !bound_) break;
  }
  seal_and_wait();
}

void Session::load_static(const CompiledInput& input) { statics_.load(input); }

lake::TablePtr Session::input_table(const CompiledInput& input) const {
  try {
    return runtime_.catalog.load(input.need.table);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
    throw InputMissing(format("job {}: nodes.{}: there is no table {}", spec_.name, input.node,
                              input.need.table.to_string()));
  }
}

void Session::show_driving(const CompiledInput& input) {
  std::string relation;
  if (input.need.kind == SourceNeed::Kind::kTable) {
    relation = format("({})", lake::scan_sql(*input_table(input), {}));
  } else {
    relation = format("{} LIMIT 0", read_files_sql(input.need, statics_.paths(input)));
  }
  connection_->execute(format("CREATE OR REPLACE VIEW {} AS SELECT * FROM {}",
                              driving_view_name(spec_.name, input.node), relation));
}

void Session::check_records(const CompiledInput& input) {
  const lake::TablePtr table = input_table(input);
  for (const engine::Column& column : tables::record_columns()) {
    const lake::Field* field = table->metadata.current_schema().find(column.name);
    if (field != nullptr &&
        lake::to_duckdb(field->type) == lake::to_duckdb(lake::type_from_duckdb(column.type))) {
      continue;
    }
    fail(ErrorKind::kInvalid,
         "nodes.{}: table {} does not hold the records of a topic: it has no column {} {}; only "
         "a table that a topic fills directly can be parsed",
         input.node, input.need.table.to_string(), column.name, column.type);
  }
}

std::unique_ptr<JobInput> Session::make_input(const CompiledJob& job) {
  const CompiledInput& first = job.driving.front();
  const InputLimits limits{spec_.batch_records, spec_.batch_wait};
  switch (first.need.kind) {
    case SourceNeed::Kind::kTable:
      if (first.need.as_records) {
        check_records(first);
        return make_record_table_input(first, runtime_.catalog, *connection_, runtime_.clock,
                                       limits);
      }
      return make_table_input(spec_.name, first, runtime_.catalog, runtime_.database, *connection_,
                              runtime_.clock);
    case SourceNeed::Kind::kFiles:
      return make_files_input(spec_.name, first, runtime_.project_directory, runtime_.files,
                              *connection_, runtime_.clock);
    case SourceNeed::Kind::kTopic:
      break;
  }
  return make_topic_input(spec_.name, job.driving, runtime_.log, runtime_.clock, limits);
}

// Where the job goes on: where its targets stand. Those that lag work alone first.
void Session::choose_start(const tables::Positions& start) {
  std::vector<std::string> topics;
  for (const CompiledInput& input : job_.driving) topics.push_back(input.need.topic);
  const auto& targets = writer_->targets();
  const auto position = [&](size_t i) { return targets[i].reached.value_or(start); };
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
           spec_.name, at_.to_text(), position(i).to_text());
    }
    if (!bound_ || reaches(*bound_, position(i), topics)) bound_ = position(i);
  }
  writer_->activate(active);
  input_->check(at_);
  input_->committed(at_);
  if (bound_) {
    telemetry::log_info("jobs", "some tables lag behind the others and catch up first",
                        {{"job", spec_.name}, {"from", at_.to_text()}, {"to", bound_->to_text()}});
  }
  report_.stands_at(at_.to_text(), input_->lag(at_));
}

// One round. False when there was nothing to do.
bool Session::step(std::stop_token stop, bool may_wait) {
  writer_->check_not_moved();
  const std::string stale = statics_.refresh(job_.statics);
  const std::string delayed = committer_->complaint();
  report_.complains(delayed.empty() ? stale : delayed);
  const std::optional<Work> work = next_work(stop, may_wait);
  if (work) process(*work);
  if (bound_ && at_ == *bound_) {
    seal_and_wait();
    choose_start(at_);
    return true;
  }
  seal_if_due();
  report_.stands_at(at_.to_text(), input_->lag(at_));
  return work.has_value();
}

std::optional<Work> Session::next_work(const std::stop_token& stop, bool may_wait) {
  const tables::Positions* bound = bound_ ? &*bound_ : nullptr;
  // While a commit is under way there is nothing to be done about another one.
  if (!committer_->is_idle()) return input_->next(at_, bound, may_wait, stop);
  std::stop_source ends;
  const auto end = [&ends] { ends.request_stop(); };
  const std::stop_callback on_stop(stop, end);
  const std::stop_callback on_wanted(report_.commit_wanted(), end);
  return input_->next(at_, bound, may_wait, ends.get_token());
}

void Session::process(const Work& work) {
  const int64_t rejected = batches_->run(work);
  at_ = work.after;
  hot_bytes_ += work.bytes;
  hot_records_ += work.records;
  report_.batch_done(work.records, rejected, hot_records_);
}

void Session::seal_if_due() {
  if (hot_records_ == 0) {
    if (committer_->is_idle()) report_.nothing_to_commit();
    last_seal_ = runtime_.clock.steady_now();
    return;
  }
  const bool is_old = runtime_.clock.steady_now() - last_seal_ >= runtime_.commit_interval;
  const bool is_large = hot_bytes_ >= runtime_.commit_bytes;
  if (!is_old && !is_large && !report_.is_commit_wanted()) return;
  if (!committer_->is_idle()) {
    // Twice the limit is where memory ends: the commit must catch up.
    if (hot_bytes_ < 2 * runtime_.commit_bytes) return;
    committer_->wait_until_idle();
  }
  seal();
}

void Session::seal() {
  SealedWork work = writer_->seal(at_);
  report_.sealed();
  hot_records_ = 0;
  hot_bytes_ = 0;
  last_seal_ = runtime_.clock.steady_now();
  committer_->submit(std::move(work));
}

void Session::seal_and_wait() {
  committer_->wait_until_idle();
  if (hot_records_ > 0) {
    seal();
    committer_->wait_until_idle();
  }
}

// On the committing thread.
void Session::committed(const SealedWork& work) {
  input_->committed(work.positions);
  // Who waits for the commit then waits for the views, which must know that there is something new.
  tell_of_tables(work.targets);
  report_.committed();
}

void Session::tell_of_tables(const std::vector<size_t>& targets) {
  if (!runtime_.on_tables_changed) return;
  std::vector<lake::TableIdentifier> tables;
  for (const size_t target : targets) {
    tables.push_back(writer_->targets()[target].compiled.need.table);
  }
  runtime_.on_tables_changed(tables);
}

}  // namespace headrace::jobs
