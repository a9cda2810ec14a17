#pragma once

// Where the writer thread brings its appends: a partition with its metrics. Private to this module.

#include "stream/arrivals.h"
#include "stream/partition_writer.h"
#include "telemetry/metrics.h"

namespace headrace::stream {

// The instruments of one partition; counters are shared by the partitions of a topic.
struct PartitionMetrics {
  telemetry::Counter& appended_records;
  telemetry::Counter& appended_bytes;
  telemetry::Gauge& start_offset;
  telemetry::Gauge& end_offset;
  telemetry::Gauge& size_bytes;
  telemetry::Gauge& local_bytes;
  telemetry::Gauge& refuses_appends;
};

PartitionMetrics make_partition_metrics(telemetry::Metrics& metrics, const std::string& topic,
                                        int partition);

struct AppendTarget {
  PartitionWriter& writer;
  const Partition& partition;
  Arrivals& arrivals;
  PartitionMetrics metrics;

  void update_gauges() const;
  void count(const PendingAppend& append) const;
};

}  // namespace headrace::stream
