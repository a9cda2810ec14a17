#include <condition_variable>
#include <mutex>
#include <utility>

#include "http/client.h"

namespace headrace::http {
namespace {

// The one answer that a caller waits for.
class Answer {
 public:
  void set(Response response) {
    std::lock_guard lock(mutex_);
    response_ = std::move(response);
    arrived_.notify_all();
  }
  Response wait(const std::stop_token& cancel, std::stop_source& cancelled) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait(lock, cancel, [&] { return response_.has_value(); })) {
      lock.unlock();
      cancelled.request_stop();
      fail(ErrorKind::kCancelled, "the request was cancelled");
    }
    return std::move(*response_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::optional<Response> response_;
};

void pull_stream(Response& response, const Client::OnData& on_data, const std::stop_token& cancel) {
  std::stop_callback on_stop(cancel, [&response] {
    if (response.on_cancel) response.on_cancel();
  });
  bool more = true;
  while (more) {
    std::string chunk;
    more = response.stream(chunk);
    if (!chunk.empty() && !on_data(chunk)) {
      if (more && response.on_cancel && !cancel.stop_requested()) response.on_cancel();
      fail(ErrorKind::kCancelled, "the request was cancelled");
    }
  }
}

class LocalClient final : public Client {
 public:
  explicit LocalClient(Handler& handler) : handler_(handler) {}

  Response stream(Request request, const OnData& on_data, std::stop_token cancel) override {
    Response response = call(std::move(request), cancel);
    if (response.stream) {
      try {
        pull_stream(response, on_data, cancel);
      } catch (const Error&) {
        if (cancel.stop_requested()) fail(ErrorKind::kCancelled, "the request was cancelled");
        throw;
      }
      response.stream = nullptr;
      response.on_cancel = nullptr;
    } else if (response.status < 400 && !response.body.empty()) {
      const std::string body = std::exchange(response.body, {});
      if (!on_data(body)) fail(ErrorKind::kCancelled, "the request was cancelled");
    }
    return response;
  }

 private:
  Response call(Request request, const std::stop_token& cancel) {
    std::stop_source cancelled;
    request.cancelled = cancelled.get_token();
    auto answer = std::make_shared<Answer>();
    {
      // Out of scope before the wait: a handler that drops its copy must be noticed.
      const Responder respond(
          [answer](Response response, std::string_view) { answer->set(std::move(response)); });
      try {
        handler_.handle(std::move(request), respond);
      } catch (...) {
        respond.fail(std::current_exception());
      }
    }
    return answer->wait(cancel, cancelled);
  }

  Handler& handler_;
};

}  // namespace

Response Client::send(Request request) {
  std::string body;
  Response response = stream(std::move(request), [&](std::string_view data) {
    body += data;
    return true;
  });
  if (response.status < 400) response.body = std::move(body);
  return response;
}

std::unique_ptr<Client> make_local_client(Handler& handler) {
  return std::make_unique<LocalClient>(handler);
}

}  // namespace headrace::http
