#pragma once

// The HTTP/1.1 server: sockets, limits, authentication, access log and metrics. It knows nothing of
// what the handler does.
//
// Life cycle: the constructor checks the options and binds, start() begins to serve, stop() closes
// the listener, lets what is in flight finish within the time given and breaks off the rest. The
// destructor stops at once. Handler, pool and metrics must outlive the server.
//
// Threads: `network_threads` of its own. Handlers are called on them and must not block. A response
// that streams is pulled on the pool.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "http/handler.h"
#include "http/message.h"
#include "http/router.h"
#include "http/worker_pool.h"
#include "telemetry/metrics.h"

namespace headrace::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 8642;  // 0: any free one
  // Clients send it as "Authorization: Bearer …". Needed to listen outside loopback; when set, all
  // but the open paths ask for it.
  std::string token;
  std::vector<std::string> open_paths = {"/healthz"};
  int network_threads = 2;
  int max_connections = 512;  // one more is answered 503 and closed
  uint32_t max_header_bytes = 16 * 1024;
  uint64_t max_body_bytes = 64 * 1024 * 1024;           // as sent
  uint64_t max_decoded_body_bytes = 256 * 1024 * 1024;  // after gzip or zstd
  uint64_t max_buffered_bytes = 512 * 1024 * 1024;      // of all requests' bodies: 503 beyond
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds body_timeout{60'000};
  std::chrono::milliseconds idle_timeout{75'000};   // between requests of a connection
  std::chrono::milliseconds write_timeout{60'000};  // for each piece written
};

class Server {
 public:
  // denied: outside loopback without a token; invalid: not an address; unavailable: port in use.
  Server(const ServerOptions& options, Handler& handler, WorkerPool& pool,
         telemetry::Metrics& metrics);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();
  void stop(std::chrono::milliseconds deadline = std::chrono::milliseconds(10'000));

  uint16_t port() const;
  std::string url() const;  // http://127.0.0.1:8642

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace headrace::http
