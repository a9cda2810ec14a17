#include "telemetry/metrics.h"

#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "base/error.h"

namespace headrace::telemetry {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, ExposesInPrometheusText) {
  auto metrics = make_metrics();
  metrics->counter("headrace_records_total", "Records taken in", {{"topic", "edits"}}).add(3);
  metrics->gauge("headrace_queue_depth", "Waiting appends").set(7);
  metrics->histogram("headrace_append_seconds", "Append latency").observe(0.002);
  const std::string text = metrics->expose();
  EXPECT_THAT(text, HasSubstr("# HELP headrace_records_total Records taken in"));
  EXPECT_THAT(text, HasSubstr("headrace_records_total{topic=\"edits\"} 3"));
  EXPECT_THAT(text, HasSubstr("headrace_queue_depth 7"));
  EXPECT_THAT(text, HasSubstr("headrace_append_seconds_bucket{le=\"0.001\"} 0"));
  EXPECT_THAT(text, HasSubstr("headrace_append_seconds_bucket{le=\"0.0025\"} 1"));
  EXPECT_THAT(text, HasSubstr("headrace_append_seconds_bucket{le=\"+Inf\"} 1"));
}

TEST(Metrics, SameNameAndLabelsAreOneInstrument) {
  auto metrics = make_metrics();
  Counter& first = metrics->counter("headrace_a_total", "A", {{"x", "1"}});
  Counter& again = metrics->counter("headrace_a_total", "A", {{"x", "1"}});
  Counter& other = metrics->counter("headrace_a_total", "A", {{"x", "2"}});
  EXPECT_EQ(&first, &again);
  EXPECT_NE(&first, &other);
}

TEST(Metrics, GaugeAddsAndTakesAway) {
  auto metrics = make_metrics();
  Gauge& gauge = metrics->gauge("headrace_in_flight", "In flight");
  gauge.add(2);
  gauge.add(-1);
  EXPECT_EQ(gauge.value(), 1);
}

TEST(Metrics, RefusesAnImpossibleName) {
  auto metrics = make_metrics();
  EXPECT_THROW(metrics->counter("not a name", "Bad"), Error);
  EXPECT_THROW(metrics->counter("not a name", "Bad"), Error);
}

TEST(Metrics, CountsFromManyThreads) {
  auto metrics = make_metrics();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) metrics->counter("headrace_b_total", "B").add();
    });
  }
  threads.clear();
  EXPECT_EQ(metrics->counter("headrace_b_total", "B").value(), 4000);
}

}  // namespace
}  // namespace headrace::telemetry
