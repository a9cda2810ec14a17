#pragma once

// What answers requests. Handlers are called on network threads: they must not block. What blocks
// goes through a WorkerPool (worker_pool.h).

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace headrace::http {

// Where an answer goes. Cheap to copy; may be called from any thread, at any time, once: later
// calls are ignored. When all copies are dropped without a call, the client gets 500.
class Responder {
 public:
  // `deliver` gets the answer and the pattern of the route (empty when none matched).
  using Deliver = std::function<void(Response, std::string_view route)>;
  explicit Responder(Deliver deliver);

  void operator()(Response response) const;
  void fail(const std::exception_ptr& error) const;  // answers with error_response(error)

  // The pattern that the request matched, for metrics and the access log.
  void set_route(std::string_view pattern) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // May throw before `respond` is called: the error is then the answer.
  virtual void handle(Request request, Responder respond) = 0;
};

using HandlerFunction = std::function<void(Request, Responder)>;

}  // namespace headrace::http
