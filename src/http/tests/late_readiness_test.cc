// The engine of sockets may tell late that bytes have come, when they were read already: one
// network thread has taken the news from the kernel while another read on. A session that then
// waited for bytes would hold its strand until the client sends more, and the client waits for its
// answer. So requests come here in pieces, as fast as they are read, while two threads serve them.

#include <array>
#include <thread>

#include "http/tests/server_fixture.h"

namespace headrace::http {
namespace {

constexpr int kClients = 3;
constexpr int kRequests = 1500;
constexpr int kPieces = 6;

TEST_F(ServerTest, AnswersRequestsThatComeInPieces) {
  options_.network_threads = 2;
  // Answered from another thread: the session's strand is free to hear of the socket meanwhile.
  router_.add("POST", "/later", on_workers(pool_, [](const Request& request) {
                std::this_thread::yield();
                return text_response(200, format("{} bytes.", request.body.size()));
              }));
  start();
  std::array<int, kClients> answered{};
  {
    std::vector<std::jthread> clients;
    for (int& mine : answered) {
      clients.emplace_back([this, &mine] {
        RawConnection connection(server_->port());
        while (mine < kRequests) {
          connection.send("POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n");
          for (int piece = 0; piece < kPieces; ++piece) connection.send("x");
          if (connection.read_until("6 bytes.").empty()) return;  // in vain, for all its patience
          ++mine;
        }
      });
    }
  }
  EXPECT_THAT(answered, ::testing::Each(kRequests));
}

}  // namespace
}  // namespace headrace::http
