#pragma once

// A server on a free port with a few routes that show what the transport does.

#include <future>
#include <memory>
#include <mutex>
#include <string>

#include <gmock/gmock.h>

#include "http/client.h"
#include "http/router.h"
#include "http/server.h"
#include "http/tests/raw_connection.h"

namespace headrace::http {

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() : metrics_(telemetry::make_metrics()), pool_({.threads = 2}, *metrics_) {
    options_.port = 0;
    router_.add("POST", "/echo", [](Request request, Responder respond) {
      respond(text_response(200, std::move(request.body)));
    });
    router_.add("GET", "/healthz",
                [](Request, Responder respond) { respond(text_response(200, "ok")); });
    router_.add("GET", "/name/{name}", [](Request request, Responder respond) {
      respond(text_response(200, request.path_parameter("name")));
    });
    router_.add("GET", "/throw",
                [](Request, Responder) { fail(ErrorKind::kConflict, "as it must"); });
    router_.add("GET", "/forget", [](Request, Responder) {});
    router_.add("GET", "/hold", [this](Request request, Responder respond) {
      std::lock_guard lock(held_mutex_);
      held_request_ = std::move(request);
      held_ = std::make_unique<Responder>(std::move(respond));
      held_arrived_.set_value();
    });
  }

  void start() {
    server_ = std::make_unique<Server>(options_, router_, pool_, *metrics_);
    server_->start();
  }
  std::unique_ptr<Client> client(const std::string& token = {}) {
    return make_http_client(server_->url(), token);
  }
  // Sends bytes and returns all that comes until the server closes.
  std::string exchange(std::string_view bytes) {
    RawConnection connection(server_->port());
    connection.send(bytes);
    return connection.read_to_end();
  }
  void release_held(std::string text) {
    std::lock_guard lock(held_mutex_);
    (*held_)(text_response(200, std::move(text)));
    held_.reset();
  }

  std::unique_ptr<telemetry::Metrics> metrics_;
  ServerOptions options_;
  Router router_;
  WorkerPool pool_;
  std::mutex held_mutex_;
  Request held_request_;
  std::unique_ptr<Responder> held_;
  std::promise<void> held_arrived_;
  std::unique_ptr<Server> server_;
};

}  // namespace headrace::http
