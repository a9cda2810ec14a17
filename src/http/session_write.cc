// How a session gives an answer out.

#include <array>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "http/response_head.h"
#include "http/session.h"
#include "telemetry/log.h"

namespace headrace::http {

Responder Session::make_responder() {
  return Responder([weak = weak_from_this()](Response response, std::string_view route) {
    const auto self = weak.lock();
    if (self == nullptr) {
      if (response.on_cancel) response.on_cancel();
      return;
    }
    boost::asio::post(self->stream_.get_executor(),
                      [weak, answer = std::move(response), route = std::string(route)]() mutable {
                        if (const auto session = weak.lock()) {
                          session->on_answer(std::move(answer), std::move(route));
                        } else if (answer.on_cancel) {
                          answer.on_cancel();
                        }
                      });
  });
}

void Session::reply(Response response) {
  keep_alive_ = false;
  unread_ = true;
  received_ = std::chrono::steady_clock::now();
  on_answer(std::move(response), {});
}

void Session::on_answer(Response response, std::string route) {
  if (closed_) {
    if (response.on_cancel) response.on_cancel();
    return;
  }
  release_memory();
  route_ = std::move(route);
  response_ = std::make_shared<Response>(std::move(response));
  if (response_->stream && !is_head_) {
    streaming_ = true;
    return pull_chunk();
  }
  cancel_stream();  // HEAD: nobody will pull
  unwatch_client();
  write_whole();
}

void Session::write_whole() {
  streaming_ = false;
  const bool has_body = !is_head_ && may_have_body(response_->status);
  head_ = response_head(*response_, {Framing::kLength, response_->body.size()}, keep_alive_);
  const std::array buffers = {
      boost::asio::buffer(head_),
      boost::asio::buffer(response_->body.data(), has_body ? response_->body.size() : 0)};
  stream_.expires_after(core_->options.write_timeout);
  boost::asio::async_write(stream_, buffers,
                           [self = shared_from_this()](ErrorCode error, size_t size) {
                             self->sent_bytes_ += size;
                             if (error || self->closed_) return self->close();
                             self->finish_answer();
                           });
}

// The next piece is made on the pool while nothing is written: one piece is in memory at a time.
void Session::pull_chunk() {
  stream_.expires_never();
  const bool admitted = core_->pool.submit_step([weak = weak_from_this(), response = response_] {
    std::string chunk;
    std::exception_ptr error;
    bool more = false;
    try {
      more = response->stream(chunk);
    } catch (...) {
      error = std::current_exception();
    }
    const auto self = weak.lock();
    if (self == nullptr) return;
    boost::asio::post(self->stream_.get_executor(),
                      [weak, more, error, piece = std::move(chunk)]() mutable {
                        const auto session = weak.lock();
                        if (session != nullptr) session->on_chunk(more, std::move(piece), error);
                      });
  });
  if (!admitted) close();
}

void Session::on_chunk(bool more, std::string chunk, const std::exception_ptr& error) {
  if (closed_) return;
  if (error || !more) response_->on_cancel = nullptr;
  if (error) return on_stream_error(error);
  chunk_ = std::move(chunk);
  if (more && chunk_.empty()) return pull_chunk();
  if (!more && !head_written_) {
    unwatch_client();
    response_->body = std::move(chunk_);
    return write_whole();
  }
  write_chunk(more);
}

void Session::on_stream_error(const std::exception_ptr& error) {
  Response answer = error_response(error);
  if (!head_written_) {
    unwatch_client();
    *response_ = std::move(answer);
    return write_whole();
  }
  telemetry::log_warning("http", "an answer broke off",
                         {{"target", target_}, {"error", answer.body}});
  close();
}

void Session::write_chunk(bool more) {
  head_.clear();
  if (!head_written_) {
    if (is_http_1_0_) keep_alive_ = false;
    const Framing framing = is_http_1_0_ ? Framing::kUntilClose : Framing::kChunked;
    head_ = response_head(*response_, {framing, 0}, keep_alive_);
    head_written_ = true;
  }
  std::string_view end;
  if (!is_http_1_0_) {
    if (!chunk_.empty()) head_ += format("{:x}\r\n", chunk_.size());
    if (!chunk_.empty()) end = more ? "\r\n" : "\r\n0\r\n\r\n";
    if (chunk_.empty()) end = "0\r\n\r\n";
  }
  const std::array buffers = {boost::asio::buffer(std::as_const(head_)),
                              boost::asio::buffer(std::as_const(chunk_)),
                              boost::asio::buffer(end.data(), end.size())};
  stream_.expires_after(core_->options.write_timeout);
  boost::asio::async_write(stream_, buffers,
                           [self = shared_from_this(), more](ErrorCode error, size_t size) {
                             self->sent_bytes_ += size;
                             if (error || self->closed_) return self->close();
                             if (more) return self->pull_chunk();
                             self->unwatch_client();
                             self->finish_answer();
                           });
}

void Session::finish_answer() {
  const auto took = std::chrono::steady_clock::now() - received_;
  core_->metrics.answered(route_, method_, response_->status, took);
  if (telemetry::is_log_enabled(telemetry::LogLevel::kDebug)) {
    telemetry::log_debug(
        "http", "request",
        {{"peer", peer_},
         {"method", method_},
         {"target", target_},
         {"status", response_->status},
         {"bytes", sent_bytes_},
         {"micros", std::chrono::duration_cast<std::chrono::microseconds>(took).count()}});
  }
  if (std::exchange(handling_, false)) core_->metrics.in_flight.add(-1);
  response_.reset();
  streaming_ = false;
  head_written_ = false;
  sent_bytes_ = 0;
  if (unread_) return linger();
  if (!keep_alive_ || core_->stopping) return close();
  await_request(core_->options.idle_timeout);
}

void Session::cancel_stream() {
  if (response_ == nullptr) return;
  const auto on_cancel = std::exchange(response_->on_cancel, nullptr);
  if (on_cancel) on_cancel();
}

}  // namespace headrace::http
