#pragma once

// Keeps the older part of a partition in object storage: uploads finished segments, drops their
// local copies, removes what the topic need not keep any more, and brings a lost partition back.
//
// Life cycle: made with its partition, or when the topic's settings name a place. Thread use:
// status() from any thread, the rest by one at a time (the partition sees to it). Private to this
// module.

#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "stream/partition_view.h"
#include "stream/partition_writer.h"
#include "stream/reader_registry.h"
#include "stream/remote_partition.h"
#include "stream/topic_settings.h"
#include "telemetry/metrics.h"

namespace headrace::stream {

struct TierMetrics {
  telemetry::Counter& uploaded_segments;
  telemetry::Counter& uploaded_bytes;
  telemetry::Counter& failures;
  telemetry::Counter& dropped_segments;
  telemetry::Gauge& remote_bytes;
  telemetry::Gauge& lag_bytes;
  telemetry::Gauge& lag_segments;
};
TierMetrics make_tier_metrics(telemetry::Metrics& metrics, const std::string& topic, int partition);

// The partition that a tier belongs to.
struct TierOwner {
  FileSystem& files;
  Clock& clock;
  const std::string& name;  // "topic/partition"
  const std::string& directory;
  const TopicSettings& settings;
  PartitionView& view;
  const ReaderRegistry& readers;
};

class PartitionTier {
 public:
  PartitionTier(const TierOwner& owner, std::unique_ptr<RemotePartition> remote,
                TierMetrics metrics);

  RemotePartition& remote() { return *remote_; }
  const RemotePartition& remote() const { return *remote_; }

  // Whether the directory has no segment: what there was, and which offsets were given, is then
  // known in object storage alone.
  bool is_local_log_lost() const;
  // Connects, and makes the segment at which such a partition goes on: at `least_offset` or after.
  // Errors: those of RemotePartition::connect.
  void restore(Offset least_offset);
  // Connects a partition that has its segments.
  void connect();
  // One round of everything that is due; ends early at a stop. Never throws: what failed is told
  // by status(), and tried again after a pause that grows from one second to a minute.
  void tend(PartitionWriter& writer, const std::stop_token& stop);

  // Removes what is uploaded and past the topic's retention. Never throws, as tend().
  void apply_retention(PartitionWriter& writer);

  TierStatus status() const;
  void update_gauges() const;

 private:
  // Finished segments that are not in object storage yet.
  std::vector<Segment> waiting_segments() const;
  void upload_waiting(const std::stop_token& stop);
  void drop_expired();
  void drop_local();
  void drop_local_oldest(const Segment& oldest);
  int64_t now_ms() const;
  void succeeded();
  void failed(const Error& error);

  const TierOwner owner_;
  const std::unique_ptr<RemotePartition> remote_;
  const TierMetrics metrics_;
  bool is_clean_ = false;  // no object of an upload that broke off may be left
  SteadyTime next_attempt_{};
  milliseconds pause_{0};

  mutable std::mutex mutex_;  // of what follows
  std::string problem_;
  std::string note_;
};

// The local files of a segment; the log first: sidecars without one are swept up at the next start.
void remove_segment_files(FileSystem& files, const std::string& directory, Offset base_offset);

}  // namespace headrace::stream
