#include "stream/append_target.h"

namespace headrace::stream {

PartitionMetrics make_partition_metrics(telemetry::Metrics& metrics, const std::string& topic,
                                        int partition) {
  const telemetry::Labels of_topic{{"topic", topic}};
  const telemetry::Labels of_partition{{"topic", topic}, {"partition", std::to_string(partition)}};
  return {
      metrics.counter("headrace_topic_appended_records_total",
                      "Records appended, without repetitions", of_topic),
      metrics.counter("headrace_topic_appended_bytes_total",
                      "Encoded bytes appended, without repetitions", of_topic),
      metrics.gauge("headrace_topic_start_offset", "Offset of the oldest record kept",
                    of_partition),
      metrics.gauge("headrace_topic_end_offset", "One past the last durable record", of_partition),
      metrics.gauge("headrace_topic_size_bytes", "Durable bytes of log, wherever they are",
                    of_partition),
      metrics.gauge("headrace_topic_local_bytes", "Bytes of log on the local disk", of_partition),
      metrics.gauge("headrace_topic_refuses_appends",
                    "1 while the partition takes no records, else 0", of_partition)};
}

void AppendTarget::update_gauges() const {
  metrics.start_offset.set(static_cast<double>(partition.start_offset()));
  metrics.end_offset.set(static_cast<double>(partition.end_offset()));
  metrics.size_bytes.set(static_cast<double>(partition.size_bytes()));
  metrics.local_bytes.set(static_cast<double>(partition.local_bytes()));
  metrics.refuses_appends.set(partition.refusal().empty() ? 0 : 1);
}

void AppendTarget::count(const PendingAppend& append) const {
  if (append.error != nullptr || append.result.duplicate) return;
  metrics.appended_records.add(append.batch.record_count);
  metrics.appended_bytes.add(static_cast<double>(append.batch.bytes.size()));
}

}  // namespace headrace::stream
