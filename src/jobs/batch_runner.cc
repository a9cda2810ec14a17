#include "jobs/batch_runner.h"

#include <algorithm>
#include <exception>

#include "jobs/dead_letters.h"
#include "telemetry/log.h"

namespace headrace::jobs {
namespace {

// Ends a run whose rows are not all there.
class News : public std::exception {};

bool is_about_data(const Error& error) {
  return error.kind() == ErrorKind::kInvalid || error.kind() == ErrorKind::kUnsupported;
}

// The first and the second half of the records.
std::vector<Work> halves(const Work& work) {
  std::vector<Work> parts(2);
  int64_t first = work.records / 2;
  for (Work& part : parts) part.batch = std::make_shared<InputBatch>();
  const auto add = [](Work& part, const std::string& topic, const PartitionSlice& slice,
                      stream::Offset from, stream::Offset to) {
    if (from >= to) return;
    PartitionSlice piece = slice;
    piece.from = from;
    piece.to = to;
    part.records += to - from;
    part.batch->topics[topic].push_back(std::move(piece));
  };
  for (const auto& [topic, slices] : work.batch->topics) {
    for (const PartitionSlice& slice : slices) {
      const stream::Offset middle = std::min(slice.to, slice.from + first);
      first -= middle - slice.from;
      add(parts[0], topic, slice, slice.from, middle);
      add(parts[1], topic, slice, middle, slice.to);
    }
  }
  return parts;
}

// Records that come from the topic itself, not from a retry topic.
int64_t records_of(const InputBatch& batch, const std::string& topic) {
  const auto found = batch.topics.find(topic);
  if (found == batch.topics.end()) return 0;
  int64_t records = 0;
  for (const PartitionSlice& slice : found->second) {
    if (slice.topic == topic) records += slice.to - slice.from;
  }
  return records;
}

}  // namespace

BatchRunner::BatchRunner(const Collaborators& collaborators, const CompiledJob& job)
    : with_(collaborators), job_(job) {}

int64_t BatchRunner::run(const Work& work) {
  with_.board.put(job_.name, work.batch);
  try {
    return run_whole(work);
  } catch (const Error& error) {
    if (!is_about_data(error) || !job_.is_driven_by_records())
      throw error.with_context("job " + job_.name);
    return isolate(work, error);
  }
}

template <class Body>
void BatchRunner::in_transaction(Body body) {
  with_.connection.execute("BEGIN");
  try {
    body();
    with_.connection.execute("COMMIT");
  } catch (...) {
    with_.connection.execute("ROLLBACK");
    throw;
  }
}

int64_t BatchRunner::run_whole(const Work& work) {
  try {
    return run_once(work);
  } catch (const News&) {
    with_.grow(*work.batch);
    work.batch->set_grown();
    with_.board.put(job_.name, work.batch);
    return run_once(work);
  }
}

int64_t BatchRunner::run_once(const Work& work) {
  work.batch->take_rejections();  // of a try before
  std::vector<std::pair<lake::TableIdentifier, int64_t>> inserted;
  int64_t rejected = 0;
  tables::LiveTables::ChangeBatch changes(with_.tables, with_.writer.upserts());
  in_transaction([&] {
    for (const std::string& sql : job_.shared_tables) with_.connection.execute(sql);
    inserted = with_.writer.insert(with_.connection, changes);
    if (work.batch->has_news()) throw News();
    rejected = append_rejections(*work.batch);
  });
  changes.keep();
  for (const WriterTarget& target : with_.writer.targets()) {
    if (!target.is_active || target.compiled.raw_topic.empty()) continue;
    inserted.emplace_back(target.compiled.need.table,
                          records_of(*work.batch, target.compiled.raw_topic));
  }
  inserted.emplace_back(with_.writer.dead_letters(), rejected);
  for (const auto& [table, rows] : inserted) {
    if (rows != 0) with_.tables.rows_added(table, rows);
  }
  return rejected;
}

int64_t BatchRunner::append_rejections(InputBatch& batch) {
  const std::vector<Rejection> rejections = batch.take_rejections();
  const bool wanted =
      with_.writer.targets().back().is_active;  // the dead letters are the last target
  if (rejections.empty() || !wanted) return 0;
  append_dead_letters(with_.connection, with_.tables.hot_table(with_.writer.dead_letters()),
                      job_.name, batch, rejections, with_.clock.now());
  return static_cast<int64_t>(rejections.size());
}

int64_t BatchRunner::isolate(const Work& work, const Error& error) {
  if (work.records == 1) return bury(work, error);
  telemetry::log_warning(
      "jobs", "a batch failed; looking for the record at fault",
      {{"job", job_.name}, {"records", work.records}, {"reason", error.message()}});
  int64_t rejected = 0;
  for (const Work& half : halves(work)) {
    if (half.records > 0) rejected += run(half);
  }
  return rejected;
}

int64_t BatchRunner::bury(const Work& work, const Error& error) {
  work.batch->take_rejections();
  for (const auto& [topic, slices] : work.batch->topics) {
    for (const PartitionSlice& slice : slices) {
      work.batch->reject({"", error.message(), slice.topic, slice.partition, slice.from, ""});
    }
  }
  int64_t rejected = 0;
  in_transaction([&] { rejected = append_rejections(*work.batch); });
  if (rejected > 0) with_.tables.rows_added(with_.writer.dead_letters(), rejected);
  return rejected;
}

}  // namespace headrace::jobs
