#pragma once

// GET /v1/topics/{topic}/records: the records of a partition from an offset on, and waiting for
// those that are not there yet.
//
// Life cycle: one thread starts with the first request that waits and ends with the object; it must
// be destroyed before the log, and stops by answering who still waits with what there is.
// Thread use: handle() from any thread; reading is done there and then (bounded by kMaxReadBytes),
// but for topics whose records may be in object storage: these are read on the pool.

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "http/handler.h"
#include "http/worker_pool.h"
#include "server/route.h"
#include "stream/log.h"

namespace headrace::server {

class Tail {
 public:
  Tail(const stream::Log& log, http::WorkerPool& pool) : log_(log), pool_(pool) {}
  ~Tail();
  Tail(const Tail&) = delete;
  Tail& operator=(const Tail&) = delete;

  void handle(const http::Request& request, const http::Responder& respond);
  // The route with its description; refers to this object.
  Route route();

 private:
  struct Query {
    const stream::Partition* partition;
    int partition_index;
    stream::Offset from;
    int64_t limit;
  };
  struct Waiting {
    Query query;
    std::chrono::steady_clock::time_point deadline;
    std::stop_token cancelled;
    http::Responder respond;
  };
  void handle_now(const http::Request& request, const http::Responder& respond);
  Query read_query(const http::Request& request) const;
  static http::Response read(const Query& query);
  static void answer(const Query& query, const http::Responder& respond);
  void wait(Waiting waiting);
  std::list<Waiting> take_ready(bool all);
  void run();

  const stream::Log& log_;
  http::WorkerPool& pool_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Waiting> waiting_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace headrace::server
