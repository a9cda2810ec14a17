#include "http/connections.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "http/tests/server_fixture.h"

namespace headrace::http {
namespace {

class ConnectionsTest : public ServerTest {
 protected:
  ConnectionsTest() {
    // The first request hangs until it is let go; those after it are answered at once.
    router_.add("GET", "/slow-once", [this](Request, Responder respond) {
      if (requests_++ == 0) {
        std::lock_guard lock(held_mutex_);
        held_ = std::make_unique<Responder>(std::move(respond));
        return;
      }
      respond(text_response(200, "second"));
    });
    router_.add("GET", "/torn", [](Request, Responder respond) {
      Response response;
      response.stream = [pieces = 0](std::string& chunk) mutable -> bool {
        if (pieces++ > 0) throw std::runtime_error("broken off");
        chunk = "half of it";
        return true;
      };
      respond(std::move(response));
    });
  }
  std::string url(const std::string& path) const { return server_->url() + path; }

  std::atomic<int> requests_ = 0;
  std::unique_ptr<Connections> connections_ = make_connections();
};

TEST_F(ConnectionsTest, ManyThreadsAskAtOnce) {
  start();
  std::vector<std::jthread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string body = format("{} {}", t, i);
        const Response response =
            connections_->perform({.method = "POST", .url = url("/echo"), .body = body});
        if (response.status == 200 && response.body == body) ++right;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, 160);
}

TEST_F(ConnectionsTest, ASlowReadIsSentAgain) {
  start();
  const Connections::Hedged result =
      connections_->perform_hedged({.url = url("/slow-once")}, std::chrono::milliseconds(20));
  EXPECT_TRUE(result.was_hedged);
  EXPECT_EQ(result.response.body, "second");
  EXPECT_EQ(requests_, 2);
  release_held("too late");
  EXPECT_EQ(connections_->perform({.url = url("/healthz")}).body, "ok");
}

TEST_F(ConnectionsTest, TellsFaults) {
  start();
  const auto kind = [&](const Call& call, std::stop_token cancel = {}) {
    try {
      connections_->perform(call, std::move(cancel));
    } catch (const Error& error) {
      EXPECT_NE(error.message().find("127.0.0.1"), std::string::npos) << error.message();
      return error.kind();
    }
    return ErrorKind::kInternal;
  };
  EXPECT_EQ(kind({.url = url("/torn")}), ErrorKind::kUnavailable);
  EXPECT_EQ(kind({.url = "http://127.0.0.1:1/"}), ErrorKind::kUnavailable);
  EXPECT_EQ(kind({.url = url("/healthz"), .max_answer_bytes = 1}), ErrorKind::kUnavailable);
  EXPECT_EQ(kind({.url = url("/hold"), .timeout = std::chrono::milliseconds(50)}),
            ErrorKind::kTimeout);
  EXPECT_EQ(kind({.url = "ftp://127.0.0.1/"}), ErrorKind::kInvalid);
  EXPECT_EQ(connections_->perform({.url = url("/nothing")}).status, 404);
}

TEST_F(ConnectionsTest, ARequestCanBeCancelled) {
  start();
  std::stop_source stop;
  std::jthread canceller([&] {
    held_arrived_.get_future().wait();
    stop.request_stop();
  });
  try {
    connections_->perform({.url = url("/hold")}, stop.get_token());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  canceller.join();
  release_held("nobody listens");
}

}  // namespace
}  // namespace headrace::http
