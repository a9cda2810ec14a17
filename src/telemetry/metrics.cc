#include "telemetry/metrics.h"

#include <mutex>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "base/error.h"

namespace headrace::telemetry {
namespace {

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
  void add(double amount) override { counter_.Increment(amount); }
  double value() const override { return counter_.Value(); }

 private:
  prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void set(double value) override { gauge_.Set(value); }
  void add(double amount) override { gauge_.Increment(amount); }
  double value() const override { return gauge_.Value(); }

 private:
  prometheus::Gauge& gauge_;
};

class PrometheusHistogram final : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& histogram) : histogram_(histogram) {}
  void observe(double value) override { histogram_.Observe(value); }

 private:
  prometheus::Histogram& histogram_;
};

// 1-2.5-5 steps from 100 µs to a minute.
const prometheus::Histogram::BucketBoundaries& latency_buckets() {
  static const prometheus::Histogram::BucketBoundaries buckets = {
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
      0.1,    0.25,    0.5,    1,     2.5,    5,     10,   30,    60};
  return buckets;
}

// The instruments of one kind that were asked for, by name and labels.
template <class Instrument>
using Instruments = std::map<std::pair<std::string, Labels>, std::unique_ptr<Instrument>>;

class PrometheusMetrics final : public Metrics {
 public:
  Counter& counter(const std::string& name, const std::string& help,
                   const Labels& labels) override {
    return find_or_make(counters_, name, labels, [&] {
      auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
      return std::make_unique<PrometheusCounter>(family.Add(labels));
    });
  }

  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels) override {
    return find_or_make(gauges_, name, labels, [&] {
      auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(registry_);
      return std::make_unique<PrometheusGauge>(family.Add(labels));
    });
  }

  Histogram& histogram(const std::string& name, const std::string& help,
                       const Labels& labels) override {
    return find_or_make(histograms_, name, labels, [&] {
      auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(registry_);
      return std::make_unique<PrometheusHistogram>(family.Add(labels, latency_buckets()));
    });
  }

  std::string expose() const override {
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, registry_.Collect());
    return std::move(text).str();
  }

 private:
  template <class Instrument, class Make>
  Instrument& find_or_make(Instruments<Instrument>& instruments, const std::string& name,
                           const Labels& labels, Make make) {
    std::lock_guard lock(mutex_);
    auto& slot = instruments[{name, labels}];
    if (slot == nullptr) {
      try {
        slot = make();
      } catch (const std::exception& error) {
        instruments.erase({name, labels});
        fail(ErrorKind::kInternal, "registering the metric '{}': {}", name, error.what());
      }
    }
    return *slot;
  }

  std::mutex mutex_;
  prometheus::Registry registry_;
  Instruments<Counter> counters_;
  Instruments<Gauge> gauges_;
  Instruments<Histogram> histograms_;
};

}  // namespace

std::unique_ptr<Metrics> make_metrics() { return std::make_unique<PrometheusMetrics>(); }

}  // namespace headrace::telemetry
