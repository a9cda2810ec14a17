#pragma once

// The status of a source and its metrics, kept as one so that they cannot disagree. Thread-safe.

#include <mutex>
#include <string>

#include "base/clock.h"
#include "sources/source.h"
#include "telemetry/metrics.h"

namespace headrace::sources {

class SourceMeter {
 public:
  SourceMeter(Clock& clock, telemetry::Metrics& metrics, const std::string& source);

  void set_state(SourceState state, const std::string& error = "");
  void add_durable(int64_t records, int64_t bytes);
  void add_error();
  void add_retry(const std::string& error);
  void add_skipped();
  void set_files(int64_t done, int64_t total);
  void set_lag(int64_t bytes);

  SourceStatus status() const;

 private:
  Clock& clock_;
  telemetry::Counter& records_;
  telemetry::Counter& bytes_;
  telemetry::Counter& errors_;
  telemetry::Counter& retries_;
  telemetry::Counter& skipped_;
  telemetry::Gauge& lag_;
  telemetry::Gauge& files_left_;
  mutable std::mutex mutex_;
  SourceStatus status_;
};

}  // namespace headrace::sources
