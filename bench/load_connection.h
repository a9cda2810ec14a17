#pragma once

// One kept-alive HTTP/1.1 connection to a server on this machine, made for load: requests are sent
// as bytes that were built before, answers are read only as far as is needed. Blocking; one thread
// each.

#include <cstdint>
#include <string>
#include <string_view>

namespace headrace::bench {

class LoadConnection {
 public:
  // Connects to 127.0.0.1:port, or ends the program with the reason.
  explicit LoadConnection(int port);
  ~LoadConnection();
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  // Sends head and body, waits for the answer and returns its status; its body is kept until the
  // next call. Answers must have a Content-Length or be chunked.
  int exchange(std::string_view head, std::string_view body);
  std::string_view answer() const { return answer_; }

 private:
  void read_more();
  void read_body(std::string_view head);
  void read_chunks();

  int socket_;
  std::string received_;
  std::string answer_;
};

// The head of a POST of `length` bytes; `extra` are whole header lines, each with its CRLF.
std::string post_head(std::string_view path, std::string_view content_type, size_t length,
                      std::string_view extra = {});

// Prints the message and ends the program with exit code 1.
[[noreturn]] void end_with(const std::string& message);

}  // namespace headrace::bench
