#include "sources/source_meter.h"

namespace headrace::sources {

SourceMeter::SourceMeter(Clock& clock, telemetry::Metrics& metrics, const std::string& source)
    : clock_(clock),
      records_(metrics.counter("headrace_source_records_total",
                               "Records that a source made durable in its topic",
                               {{"source", source}})),
      bytes_(metrics.counter("headrace_source_bytes_total",
                             "Bytes of records that a source made durable, uncompressed",
                             {{"source", source}})),
      errors_(metrics.counter("headrace_source_errors_total",
                              "Faults that a source met, passing or not", {{"source", source}})),
      retries_(metrics.counter("headrace_source_retries_total",
                               "Times that a source tried again after a passing fault",
                               {{"source", source}})),
      skipped_(metrics.counter("headrace_source_skipped_total",
                               "Records left out because they were too large",
                               {{"source", source}})),
      lag_(metrics.gauge("headrace_source_lag_bytes",
                         "Bytes known to be there that a source has not read",
                         {{"source", source}})),
      files_left_(metrics.gauge("headrace_source_files_left",
                                "Files known to be there that a source has not finished",
                                {{"source", source}})) {
  status_.since = clock_.now();
}

void SourceMeter::set_state(SourceState state, const std::string& error) {
  std::lock_guard lock(mutex_);
  if (status_.state != state) status_.since = clock_.now();
  status_.state = state;
  status_.last_error = error;
}

void SourceMeter::add_durable(int64_t records, int64_t bytes) {
  records_.add(static_cast<double>(records));
  bytes_.add(static_cast<double>(bytes));
  std::lock_guard lock(mutex_);
  status_.records += records;
  status_.bytes += bytes;
}

void SourceMeter::add_error() { errors_.add(); }

void SourceMeter::add_retry(const std::string& error) {
  errors_.add();
  retries_.add();
  {
    std::lock_guard lock(mutex_);
    ++status_.retries;
  }
  set_state(SourceState::kWaiting, error);
}

void SourceMeter::add_skipped() {
  skipped_.add();
  std::lock_guard lock(mutex_);
  ++status_.skipped;
}

void SourceMeter::set_files(int64_t done, int64_t total) {
  files_left_.set(static_cast<double>(total - done));
  std::lock_guard lock(mutex_);
  status_.files_done = done;
  status_.files_total = total;
}

void SourceMeter::set_lag(int64_t bytes) {
  lag_.set(static_cast<double>(bytes));
  std::lock_guard lock(mutex_);
  status_.lag_bytes = bytes;
}

SourceStatus SourceMeter::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace headrace::sources
