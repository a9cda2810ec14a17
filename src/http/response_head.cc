#include "http/response_head.h"

namespace headrace::http {
namespace {

struct Reason {
  int status;
  std::string_view phrase;
};

constexpr Reason kReasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

bool is_about_framing(std::string_view name) {
  return equal_ignoring_case(name, "Content-Length") ||
         equal_ignoring_case(name, "Transfer-Encoding") || equal_ignoring_case(name, "Connection");
}

void append_field(std::string& head, std::string_view name, std::string_view value) {
  const size_t start = head.size();
  head += name;
  head += ": ";
  head += value;
  for (size_t i = start; i < head.size(); ++i) {
    if (head[i] == '\r' || head[i] == '\n' || head[i] == '\0') head[i] = ' ';
  }
  head += "\r\n";
}

}  // namespace

std::string_view reason_phrase(int status) {
  for (const Reason& reason : kReasons) {
    if (reason.status == status) return reason.phrase;
  }
  return "Unknown";
}

bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string response_head(const Response& response, BodyFraming body, bool keep_alive) {
  std::string head = format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  append_field(head, "Server", "headrace");
  for (const auto& [name, value] : response.headers) {
    if (!is_about_framing(name)) append_field(head, name, value);
  }
  if (may_have_body(response.status)) {
    if (body.framing == Framing::kChunked) append_field(head, "Transfer-Encoding", "chunked");
    if (body.framing == Framing::kLength) {
      append_field(head, "Content-Length", format("{}", body.length));
    }
  }
  append_field(head, "Connection", keep_alive ? "keep-alive" : "close");
  head += "\r\n";
  return head;
}

}  // namespace headrace::http
