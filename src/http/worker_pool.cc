#include "http/worker_pool.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "telemetry/log.h"

namespace headrace::http {

WorkerPool::WorkerPool(WorkerPoolOptions options, telemetry::Metrics& metrics)
    : options_(std::move(options)),
      queued_(metrics.gauge("headrace_worker_queue_depth", "Work that waits for a worker thread",
                            {{"pool", options_.name}})) {}

WorkerPool::~WorkerPool() { stop(); }

bool WorkerPool::try_submit(std::function<void()> work) { return enqueue(std::move(work), false); }

bool WorkerPool::submit_step(std::function<void()> work) { return enqueue(std::move(work), true); }

bool WorkerPool::enqueue(std::function<void()> work, bool is_step) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_ || (!is_step && queue_.size() >= options_.max_queued)) return false;
    (is_step ? steps_ : queue_).push_back(std::move(work));
    queued_.set(static_cast<double>(queue_.size()));
    start_thread_if_useful();
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::start_thread_if_useful() {
  if (queue_.size() + steps_.size() > idle_ &&
      threads_.size() < static_cast<size_t>(options_.threads)) {
    threads_.emplace_back([this] { run(); });
  }
}

std::function<void()> WorkerPool::take() {
  auto& source = steps_.empty() ? queue_ : steps_;
  std::function<void()> work = std::move(source.front());
  source.pop_front();
  queued_.set(static_cast<double>(queue_.size()));
  return work;
}

void WorkerPool::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [&] { return stopped_ || !queue_.empty() || !steps_.empty(); });
    --idle_;
    if (stopped_) return;
    std::function<void()> work = take();
    lock.unlock();
    try {
      work();
    } catch (const std::exception& error) {
      telemetry::log_error("http", "work on the pool failed",
                           {{"pool", options_.name}, {"error", error.what()}});
    }
    work = nullptr;
    lock.lock();
  }
}

void WorkerPool::stop() {
  std::deque<std::function<void()>> dropped;
  std::deque<std::function<void()>> dropped_steps;
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(queue_);
    dropped_steps.swap(steps_);
    threads.swap(threads_);
    queued_.set(0);
  }
  changed_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

HandlerFunction on_workers(WorkerPool& pool, std::function<Response(const Request&)> blocking) {
  auto function = std::make_shared<std::function<Response(const Request&)>>(std::move(blocking));
  return [&pool, function](Request request, Responder respond) {
    auto shared_request = std::make_shared<Request>(std::move(request));
    const bool admitted = pool.try_submit([function, shared_request, respond] {
      if (shared_request->cancelled.stop_requested()) {
        respond(error_response(Error(ErrorKind::kCancelled, "the client went away")));
        return;
      }
      try {
        respond((*function)(*shared_request));
      } catch (...) {
        respond.fail(std::current_exception());
      }
    });
    if (!admitted) {
      respond(error_response(Error(ErrorKind::kUnavailable,
                                   "too many requests wait for a worker: try again in a moment")));
    }
  };
}

}  // namespace headrace::http
