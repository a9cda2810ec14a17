#include "http/router.h"

#include <algorithm>
#include <utility>

namespace headrace::http {
namespace {

std::string allowed_methods(const std::vector<std::string_view>& methods) {
  std::string allowed;
  for (const std::string_view method : methods) {
    allowed += method;
    allowed += method == "GET" ? ", HEAD, " : ", ";
  }
  return allowed + "OPTIONS";
}

Response method_not_allowed(const Request& request, const std::string& allowed) {
  Response response = error_response(
      405, "invalid",
      format("{} is not possible on {}: use one of {}", request.method, request.target, allowed));
  response.headers.set("Allow", allowed);
  return response;
}

Response options_response(const std::string& allowed) {
  Response response;
  response.status = 204;
  response.headers.set("Allow", allowed);
  return response;
}

}  // namespace

void Router::add(std::string_view method, std::string_view pattern, HandlerFunction handler) {
  Route route;
  route.method = method;
  route.pattern = pattern;
  route.handler = std::move(handler);
  std::string_view rest = pattern;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the slash
    const size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view text = rest.substr(0, end);
    const bool is_parameter = text.starts_with('{') && text.ends_with('}');
    if (!text.empty()) {
      route.segments.push_back(
          {std::string(is_parameter ? text.substr(1, text.size() - 2) : text), is_parameter});
    }
    rest.remove_prefix(end);
  }
  const auto place = std::find_if(routes_.begin(), routes_.end(), [&](const Route& other) {
    return is_more_literal(route, other);
  });
  routes_.insert(place, std::move(route));
}

bool Router::is_more_literal(const Route& a, const Route& b) {
  const size_t shorter = std::min(a.segments.size(), b.segments.size());
  for (size_t i = 0; i < shorter; ++i) {
    if (a.segments[i].is_parameter != b.segments[i].is_parameter) return b.segments[i].is_parameter;
  }
  return false;
}

bool Router::matches(const Route& route, const std::vector<std::string>& path) {
  return std::equal(route.segments.begin(), route.segments.end(), path.begin(), path.end(),
                    [](const Segment& segment, const std::string& text) {
                      return segment.is_parameter || segment.text == text;
                    });
}

std::vector<const Router::Route*> Router::candidates(const std::vector<std::string>& path) const {
  std::vector<const Route*> found;
  for (const Route& route : routes_) {
    if (matches(route, path)) found.push_back(&route);
  }
  return found;
}

void Router::handle(Request request, Responder respond) {
  const auto found = candidates(request.segments);
  if (found.empty()) {
    respond(error_response(
        404, "not_found",
        format("there is nothing at {}: GET /openapi.json lists what there is", request.target)));
    return;
  }
  std::string_view method = request.method;
  if (method == "HEAD") method = "GET";
  for (const Route* route : found) {
    if (route->method != method) continue;
    respond.set_route(route->pattern);
    for (size_t i = 0; i < route->segments.size(); ++i) {
      if (!route->segments[i].is_parameter) continue;
      request.path_parameters.emplace_back(route->segments[i].text, request.segments[i]);
    }
    route->handler(std::move(request), std::move(respond));
    return;
  }
  std::vector<std::string_view> methods;
  for (const Route* route : found) methods.push_back(route->method);
  const std::string allowed = allowed_methods(methods);
  respond.set_route(found.front()->pattern);
  respond(request.method == "OPTIONS" ? options_response(allowed)
                                      : method_not_allowed(request, allowed));
}

}  // namespace headrace::http
