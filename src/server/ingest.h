#pragma once

// POST /v1/topics/{topic}/records: takes records in and answers when they are durable.
//
// A request is checked whole before anything of it is stored: one bad record refuses it, with its
// line. Without a key path all records of a request go to one partition (requests take turns);
// with one each goes to the partition of its key.
//
// Idempotence (Headrace-Producer-Id, -Epoch, -Sequence): Headrace-Sequence is the number of records
// that this producer sent before, so a request covers sequence … sequence + n − 1, and sending it
// again is a no-op that answers with the offsets of the first time. The log keeps sequences for
// each partition, so a producer must stay in one: without ?partition it is producer id modulo
// number of partitions. Records spread by key would leave gaps in every partition's sequence, and a
// retry could not be told from new data: a producer with a key path needs ?partition or a topic of
// one partition. Such a request becomes one batch, which is stored whole or not at all.
//
// Thread use: handle() from any thread; it does not block.

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "http/handler.h"
#include "server/route.h"
#include "stream/log.h"
#include "telemetry/metrics.h"

namespace headrace::server {

struct IngestLimits {
  int64_t max_records = 1'000'000;               // in a request
  int64_t max_record_bytes = 8 * 1024 * 1024;    // each
  int64_t target_batch_bytes = 4 * 1024 * 1024;  // larger requests become several batches
};

class Ingest {
 public:
  Ingest(stream::Log& log, const Clock& clock, telemetry::Metrics& metrics,
         const IngestLimits& limits = {});

  // Pads the body in place. What it throws is the answer.
  void handle(http::Request& request, const http::Responder& respond);
  // The route with its description; refers to this object.
  Route route();

 private:
  stream::Log& log_;
  const Clock& clock_;
  const IngestLimits limits_;
  telemetry::Counter& records_;
  telemetry::Counter& bytes_;
  telemetry::Counter& refused_;
  std::atomic<uint32_t> turn_ = 0;
};

}  // namespace headrace::server
