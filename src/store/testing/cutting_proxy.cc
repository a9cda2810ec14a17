#include "store/testing/cutting_proxy.h"

#include <array>
#include <cerrno>
#include <list>
#include <memory>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

namespace headrace::store {
namespace {

int loopback_socket(uint16_t port, bool listens) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail_errno(errno, "making", "a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  const int result = listens ? ::bind(descriptor, where, sizeof address)
                             : ::connect(descriptor, where, sizeof address);
  if (result != 0 || (listens && ::listen(descriptor, 16) != 0)) {
    const int error_number = errno;
    ::close(descriptor);
    fail_errno(error_number, listens ? "listening on" : "connecting to", "loopback");
  }
  return descriptor;
}

uint16_t port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

struct CuttingProxy::Way {
  Way(int given_client, int given_server) : client(given_client), server(given_server) {}
  ~Way() {
    ::close(client);
    ::close(server);
  }
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;
  const int client;
  const int server;
  bool cuts_at_answer = false;
};

struct CuttingProxy::Ways {
  std::list<Way> all;
};

CuttingProxy::CuttingProxy(const std::string& server_url) : ways_(std::make_unique<Ways>()) {
  const size_t colon = server_url.rfind(':');
  const size_t slash = server_url.find('/', colon);
  server_port_ = static_cast<uint16_t>(std::stoi(server_url.substr(colon + 1, slash - colon - 1)));
  listener_ = loopback_socket(0, true);
  url_ = server_url.substr(0, colon + 1) + std::to_string(port_of(listener_)) +
         server_url.substr(slash);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

CuttingProxy::~CuttingProxy() {
  thread_ = {};
  ::close(listener_);
}

void CuttingProxy::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<pollfd> polled = {{listener_, POLLIN, 0}};
    for (const Way& way : ways_->all) {
      polled.push_back({way.client, POLLIN, 0});
      polled.push_back({way.server, POLLIN, 0});
    }
    if (::poll(polled.data(), polled.size(), 20) <= 0) continue;
    size_t index = 1;
    for (auto way = ways_->all.begin(); way != ways_->all.end(); index += 2) {
      const bool goes_on = (polled[index].revents == 0 || carry(*way, true)) &&
                           (polled[index + 1].revents == 0 || carry(*way, false));
      way = goes_on ? std::next(way) : ways_->all.erase(way);
    }
    if (polled[0].revents != 0) accept_one();
  }
}

void CuttingProxy::accept_one() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  if (is_closed_) {
    ::close(client);
    return;
  }
  ways_->all.emplace_back(client, loopback_socket(server_port_, false));
}

// False when the way is to be closed.
bool CuttingProxy::carry(Way& way, bool from_client) {
  std::array<char, 65536> buffer{};
  const int from = from_client ? way.client : way.server;
  const int to = from_client ? way.server : way.client;
  const ssize_t size = ::recv(from, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  const std::string_view bytes(buffer.data(), static_cast<size_t>(size));
  const bool is_commit = from_client && bytes.find(std::string_view("COMMIT\0", 7)) != bytes.npos;
  const Cut wanted = is_commit ? cut_.exchange(Cut::kNever) : Cut::kNever;
  const bool cuts_now = wanted == Cut::kBeforeCommit || (!from_client && way.cuts_at_answer);
  if (wanted == Cut::kAfterCommit) way.cuts_at_answer = true;
  if (cuts_now) {
    is_closed_ = stays_closed_.load();
    ++cuts_;
    return false;
  }
  return ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL) == size;
}

}  // namespace headrace::store
