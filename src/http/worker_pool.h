#pragma once

// A bounded number of threads for handlers that block (queries, commits), with a bounded queue.
//
// Life cycle: threads start with the first work and stop, after what they are doing, in stop() or
// the destructor; what still waits is dropped then (its Responder answers 500).
// Thread use: all methods from any thread.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http/handler.h"
#include "telemetry/metrics.h"

namespace headrace::http {

struct WorkerPoolOptions {
  std::string name = "queries";  // in metrics
  int threads = 4;
  size_t max_queued = 64;
};

class WorkerPool {
 public:
  WorkerPool(WorkerPoolOptions options, telemetry::Metrics& metrics);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when the queue is full or the pool is stopped.
  bool try_submit(std::function<void()> work);
  // The next step of work admitted before: not held back by a full queue. False when stopped.
  bool submit_step(std::function<void()> work);
  void stop();

 private:
  bool enqueue(std::function<void()> work, bool is_step);
  void start_thread_if_useful();
  std::function<void()> take();
  void run();

  const WorkerPoolOptions options_;
  telemetry::Gauge& queued_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  std::deque<std::function<void()>> steps_;  // come first: they finish what was begun
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopped_ = false;
};

// A handler that runs `blocking` on the pool; 503 with Retry-After when the pool's queue is full.
// `pool` must outlive it. What `blocking` throws becomes the answer.
HandlerFunction on_workers(WorkerPool& pool, std::function<Response(const Request&)> blocking);

}  // namespace headrace::http
