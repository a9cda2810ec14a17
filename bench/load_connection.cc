#include "load_connection.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace headrace::bench {
namespace {

// The value of a header, found without regard to case; empty when it is missing.
std::string header_of(std::string_view head, std::string_view name) {
  std::string lower(head);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const size_t at = lower.find("\r\n" + std::string(name) + ":");
  if (at == std::string::npos) return {};
  const size_t begin = lower.find_first_not_of(' ', at + name.size() + 3);
  return lower.substr(begin, lower.find("\r\n", begin) - begin);
}

}  // namespace

void end_with(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

std::string post_head(std::string_view path, std::string_view content_type, size_t length,
                      std::string_view extra) {
  std::string head = "POST ";
  head.append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ").append(content_type);
  head.append("\r\nContent-Length: ").append(std::to_string(length)).append("\r\n");
  return head.append(extra).append("\r\n");
}

LoadConnection::LoadConnection(int port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    end_with("connecting to port " + std::to_string(port) + ": " + std::strerror(errno));
  }
  const int yes = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

LoadConnection::~LoadConnection() { ::close(socket_); }

int LoadConnection::exchange(std::string_view head, std::string_view body) {
  std::array<iovec, 2> parts{iovec{const_cast<char*>(head.data()), head.size()},
                             iovec{const_cast<char*>(body.data()), body.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  size_t left = head.size() + body.size();
  while (left > 0) {
    const ssize_t sent = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
    if (sent < 0) end_with(std::string("sending a request: ") + std::strerror(errno));
    left -= static_cast<size_t>(sent);
    for (size_t skip = static_cast<size_t>(sent); skip > 0;) {
      iovec& part = *message.msg_iov;
      const size_t step = std::min(skip, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + step;
      part.iov_len -= step;
      skip -= step;
      if (part.iov_len == 0 && message.msg_iovlen > 1) {
        ++message.msg_iov;
        --message.msg_iovlen;
      }
    }
  }

  size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) read_more();
  const std::string answer_head = received_.substr(0, end + 2);
  received_.erase(0, end + 4);
  read_body(answer_head);
  return std::atoi(answer_head.c_str() + answer_head.find(' '));
}

void LoadConnection::read_more() {
  std::array<char, 16384> buffer;
  const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (count <= 0) end_with("the server closed the connection");
  received_.append(buffer.data(), static_cast<size_t>(count));
}

void LoadConnection::read_body(std::string_view head) {
  answer_.clear();
  if (header_of(head, "transfer-encoding") == "chunked") {
    read_chunks();
    return;
  }
  const size_t length = std::strtoull(header_of(head, "content-length").c_str(), nullptr, 10);
  while (received_.size() < length) read_more();
  answer_ = received_.substr(0, length);
  received_.erase(0, length);
}

void LoadConnection::read_chunks() {
  size_t length = 1;
  while (length > 0) {
    size_t line_end = 0;
    while ((line_end = received_.find("\r\n")) == std::string::npos) read_more();
    length = std::strtoull(received_.c_str(), nullptr, 16);
    while (received_.size() < line_end + length + 4) read_more();
    answer_.append(received_, line_end + 2, length);
    received_.erase(0, line_end + length + 4);
  }
}

}  // namespace headrace::bench
