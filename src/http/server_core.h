#pragma once

// What the listener and all sessions of one server share. Private to the module.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "http/server.h"
#include "http/server_metrics.h"

namespace headrace::http {

class Session;

// The open sessions: what keeps a session alive until it closes itself.
class SessionRegistry {
 public:
  void add(std::shared_ptr<Session> session);
  void remove(const std::shared_ptr<Session>& session);
  size_t size() const;
  std::vector<std::shared_ptr<Session>> all() const;
  bool wait_until_empty(std::chrono::milliseconds timeout);

 private:
  mutable std::mutex mutex_;
  std::condition_variable emptied_;
  std::set<std::shared_ptr<Session>> sessions_;
};

struct ServerCore {
  ServerCore(const ServerOptions& server_options, Handler& request_handler, WorkerPool& worker_pool,
             telemetry::Metrics& server_metrics)
      : options(server_options),
        handler(request_handler),
        pool(worker_pool),
        metrics(server_metrics),
        io(server_options.network_threads) {}

  const ServerOptions options;
  Handler& handler;
  WorkerPool& pool;
  ServerMetrics metrics;
  SessionRegistry sessions;
  std::atomic<uint64_t> buffered_bytes = 0;  // of request bodies
  std::atomic<bool> stopping = false;
  boost::asio::io_context io;
};

}  // namespace headrace::http
