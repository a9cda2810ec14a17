#pragma once

// Metrics in Prometheus's model. Ask for an instrument once (it takes a lock) and keep the
// reference: it stays valid for the life of the Metrics object. Updating an instrument is
// lock-free. Names follow Prometheus's rules: headrace_<what>_<unit>, counters end in _total.

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace headrace::telemetry {

using Labels = std::map<std::string, std::string>;

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double amount = 1) = 0;
  virtual double value() const = 0;
};

class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
  virtual void add(double amount) = 0;  // negative to take away
  virtual double value() const = 0;
};

class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double value) = 0;
};

class Metrics {
 public:
  virtual ~Metrics() = default;
  virtual Counter& counter(const std::string& name, const std::string& help,
                           const Labels& labels = {}) = 0;
  virtual Gauge& gauge(const std::string& name, const std::string& help,
                       const Labels& labels = {}) = 0;
  // Buckets fit latencies in seconds from 100 µs to a minute.
  virtual Histogram& histogram(const std::string& name, const std::string& help,
                               const Labels& labels = {}) = 0;
  // The text exposition format, version 0.0.4.
  virtual std::string expose() const = 0;
};

std::unique_ptr<Metrics> make_metrics();

}  // namespace headrace::telemetry
