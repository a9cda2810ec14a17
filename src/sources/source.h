#pragma once

// What brings records from outside into a topic.
//
// Life cycle: a SourceType validates its settings (pure, no I/O) and builds a Source, which does
// nothing until run() is called. run() works on the thread of its caller until everything is read
// (state finished), it cannot go on (failed) or a stop is asked for (stopped); it may be called
// again afterwards. It does not throw: what went wrong is in status().
//
// The contract that every source keeps, and that one test checks over all of them: the position of
// the source travels in the record batches themselves (stream::SourcePosition), so data and
// position are one atomic write. run() reads its positions from the topic and goes on from there:
// each record is in the topic exactly once, whatever instant the process was killed at. Passing
// faults (a full disk, a full queue) are retried with exponential back-off for as long as they
// last; memory is bounded.
//
// Thread use: run() by one thread at a time, status() from any.

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "stream/log.h"
#include "telemetry/metrics.h"

namespace headrace::sources {

enum class SourceState {
  kIdle,      // not started
  kRunning,   // reading
  kWaiting,   // nothing new to read, or waiting to retry: last_error says which
  kFinished,  // everything is read and durable
  kFailed,    // cannot go on without a person; last_error says why
  kStopped,   // asked to stop
};

std::string_view name_of(SourceState state);

struct SourceStatus {
  SourceState state = SourceState::kIdle;
  Timestamp since{};  // of the state
  int64_t files_done = 0;
  int64_t files_total = 0;
  int64_t bytes = 0;    // durable since this process started
  int64_t records = 0;  // likewise
  int64_t skipped = 0;  // records left out because they were too large
  int64_t retries = 0;
  int64_t lag_bytes = 0;   // known to be there and not yet read
  std::string last_error;  // empty when there was none, or when it has passed
};

// What a source works with. Everything outlives the source.
struct SourceContext {
  FileSystem& files;
  Clock& clock;
  Random& random;
  telemetry::Metrics& metrics;
  stream::Topic& topic;
  std::string name;            // of the source: label of its metrics, key of its positions
  std::string base_directory;  // relative paths start here: the project folder
};

class Source {
 public:
  virtual ~Source() = default;
  virtual void run(std::stop_token stop) = 0;
  virtual SourceStatus status() const = 0;
};

}  // namespace headrace::sources
