#pragma once

// Sends requests to a headrace server, or straight to a handler in this process, so that what uses
// it need not know which.
//
// Thread use: one request at a time for each Client. Errors: unavailable (cannot reach the server,
// connection broken off), timeout, cancelled. An answer with an error status is no exception: see
// throw_if_error in message.h.

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "http/handler.h"
#include "http/message.h"

namespace headrace::http {

class Client {
 public:
  virtual ~Client() = default;

  // Sends and waits for the whole answer.
  Response send(Request request);

  // Called with each piece of a body; false ends the request with Error cancelled.
  using OnData = std::function<bool(std::string_view)>;
  // The body of a successful answer goes to `on_data` piece by piece, that of an error into the
  // returned response.
  virtual Response stream(Request request, const OnData& on_data, std::stop_token cancel = {}) = 0;
};

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds timeout{0};  // for a whole request; 0: none
};

// base_url: http://127.0.0.1:8642 (https works, too). Connections are kept alive.
std::unique_ptr<Client> make_http_client(const std::string& base_url, const std::string& token = {},
                                         const ClientOptions& options = {});

// Calls `handler`, which must outlive it, without a socket; streams are pulled by the caller's
// thread. The handler's work may run on other threads (its pool's).
std::unique_ptr<Client> make_local_client(Handler& handler);

}  // namespace headrace::http
