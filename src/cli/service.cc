#include "cli/service.h"

#include <cctype>

#include "base/error.h"

namespace headrace::cli {

Json Service::get(const std::string& target) { return call("GET", target, nullptr); }
Json Service::post(const std::string& target, const Json& body) {
  return call("POST", target, &body);
}
Json Service::patch(const std::string& target, const Json& body) {
  return call("PATCH", target, &body);
}
Json Service::remove(const std::string& target) { return call("DELETE", target, nullptr); }

Json Service::call(std::string_view method, const std::string& target, const Json* body) {
  http::Request request =
      body == nullptr ? http::make_request(method, target)
                      : http::make_request(method, target, to_text(*body), "application/json");
  const http::Response response = send(std::move(request));
  http::throw_if_error(response);
  if (response.status == 204 || (response.body.empty() && !response.stream)) return JsonObject{};
  return http::json_of(response);
}

http::Response Service::send(http::Request request) {
  return connection_.client->send(std::move(request));
}

http::Response Service::stream(http::Request request,
                               const std::function<bool(std::string_view)>& on_data,
                               std::stop_token cancel) {
  http::Response response =
      connection_.client->stream(std::move(request), on_data, std::move(cancel));
  http::throw_if_error(response);
  return response;
}

void Service::require_running(std::string_view doing) const {
  if (connection_.running) return;
  fail(ErrorKind::kUnavailable,
       "{}: no server is running for this project; start one with: headrace serve", doing);
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain =
        (byte < 0x80 && std::isalnum(byte) != 0) || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain) {
      out += c;
    } else {
      out += format("%{:02X}", byte);
    }
  }
  return out;
}

JsonArray items_of(const Json& document, std::string_view name) {
  if (document.is_array()) return document.get_array();
  const Json* found = find_member(document, name);
  return found != nullptr && found->is_array() ? found->get_array() : JsonArray{};
}

}  // namespace headrace::cli
