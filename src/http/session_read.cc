// How a session takes a request in.

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>

#include "http/access.h"
#include "http/body_encoding.h"
#include "http/session.h"
#include "http/target.h"

namespace headrace::http {
namespace {

namespace beast_http = boost::beast::http;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

Headers copy_headers(const beast_http::fields& fields) {
  Headers headers;
  for (const auto& field : fields) headers.add(view(field.name_string()), view(field.value()));
  return headers;
}

Response too_large(uint64_t limit_bytes) {
  return error_response(
      413, "invalid",
      format("the request's body is larger than {} bytes: send fewer records at a "
             "time, or raise the server's limit",
             limit_bytes));
}

}  // namespace

void Session::await_request(std::chrono::milliseconds patience) {
  busy_ = false;
  if (core_->stopping) return close();
  if (buffer_.size() > 0) return read_head();
  stream_.expires_after(patience);
  stream_.async_read_some(buffer_.prepare(16 * 1024),
                          [self = shared_from_this()](ErrorCode error, size_t size) {
                            if (error || self->closed_) return self->close();
                            self->buffer_.commit(size);
                            self->read_head();
                          });
}

void Session::read_head() {
  busy_ = true;
  parser_.emplace();
  parser_->header_limit(core_->options.max_header_bytes);
  parser_->body_limit(core_->options.max_body_bytes);
  stream_.expires_after(core_->options.header_timeout);
  beast_http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](ErrorCode error, size_t) { self->on_head(error); });
}

void Session::on_bad_request(ErrorCode error) {
  if (error == beast_http::error::body_limit)
    return reply(too_large(core_->options.max_body_bytes));
  if (error == beast_http::error::header_limit || error == beast_http::error::buffer_overflow) {
    return reply(error_response(
        431, "invalid",
        format("the request's head is larger than {} bytes", core_->options.max_header_bytes)));
  }
  const auto& http_mistakes = beast_http::make_error_code(beast_http::error::bad_method).category();
  const bool is_http_mistake = error.category() == http_mistakes;
  const bool is_cut_short =
      error == beast_http::error::end_of_stream || error == beast_http::error::partial_message;
  if (is_http_mistake && !is_cut_short) {
    return reply(
        error_response(400, "invalid", format("the request is not HTTP/1.1: {}", error.message())));
  }
  close();
}

void Session::on_head(ErrorCode error) {
  if (closed_) return;
  if (error) return on_bad_request(error);
  const auto& head = parser_->get();
  method_ = view(head.method_string());
  target_ = view(head.target());
  is_http_1_0_ = head.version() < 11;
  is_head_ = head.method() == beast_http::verb::head;
  keep_alive_ = head.keep_alive() && !core_->stopping;
  if (!is_http_1_0_ && head.find(beast_http::field::host) == head.end()) {
    return reply(error_response(400, "invalid", "the request has no Host field"));
  }
  if (auto refusal = refuse_access(core_->options.token, core_->options.open_paths, target_,
                                   copy_headers(head.base()))) {
    return reply(std::move(*refusal));
  }
  const std::string_view encoding = view(head[beast_http::field::content_encoding]);
  const auto codec = codec_of_encoding(encoding);
  if (!codec.has_value()) {
    return reply(error_response(415, "unsupported",
                                format("Content-Encoding '{}' is not known: use gzip, zstd or "
                                       "identity",
                                       encoding)));
  }
  codec_ = *codec;
  if (!reserve_memory(parser_->content_length().value_or(0))) return;
  stream_.expires_after(core_->options.body_timeout);
  if (!equal_ignoring_case(view(head[beast_http::field::expect]), "100-continue")) {
    return read_body();
  }
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  boost::asio::async_write(stream_, boost::asio::buffer(kContinue),
                           [self = shared_from_this()](ErrorCode problem, size_t) {
                             if (problem) return self->close();
                             self->read_body();
                           });
}

void Session::read_body() {
  if (closed_) return;
  if (parser_->is_done()) return dispatch_request();
  beast_http::async_read_some(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](ErrorCode error, size_t) { self->on_body_part(error); });
}

void Session::on_body_part(ErrorCode error) {
  if (closed_) return;
  if (error) return on_bad_request(error);
  if (reserve_memory(parser_->get().body().size())) read_body();
}

// Counts the body against what all requests may hold together. False when it is too much; the
// request is then refused.
bool Session::reserve_memory(uint64_t bytes) {
  if (bytes <= reserved_bytes_) return true;
  const uint64_t more = bytes - reserved_bytes_;
  const uint64_t before = core_->buffered_bytes.fetch_add(more);
  reserved_bytes_ = bytes;
  if (before + more <= core_->options.max_buffered_bytes) return true;
  Response response = error_response(
      503, "unavailable", "the server holds as many unfinished requests as it allows: try again");
  response.headers.set("Retry-After", "1");
  reply(std::move(response));
  return false;
}

void Session::release_memory() {
  core_->buffered_bytes.fetch_sub(std::exchange(reserved_bytes_, 0));
}

void Session::dispatch_request() {
  received_ = std::chrono::steady_clock::now();
  handling_ = true;
  core_->metrics.in_flight.add(1);
  core_->metrics.bytes_received.add(static_cast<double>(parser_->get().body().size()));
  stream_.expires_never();
  cancelled_ = std::stop_source();
  Responder respond = make_responder();
  try {
    Request request = take_request();
    if (!decode_body(codec_, request.body, core_->options.max_decoded_body_bytes)) {
      return respond(too_large(core_->options.max_decoded_body_bytes));
    }
    watch_client();
    core_->handler.handle(std::move(request), respond);
  } catch (...) {
    respond.fail(std::current_exception());
  }
}

Request Session::take_request() {
  Request request = make_request(method_, target_);
  request.headers = copy_headers(parser_->get().base());
  request.body = std::move(parser_->get().body());
  request.peer = peer_;
  request.keep_alive = keep_alive_;
  request.cancelled = cancelled_.get_token();
  parser_.reset();
  return request;
}

}  // namespace headrace::http
