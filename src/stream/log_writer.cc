#include "stream/log_writer.h"

#include <chrono>
#include <unordered_map>

#include "base/error.h"
#include "telemetry/log.h"

namespace headrace::stream {

LogWriter::LogWriter(Clock& clock, telemetry::Metrics& metrics, int64_t max_queued_bytes)
    : clock_(clock),
      max_queued_bytes_(max_queued_bytes),
      queue_gauge_(
          metrics.gauge("headrace_log_queue_bytes", "Bytes waiting for the log's writer thread")),
      refused_(metrics.counter("headrace_log_refused_appends_total",
                               "Appends refused because the queue was full")),
      sync_seconds_(metrics.histogram("headrace_log_sync_seconds",
                                      "Time to make one round of appends durable")),
      thread_([this] { run(); }) {}

LogWriter::~LogWriter() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

void LogWriter::enqueue(AppendTarget& target, EncodedBatch batch, Partition::AppendDone done) {
  {
    std::lock_guard lock(mutex_);
    if (closing_) fail(ErrorKind::kUnavailable, "appending: the log is being closed");
    const auto size = static_cast<int64_t>(batch.bytes.size());
    // A batch larger than the whole queue may pass when it is alone.
    if (queued_bytes_ > 0 && queued_bytes_ + size > max_queued_bytes_) {
      refused_.add();
      fail(
          ErrorKind::kUnavailable,
          "appending: {} bytes are waiting to be written already, at most {} may; send again later",
          queued_bytes_, max_queued_bytes_);
    }
    queued_bytes_ += size;
    queue_gauge_.set(static_cast<double>(queued_bytes_));
    queue_.push_back({&target, {std::move(batch), std::move(done), {}, nullptr}});
  }
  arrived_.notify_one();
}

bool LogWriter::take_all(std::deque<Queued>& round) {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return closing_ || !queue_.empty(); });
  round.swap(queue_);
  return !round.empty();
}

void LogWriter::run() {
  std::deque<Queued> round;
  while (take_all(round)) {
    commit(round);
    release(round);
    round.clear();
  }
}

std::vector<LogWriter::Group> LogWriter::group_by_target(std::deque<Queued>& round) {
  std::vector<Group> groups;
  std::unordered_map<AppendTarget*, size_t> group_of;
  for (Queued& queued : round) {
    const auto [entry, is_new] = group_of.try_emplace(queued.target, groups.size());
    if (is_new) groups.push_back({queued.target, {}});
    groups[entry->second].appends.push_back(&queued.append);
  }
  return groups;
}

void LogWriter::commit(std::deque<Queued>& round) {
  const std::vector<Group> groups = group_by_target(round);
  for (const Group& group : groups) group.target->writer.write(group.appends);
  const SteadyTime before_sync = clock_.steady_now();
  for (const Group& group : groups) {
    if (group.target->writer.sync_and_publish(group.appends)) {
      group.target->arrivals.notify();
      group.target->update_gauges();
    }
  }
  sync_seconds_.observe(std::chrono::duration<double>(clock_.steady_now() - before_sync).count());
  for (Queued& queued : round) {
    queued.target->count(queued.append);
    answer(queued.append);
  }
  for (const Group& group : groups) group.target->writer.checkpoint_if_due();
}

void LogWriter::answer(PendingAppend& append) {
  try {
    append.done(append.error == nullptr ? &append.result : nullptr, append.error);
  } catch (const std::exception& error) {
    telemetry::log_error("stream", "the receiver of an append's result failed",
                         {{"reason", error.what()}});
  }
}

void LogWriter::release(const std::deque<Queued>& round) {
  std::lock_guard lock(mutex_);
  for (const Queued& queued : round) {
    queued_bytes_ -= static_cast<int64_t>(queued.append.batch.bytes.size());
  }
  queue_gauge_.set(static_cast<double>(queued_bytes_));
}

}  // namespace headrace::stream
