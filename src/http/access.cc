#include "http/access.h"

#include <algorithm>
#include <cstdint>

namespace headrace::http {
namespace {

constexpr std::string_view kBearer = "Bearer ";

Response unauthorized(std::string_view message) {
  Response response = error_response(401, "denied", message);
  response.headers.set("WWW-Authenticate", "Bearer realm=\"headrace\"");
  return response;
}

std::optional<Response> refuse_token(std::string_view token, const Headers& headers) {
  const auto authorization = headers.find("Authorization");
  if (!authorization.has_value()) {
    return unauthorized("this server asks for a token: send the header 'Authorization: Bearer …'");
  }
  const std::string_view scheme = authorization->substr(0, kBearer.size());
  if (!equal_ignoring_case(scheme, kBearer) ||
      !constant_time_equal(authorization->substr(kBearer.size()), token)) {
    return unauthorized("the token in the header Authorization is not the right one");
  }
  return std::nullopt;
}

std::optional<Response> refuse_foreign_page(const Headers& headers) {
  const std::string_view host = headers.get_or("Host", "localhost");
  if (!is_loopback_host(host)) {
    return error_response(403, "denied",
                          format("a server without a token answers only to loopback names, not to "
                                 "'{}': set a token, or ask for 127.0.0.1",
                                 host));
  }
  const std::string_view origin = headers.get_or("Origin", "");
  const size_t scheme_end = origin.find("://");
  if (!origin.empty() &&
      (scheme_end == std::string_view::npos || !is_loopback_host(origin.substr(scheme_end + 3)))) {
    return error_response(403, "denied",
                          format("a server without a token does not answer pages of '{}'", origin));
  }
  return std::nullopt;
}

}  // namespace

bool constant_time_equal(std::string_view a, std::string_view b) {
  volatile uint8_t difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto other = b.empty() ? uint8_t{0} : static_cast<uint8_t>(b[i % b.size()]);
    difference = static_cast<uint8_t>(difference | (static_cast<uint8_t>(a[i]) ^ other));
  }
  return difference == 0;
}

bool is_loopback_host(std::string_view host) {
  if (host.starts_with('[')) return host.starts_with("[::1]");
  host = host.substr(0, host.find(':'));
  if (equal_ignoring_case(host, "localhost")) return true;
  // 127.a.b.c and not a name such as 127.example.com.
  return host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3 &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::optional<Response> refuse_access(std::string_view token,
                                      const std::vector<std::string>& open_paths,
                                      std::string_view target, const Headers& headers) {
  if (token.empty()) return refuse_foreign_page(headers);
  if (std::find(open_paths.begin(), open_paths.end(), target) != open_paths.end()) {
    return std::nullopt;
  }
  return refuse_token(token, headers);
}

}  // namespace headrace::http
