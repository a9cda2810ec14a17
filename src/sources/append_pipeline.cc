#include "sources/append_pipeline.h"

#include <utility>

#include "base/error.h"
#include "sources/backoff.h"

namespace headrace::sources {

AppendPipeline::AppendPipeline(Clock& clock, Random& random, SourceMeter& meter,
                               size_t max_in_flight_bytes)
    : clock_(clock),
      random_(random),
      meter_(meter),
      max_in_flight_bytes_(max_in_flight_bytes),
      worker_([this](const std::stop_token& stop) { work(stop); }) {}

AppendPipeline::~AppendPipeline() {
  worker_.request_stop();
  worker_.join();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return accepted_ == 0; });
}

stream::BatchBuilder AppendPipeline::make_builder(stream::Compression compression) {
  std::lock_guard lock(mutex_);
  if (spare_.empty()) return stream::BatchBuilder(compression);
  stream::BatchBuilder builder = std::move(spare_.back());
  spare_.pop_back();
  return builder;
}

void AppendPipeline::submit(stream::Partition& partition, stream::BatchBuilder builder,
                            std::stop_token stop) {
  const size_t size_bytes = builder.size_bytes();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] {
    return failure_ || in_flight_bytes_ == 0 ||
           in_flight_bytes_ + size_bytes <= max_in_flight_bytes_;
  });
  throw_failure();
  if (stop.stop_requested()) fail(ErrorKind::kCancelled, "appending records: a stop was requested");
  in_flight_bytes_ += size_bytes;
  jobs_.push_back({&partition, std::move(builder), size_bytes});
  changed_.notify_all();
}

void AppendPipeline::drain(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return failure_ || in_flight_bytes_ == 0; });
  throw_failure();
  if (in_flight_bytes_ > 0) {
    fail(ErrorKind::kCancelled, "waiting until records are durable: a stop was requested");
  }
}

void AppendPipeline::throw_failure() const {
  if (failure_) std::rethrow_exception(failure_);
}

void AppendPipeline::work(std::stop_token stop) {
  while (true) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return !jobs_.empty(); }) || stop.stop_requested()) return;
    if (failure_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    try {
      append(job, stop);
    } catch (...) {
      fail_with(std::current_exception());
    }
  }
}

void AppendPipeline::append(Job& job, std::stop_token stop) {
  const stream::EncodedBatch batch = job.builder.encode();
  {
    std::lock_guard lock(mutex_);
    spare_.push_back(std::move(job.builder));
  }
  if (offer(job, batch)) return;
  Backoff backoff(clock_, random_);
  do {
    if (!backoff.wait(stop)) return;
  } while (!offer(job, batch));
  meter_.set_state(SourceState::kRunning);
}

bool AppendPipeline::offer(const Job& job, const stream::EncodedBatch& batch) {
  // A refusal is told on this thread before append_async returns; then nothing was queued and the
  // same batch may be offered again. An answer from the log's thread is about a queued batch.
  std::exception_ptr refusal;
  const std::thread::id here = std::this_thread::get_id();
  {
    std::lock_guard lock(mutex_);
    if (failure_) return true;  // nothing may follow a batch that was lost: this one is dropped
    ++accepted_;
  }
  const int64_t records = batch.record_count;
  const size_t size_bytes = job.size_bytes;
  job.partition->append_async(
      batch, [this, &refusal, here, records, size_bytes](const stream::AppendResult*,
                                                         const std::exception_ptr& error) {
        if (error && std::this_thread::get_id() == here) {
          refusal = error;
          return;
        }
        finish(size_bytes, records, error);
      });
  if (!refusal) return true;
  {
    std::lock_guard lock(mutex_);
    --accepted_;
  }
  try {
    std::rethrow_exception(refusal);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnavailable) throw;
    meter_.add_retry(error.message());
    return false;
  }
}

void AppendPipeline::finish(size_t size_bytes, int64_t records, const std::exception_ptr& error) {
  if (!error) meter_.add_durable(records, static_cast<int64_t>(size_bytes));
  std::lock_guard lock(mutex_);
  if (error && !failure_) failure_ = error;
  in_flight_bytes_ -= size_bytes;
  --accepted_;
  changed_.notify_all();  // under the lock: the destructor may be waiting for this very answer
}

void AppendPipeline::fail_with(const std::exception_ptr& error) {
  std::lock_guard lock(mutex_);
  if (!failure_) failure_ = error;
  changed_.notify_all();
}

}  // namespace headrace::sources
