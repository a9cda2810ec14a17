#pragma once

// Takes filled batches to their partitions: encodes and compresses on a thread of its own, so that
// this overlaps with reading, and keeps several appends under way, so that both overlap with the
// disk. Batches of one partition are appended in the order in which they were submitted.
//
// A batch that the partition refuses at once (its queue is full) is offered again with back-off,
// and nothing is offered after it meanwhile. A batch that was accepted and then failed ends the
// pipeline (a partition whose write failed refuses all later ones, see stream/log.h, so none can
// overtake it): later batches are dropped and the failure is thrown from submit() and drain(). The
// source then starts again from the positions in the topic, as after a restart of the process.
//
// Life cycle: the destructor drops what is not yet appended and waits until every accepted append
// is answered; after it the positions in the topic are final.
// Thread use: submit() and drain() by one thread.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "sources/source_meter.h"
#include "stream/log.h"

namespace headrace::sources {

class AppendPipeline {
 public:
  // `max_in_flight_bytes`: of records submitted and not yet durable, before compression. A batch
  // larger than that goes alone.
  AppendPipeline(Clock& clock, Random& random, SourceMeter& meter, size_t max_in_flight_bytes);
  ~AppendPipeline();
  AppendPipeline(const AppendPipeline&) = delete;
  AppendPipeline& operator=(const AppendPipeline&) = delete;

  // An empty builder, reusing the memory of one that was encoded.
  stream::BatchBuilder make_builder(stream::Compression compression);
  // Waits while too much is in flight. Throws the pipeline's failure, or cancelled on stop.
  void submit(stream::Partition& partition, stream::BatchBuilder builder, std::stop_token stop);
  // Waits until everything submitted is durable. Throws as submit() does.
  void drain(std::stop_token stop);

 private:
  struct Job {
    stream::Partition* partition;
    stream::BatchBuilder builder;
    size_t size_bytes;
  };

  void work(std::stop_token stop);
  void append(Job& job, std::stop_token stop);
  // False when the batch is to be offered again; else it was taken, or dropped after a failure.
  bool offer(const Job& job, const stream::EncodedBatch& batch);
  void finish(size_t size_bytes, int64_t records, const std::exception_ptr& error);
  void fail_with(const std::exception_ptr& error);
  void throw_failure() const;

  Clock& clock_;
  Random& random_;
  SourceMeter& meter_;
  const size_t max_in_flight_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Job> jobs_;
  std::vector<stream::BatchBuilder> spare_;
  size_t in_flight_bytes_ = 0;  // queued, being encoded or accepted
  size_t accepted_ = 0;         // by a partition and not yet answered
  std::exception_ptr failure_;
  std::jthread worker_;  // last: it is joined before the rest goes
};

}  // namespace headrace::sources
