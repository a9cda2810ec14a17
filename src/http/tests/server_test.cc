#include "http/server.h"

#include <thread>

#include "codec/compression.h"
#include "http/tests/server_fixture.h"

namespace headrace::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kClose = "Host: localhost\r\nConnection: close\r\n\r\n";

std::string get(std::string_view target) { return format("GET {} HTTP/1.1\r\n{}", target, kClose); }

TEST_F(ServerTest, AnswersAndCloses) {
  start();
  EXPECT_THAT(exchange(get("/name/a%20b")),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Length: 3\r\n"),
                    HasSubstr("Connection: close\r\n"), ::testing::EndsWith("\r\n\r\na b")));
}

TEST_F(ServerTest, KeepsAliveAndAnswersPipelinedRequestsInOrder) {
  start();
  const std::string answers =
      exchange("GET /name/first HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/name/second"));
  EXPECT_LT(answers.find("first"), answers.find("second"));
  EXPECT_THAT(answers, HasSubstr("second"));
}

TEST_F(ServerTest, TellsWhatIsWrongWithARequest) {
  options_.max_header_bytes = 2048;
  options_.max_body_bytes = 100;
  start();
  const std::string post = "POST /echo HTTP/1.1\r\nHost: localhost\r\n";
  EXPECT_THAT(exchange("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\n\r\n"), HasSubstr("no Host"));
  EXPECT_THAT(exchange(get("/%zz")), HasSubstr("two hex digits"));
  EXPECT_THAT(exchange(get("/../etc/passwd")), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(exchange(get("/nothing/here")), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(exchange(get("/echo")),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: POST, OPTIONS\r\n")));
  EXPECT_THAT(exchange("OPTIONS /echo HTTP/1.1\r\n" + std::string(kClose)),
              AllOf(StartsWith("HTTP/1.1 204"), HasSubstr("Allow: POST, OPTIONS\r\n")));
  EXPECT_THAT(exchange("GET /" + std::string(5000, 'a') + " HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(exchange(post + "Content-Length: 101\r\n\r\n" + std::string(101, 'x')),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(exchange(post + "Transfer-Encoding: chunked\r\n\r\nff\r\n" + std::string(255, 'x')),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(exchange(post + "Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx"),
              StartsWith("HTTP/1.1 415"));
  EXPECT_THAT(exchange(get("/throw")), AllOf(StartsWith("HTTP/1.1 409"), HasSubstr("as it must")));
  EXPECT_THAT(exchange(get("/forget")), StartsWith("HTTP/1.1 500"));
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  start();
  const std::string answer = exchange("HEAD /name/abc HTTP/1.1\r\n" + std::string(kClose));
  EXPECT_THAT(answer, AllOf(HasSubstr("Content-Length: 3\r\n"), ::testing::EndsWith("\r\n\r\n")));
}

TEST_F(ServerTest, TakesChunkedBodiesAndSaysContinue) {
  start();
  EXPECT_THAT(exchange("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" +
                       std::string(kClose) + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
              ::testing::EndsWith("\r\n\r\nabcde"));
  RawConnection connection(server_->port());
  connection.send("POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n" +
                  std::string(kClose));
  EXPECT_EQ(connection.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.send("ok");
  EXPECT_THAT(connection.read_to_end(), ::testing::EndsWith("ok"));
}

TEST_F(ServerTest, DecodesBodies) {
  options_.max_decoded_body_bytes = 1000;
  start();
  const auto http = client();
  const auto post = [&](std::string body, std::string_view encoding) {
    Request request = make_request("POST", "/echo", std::move(body), "text/plain");
    request.headers.set("Content-Encoding", encoding);
    return http->send(std::move(request));
  };
  using codec::Codec;
  EXPECT_EQ(post(codec::compress(Codec::kGzip, "hello"), "gzip").body, "hello");
  EXPECT_EQ(post(codec::compress(Codec::kZstd, "hello"), "zstd").body, "hello");
  EXPECT_EQ(post("hello", "identity").body, "hello");
  EXPECT_EQ(post("not gzip", "gzip").status, 400);
  EXPECT_EQ(post(codec::compress(Codec::kGzip, std::string(1001, 'x')), "gzip").status, 413);
}

TEST_F(ServerTest, ClosesSlowClients) {
  options_.header_timeout = std::chrono::milliseconds(50);
  options_.body_timeout = std::chrono::milliseconds(50);
  options_.idle_timeout = std::chrono::milliseconds(50);
  start();
  EXPECT_EQ(exchange(""), "");
  EXPECT_EQ(exchange("GET / HT"), "");
  EXPECT_EQ(exchange("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab"), "");
  EXPECT_THAT(exchange("GET /name/x HTTP/1.1\r\nHost: localhost\r\n\r\n"),
              ::testing::EndsWith("x"));
}

TEST_F(ServerTest, AsksForTheToken) {
  options_.token = "secret";
  start();
  EXPECT_EQ(client()->send(make_request("GET", "/name/x")).status, 401);
  EXPECT_EQ(client("Secret")->send(make_request("GET", "/name/x")).status, 401);
  EXPECT_EQ(client("secret")->send(make_request("GET", "/name/x")).status, 200);
  EXPECT_EQ(client()->send(make_request("GET", "/healthz")).status, 200);
}

TEST_F(ServerTest, RefusesForeignPagesWithoutAToken) {
  start();
  EXPECT_THAT(
      exchange("GET /name/x HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n"),
      StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(
      exchange("GET /name/x HTTP/1.1\r\nOrigin: https://evil.example\r\n" + std::string(kClose)),
      StartsWith("HTTP/1.1 403"));
}

TEST_F(ServerTest, ListensOutsideLoopbackOnlyWithAToken) {
  options_.address = "0.0.0.0";
  EXPECT_THROW(Server(options_, router_, pool_, *metrics_), Error);
  options_.address = "localhos";
  EXPECT_THROW(Server(options_, router_, pool_, *metrics_), Error);
}

TEST_F(ServerTest, APortInUseIsAnError) {
  start();
  options_.port = server_->port();
  try {
    Server second(options_, router_, pool_, *metrics_);
    FAIL() << "bound twice";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  }
}

TEST_F(ServerTest, RefusesConnectionsOverTheLimit) {
  options_.max_connections = 1;
  start();
  RawConnection first(server_->port());
  first.send("GET /name/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  first.read_until("x");
  EXPECT_THAT(exchange(get("/name/y")),
              AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After: 1\r\n")));
}

TEST_F(ServerTest, RefusesBodiesBeyondTheMemoryForAll) {
  options_.max_buffered_bytes = 10;
  start();
  const auto http = client();
  EXPECT_EQ(http->send(make_request("POST", "/echo", "0123456789", "text/plain")).status, 200);
  EXPECT_EQ(http->send(make_request("POST", "/echo", "0123456789a", "text/plain")).status, 503);
  EXPECT_EQ(http->send(make_request("POST", "/echo", "0123456789", "text/plain")).status, 200);
}

TEST_F(ServerTest, FinishesWhatIsInFlightBeforeItStops) {
  start();
  std::string answer;
  std::jthread caller([&] { answer = exchange(get("/hold")); });
  held_arrived_.get_future().wait();
  std::jthread stopper([&] { server_->stop(); });
  release_held("finished");
  stopper.join();
  caller.join();
  EXPECT_THAT(answer, ::testing::EndsWith("finished"));
  EXPECT_FALSE(RawConnection(server_->port()).connected());
}

TEST_F(ServerTest, BreaksOffWhatDoesNotFinish) {
  start();
  std::string answer = "none";
  std::jthread caller([&] { answer = exchange(get("/hold")); });
  held_arrived_.get_future().wait();
  server_->stop(std::chrono::milliseconds(10));
  caller.join();
  EXPECT_EQ(answer, "");
  server_.reset();
  release_held("too late");
}

TEST_F(ServerTest, TellsTheHandlerThatTheClientWentAway) {
  start();
  RawConnection connection(server_->port());
  connection.send(get("/hold"));
  held_arrived_.get_future().wait();
  std::promise<void> cancelled;
  std::stop_token token;
  {
    std::lock_guard lock(held_mutex_);
    token = held_request_.cancelled;
  }
  std::stop_callback on_stop(token, [&] { cancelled.set_value(); });
  connection.close();
  cancelled.get_future().wait();
  release_held("nobody listens");
}

TEST_F(ServerTest, CountsRequests) {
  start();
  exchange(get("/name/x"));
  exchange(get("/no/such"));
  server_->stop();
  const std::string text = metrics_->expose();
  EXPECT_THAT(text, HasSubstr("headrace_http_requests_total{method=\"GET\",route=\"/name/{name}\","
                              "status=\"200\"} 1"));
  EXPECT_THAT(text, HasSubstr("route=\"none\",status=\"404\"} 1"));
  EXPECT_THAT(text, HasSubstr("headrace_http_requests_in_flight 0"));
  EXPECT_THAT(text, HasSubstr("headrace_http_connections 0"));
}

}  // namespace
}  // namespace headrace::http
