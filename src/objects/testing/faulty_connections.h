#pragma once

// Connections on which, decided by a seed, some requests are answered 500 or 503 without getting
// through, some get through but their answer is lost or torn. So a client meets every kind of
// unknown outcome.

#include <atomic>
#include <memory>
#include <mutex>

#include "base/random.h"
#include "http/connections.h"

namespace headrace::objects {

class FaultyConnections final : public http::Connections {
 public:
  FaultyConnections(http::Connections& inner, uint64_t seed, int fault_percent)
      : inner_(inner), random_(seed), fault_percent_(fault_percent) {}

  http::Response perform(const http::Call& call, std::stop_token cancel) override;
  Hedged perform_hedged(const http::Call& call, std::chrono::milliseconds,
                        std::stop_token cancel) override {
    return {perform(call, std::move(cancel)), false};
  }
  int faults() const { return faults_; }

 private:
  http::Connections& inner_;
  SeededRandom random_;
  const int fault_percent_;
  std::atomic<int> faults_ = 0;
};

}  // namespace headrace::objects
