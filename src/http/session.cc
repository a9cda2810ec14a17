#include "http/session.h"

#include <utility>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

namespace headrace::http {
namespace {

constexpr std::chrono::milliseconds kLinger{2'000};
constexpr size_t kDrainBytes = 64 * 1024 * 1024;

}  // namespace

Session::Session(std::shared_ptr<ServerCore> core, boost::asio::ip::tcp::socket socket)
    : core_(std::move(core)),
      stream_(std::move(socket)),
      buffer_(std::max<size_t>(core_->options.max_header_bytes, 64 * 1024)) {
  core_->metrics.connections.add(1);
  ErrorCode ignored;
  stream_.socket().set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  // Without it the peek of on_readable would wait for data, and with it the strand.
  stream_.socket().non_blocking(true, ignored);
  const auto endpoint = stream_.socket().remote_endpoint(ignored);
  if (!ignored) peer_ = format("{}:{}", endpoint.address().to_string(), endpoint.port());
}

Session::~Session() { release_memory(); }

void Session::start() {
  boost::asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
    self->await_request(self->core_->options.header_timeout);
  });
}

void Session::refuse() {
  boost::asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
    self->busy_ = true;
    Response response = error_response(503, "unavailable",
                                       "the server has as many connections as it allows: try again "
                                       "in a moment");
    response.headers.set("Retry-After", "1");
    self->reply(std::move(response));
  });
}

void Session::wind_down() {
  boost::asio::post(stream_.get_executor(), [self = shared_from_this()] {
    self->keep_alive_ = false;
    if (!self->busy_) self->close();
  });
}

void Session::break_off() {
  boost::asio::post(stream_.get_executor(), [self = shared_from_this()] { self->close(); });
}

// While a request is handled nothing is read; a readable socket then means that the client closed
// its side, or sent the next request early, which waits.
void Session::watch_client() {
  if (buffer_.size() > 0) return;
  ++watch_;
  stream_.socket().async_wait(boost::asio::ip::tcp::socket::wait_read,
                              [self = shared_from_this(), watch = watch_](ErrorCode error) {
                                if (watch == self->watch_) self->on_readable(error);
                              });
}

void Session::on_readable(ErrorCode error) {
  ++watch_;
  if (error || closed_) return;
  char byte = 0;
  ErrorCode problem;
  stream_.socket().receive(boost::asio::buffer(&byte, 1),
                           boost::asio::ip::tcp::socket::message_peek, problem);
  if (!problem) return;
  // Told of bytes that were read since: go on watching.
  if (problem == boost::asio::error::would_block) return watch_client();
  cancelled_.request_stop();
  if (streaming_) close();
}

void Session::unwatch_client() {
  if (watch_ % 2 == 0) return;
  ++watch_;
  ErrorCode ignored;
  stream_.socket().cancel(ignored);
}

// A connection closed with unread bytes is reset, and the reset may overtake the answer: so end our
// side, and take in for a while what the client still sends.
void Session::linger() {
  ErrorCode ignored;
  stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  stream_.expires_after(kLinger);
  drain();
}

void Session::drain() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(16 * 1024),
                          [self = shared_from_this()](ErrorCode error, size_t size) {
                            self->drained_bytes_ += size;
                            if (error || self->drained_bytes_ > kDrainBytes) {
                              self->close();
                            } else {
                              self->drain();
                            }
                          });
}

void Session::close() {
  if (std::exchange(closed_, true)) return;
  cancelled_.request_stop();
  cancel_stream();
  release_memory();
  core_->metrics.connections.add(-1);
  if (std::exchange(handling_, false)) core_->metrics.in_flight.add(-1);
  ErrorCode ignored;
  stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_both, ignored);
  stream_.close();
  core_->sessions.remove(shared_from_this());
}

}  // namespace headrace::http
