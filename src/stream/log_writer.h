#pragma once

// The one thread that writes to a log directory. It takes everything that is queued, writes it
// partition by partition, syncs each once, and answers all: a sync covers every append that arrived
// while the one before it ran. Private to this module.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "stream/append_target.h"
#include "telemetry/metrics.h"

namespace headrace::stream {

class LogWriter {
 public:
  LogWriter(Clock& clock, telemetry::Metrics& metrics, int64_t max_queued_bytes);
  ~LogWriter();  // answers what is queued

  // Queues an append; its `done` is called from the writer's thread. Throws unavailable when the
  // queue is full or the log is closing, and then does not call it.
  void enqueue(AppendTarget& target, EncodedBatch batch, Partition::AppendDone done);

 private:
  struct Queued {
    AppendTarget* target;
    PendingAppend append;
  };
  // What one round writes to one partition.
  struct Group {
    AppendTarget* target;
    std::vector<PendingAppend*> appends;
  };

  void run();
  bool take_all(std::deque<Queued>& round);  // false: closing, and nothing is left
  void commit(std::deque<Queued>& round);
  static std::vector<Group> group_by_target(std::deque<Queued>& round);
  static void answer(PendingAppend& append);
  void release(const std::deque<Queued>& round);

  Clock& clock_;
  const int64_t max_queued_bytes_;
  telemetry::Gauge& queue_gauge_;
  telemetry::Counter& refused_;
  telemetry::Histogram& sync_seconds_;

  std::mutex mutex_;  // guards the three below
  std::condition_variable arrived_;
  std::deque<Queued> queue_;
  int64_t queued_bytes_ = 0;  // also of the round that is being written
  bool closing_ = false;

  std::thread thread_;  // last: it uses all the others
};

}  // namespace headrace::stream
