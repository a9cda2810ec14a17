#include "http/handler.h"

#include <atomic>
#include <utility>

namespace headrace::http {

struct Responder::State {
  explicit State(Deliver to) : deliver(std::move(to)) {}
  ~State() {
    if (!answered.exchange(true)) {
      deliver(error_response(500, "internal", "the request was dropped without an answer"), route);
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Deliver deliver;
  std::atomic<bool> answered = false;
  std::string route;  // written by the router before the handler runs
};

Responder::Responder(Deliver deliver) : state_(std::make_shared<State>(std::move(deliver))) {}

void Responder::operator()(Response response) const {
  if (!state_->answered.exchange(true)) state_->deliver(std::move(response), state_->route);
}

void Responder::fail(const std::exception_ptr& error) const { (*this)(error_response(error)); }

void Responder::set_route(std::string_view pattern) const { state_->route = pattern; }

}  // namespace headrace::http
