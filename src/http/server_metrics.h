#pragma once

// What the server counts about itself.

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "telemetry/metrics.h"

namespace headrace::http {

class ServerMetrics {
 public:
  explicit ServerMetrics(telemetry::Metrics& metrics);

  // One answer finished. `route` is the pattern matched; empty for none.
  void answered(std::string_view route, std::string_view method, int status,
                std::chrono::steady_clock::duration took);

  telemetry::Gauge& connections;
  telemetry::Gauge& in_flight;
  telemetry::Counter& connections_refused;
  telemetry::Counter& bytes_received;

 private:
  struct Instruments {
    telemetry::Counter* requests;
    telemetry::Histogram* seconds;
  };
  using Key = std::tuple<std::string, std::string, int>;
  Instruments instruments(std::string_view route, std::string_view method, int status);

  telemetry::Metrics& metrics_;
  std::mutex mutex_;
  std::map<Key, Instruments> known_;
};

}  // namespace headrace::http
