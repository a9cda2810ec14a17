// Answers that are made piece by piece, over a socket and in process.

#include <atomic>
#include <thread>

#include "http/tests/server_fixture.h"

namespace headrace::http {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class StreamTest : public ServerTest {
 protected:
  StreamTest() {
    router_.add("GET", "/count/{to}", [](Request request, Responder respond) {
      respond(counting(std::stoi(request.path_parameter("to"))));
    });
    router_.add("GET", "/break/{after}", [](Request request, Responder respond) {
      respond(breaking(std::stoi(request.path_parameter("after"))));
    });
    router_.add("GET", "/endless", [this](Request, Responder respond) { respond(endless()); });
  }

  static Response counting(int to) {
    Response response = text_response(200, "");
    response.stream = [i = 0, to](std::string& chunk) mutable {
      if (i == to) return false;
      chunk = format("{} ", ++i);
      return true;
    };
    return response;
  }
  static Response breaking(int after) {
    Response response = text_response(200, "");
    response.stream = [i = 0, after](std::string& chunk) mutable {
      if (i++ == after) fail(ErrorKind::kTimeout, "took too long");
      chunk = "part ";
      return true;
    };
    return response;
  }
  Response endless() {
    Response response = text_response(200, "");
    response.stream = [](std::string& chunk) {
      chunk.assign(100'000, 'x');
      return true;
    };
    response.on_cancel = [this] {
      if (!cancelled_.exchange(true)) cancel_seen_.set_value();
    };
    return response;
  }

  std::atomic<bool> cancelled_ = false;
  std::promise<void> cancel_seen_;
};

TEST_F(StreamTest, GoesOutInChunks) {
  start();
  EXPECT_THAT(exchange("GET /count/2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
              AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"),
                    EndsWith("\r\n\r\n2\r\n1 \r\n2\r\n2 \r\n0\r\n\r\n")));
}

TEST_F(StreamTest, GoesToOldClientsUntilTheEnd) {
  start();
  EXPECT_THAT(exchange("GET /count/2 HTTP/1.0\r\n\r\n"),
              AllOf(::testing::Not(HasSubstr("chunked")), EndsWith("\r\n\r\n1 2 ")));
}

TEST_F(StreamTest, KeepsTheConnection) {
  start();
  const auto http = client();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(http->send(make_request("GET", "/count/3")).body, "1 2 3 ");
  }
}

TEST_F(StreamTest, AnErrorBeforeTheFirstPieceIsTheAnswer) {
  start();
  EXPECT_EQ(client()->send(make_request("GET", "/break/0")).status, 504);
}

TEST_F(StreamTest, AnErrorLaterBreaksTheConnectionOff) {
  start();
  try {
    client()->send(make_request("GET", "/break/2"));
    FAIL() << "a part was taken for the whole";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  }
}

TEST_F(StreamTest, IsCancelledWhenTheClientCloses) {
  start();
  RawConnection connection(server_->port());
  connection.send("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n");
  connection.read_until("xxxx");
  connection.close();
  cancel_seen_.get_future().wait();
}

TEST_F(StreamTest, IsCancelledByTheClientsCallback) {
  start();
  const auto http = client();
  EXPECT_THROW(
      http->stream(make_request("GET", "/endless"), [](std::string_view) { return false; }), Error);
  cancel_seen_.get_future().wait();
}

TEST_F(StreamTest, IsBrokenOffByAStop) {
  start();
  RawConnection connection(server_->port());
  connection.send("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n");
  connection.read_until("xxxx");
  server_->stop(std::chrono::milliseconds(10));
  cancel_seen_.get_future().wait();
}

TEST_F(StreamTest, WorksInProcess) {
  const auto local = make_local_client(router_);
  EXPECT_EQ(local->send(make_request("GET", "/count/3")).body, "1 2 3 ");
  EXPECT_EQ(local->send(make_request("GET", "/name/x")).body, "x");
  EXPECT_EQ(local->send(make_request("GET", "/throw")).status, 409);
  EXPECT_EQ(local->send(make_request("GET", "/forget")).status, 500);
  EXPECT_THROW(
      local->stream(make_request("GET", "/endless"), [](std::string_view) { return false; }),
      Error);
  EXPECT_TRUE(cancelled_);
}

TEST_F(StreamTest, InProcessEndsWhenCancelled) {
  const auto local = make_local_client(router_);
  std::stop_source cancel;
  EXPECT_THROW(local->stream(
                   make_request("GET", "/hold"), [](std::string_view) { return true; },
                   (cancel.request_stop(), cancel.get_token())),
               Error);
}

TEST(HttpClient, SaysHowToStartTheServer) {
  try {
    make_http_client("http://127.0.0.1:1")->send(make_request("GET", "/"));
    FAIL() << "reached";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr("cannot reach the headrace server at http://127.0.0.1:1: "
                                "connection refused"),
                      HasSubstr("headrace serve")));
  }
}

}  // namespace
}  // namespace headrace::http
