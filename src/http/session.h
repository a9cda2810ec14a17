#pragma once

// One connection: reads a request, has it handled, writes the answer, and again. Private to the
// module.
//
// All members are used on the session's strand alone; what comes from elsewhere (the answer, a
// pulled chunk, a stop) is posted there. The registry of ServerCore keeps a session alive until
// close(); whoever else refers to it does so weakly, so that an answer that comes late finds
// nothing.

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "codec/compression.h"
#include "http/server_core.h"

namespace headrace::http {

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<ServerCore> core, boost::asio::ip::tcp::socket socket);
  ~Session();

  // From any thread.
  void start();
  void refuse();     // over the limit of connections: 503 and close
  void wind_down();  // close when idle, else after the answer
  void break_off();  // close now

 private:
  using ErrorCode = boost::system::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  // Reading (session_read.cc).
  void await_request(std::chrono::milliseconds patience);
  void read_head();
  void on_head(ErrorCode error);
  void on_bad_request(ErrorCode error);
  void read_body();
  void on_body_part(ErrorCode error);
  bool reserve_memory(uint64_t bytes);
  void release_memory();
  void dispatch_request();
  Request take_request();

  // The client's presence while its request is handled (session.cc).
  void watch_client();
  void on_readable(ErrorCode error);
  void unwatch_client();

  // Writing (session_write.cc).
  Responder make_responder();
  void on_answer(Response response, std::string route);
  void reply(Response response);  // to a request not read to its end: the connection ends, too
  void write_whole();
  void pull_chunk();
  void on_chunk(bool more, std::string chunk, const std::exception_ptr& error);
  void on_stream_error(const std::exception_ptr& error);
  void write_chunk(bool more);
  void finish_answer();
  void cancel_stream();

  void linger();  // let the client read the answer before the connection goes
  void drain();
  void close();

  const std::shared_ptr<ServerCore> core_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::string peer_;
  bool closed_ = false;

  // Of the request at hand.
  bool busy_ = false;  // from its first byte to the end of the answer
  codec::Codec codec_ = codec::Codec::kNone;
  uint64_t reserved_bytes_ = 0;
  std::string method_;
  std::string target_;
  std::string route_;
  bool is_http_1_0_ = false;
  bool is_head_ = false;
  bool keep_alive_ = false;
  bool unread_ = false;    // part of it is still to come
  bool handling_ = false;  // counted as in flight
  std::stop_source cancelled_;
  uint64_t watch_ = 0;  // odd: a watch is on; changes with each
  std::chrono::steady_clock::time_point received_;

  // Of the answer at hand. A puller on the pool shares it: it may outlive the session.
  std::shared_ptr<Response> response_;
  bool streaming_ = false;
  bool head_written_ = false;
  std::string head_;
  std::string chunk_;
  uint64_t sent_bytes_ = 0;
  size_t drained_bytes_ = 0;
};

}  // namespace headrace::http
