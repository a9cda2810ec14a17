#include "http/server_metrics.h"

namespace headrace::http {
namespace {

// Methods come from outside: what is not one of these must not become a label of its own.
std::string_view method_label(std::string_view method) {
  for (const std::string_view known :
       {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"}) {
    if (method == known) return known;
  }
  return "other";
}

}  // namespace

ServerMetrics::ServerMetrics(telemetry::Metrics& metrics)
    : connections(metrics.gauge("headrace_http_connections", "Open HTTP connections")),
      in_flight(metrics.gauge("headrace_http_requests_in_flight",
                              "HTTP requests received whole and not yet answered")),
      connections_refused(metrics.counter("headrace_http_connections_refused_total",
                                          "HTTP connections over the limit")),
      bytes_received(metrics.counter("headrace_http_body_bytes_received_total",
                                     "Bytes of HTTP request bodies, as sent")),
      metrics_(metrics) {}

void ServerMetrics::answered(std::string_view route, std::string_view method, int status,
                             std::chrono::steady_clock::duration took) {
  const Instruments found = instruments(route.empty() ? "none" : route, method, status);
  found.requests->add();
  found.seconds->observe(std::chrono::duration<double>(took).count());
}

ServerMetrics::Instruments ServerMetrics::instruments(std::string_view route,
                                                      std::string_view method, int status) {
  Key key(route, method_label(method), status);
  std::lock_guard lock(mutex_);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  const auto& [route_label, method_name, code] = key;
  const Instruments made{
      &metrics_.counter(
          "headrace_http_requests_total", "HTTP requests answered",
          {{"route", route_label}, {"method", method_name}, {"status", std::to_string(code)}}),
      &metrics_.histogram("headrace_http_request_seconds",
                          "From a request received whole to its answer written",
                          {{"route", route_label}})};
  known_.emplace(std::move(key), made);
  return made;
}

}  // namespace headrace::http
