#include "stream/partition_tier.h"

#include <algorithm>

#include "base/error.h"
#include "stream/retention.h"
#include "telemetry/log.h"

namespace headrace::stream {
namespace {

constexpr size_t kSegmentsAtOnce = 8;  // uploaded before the manifest is written
constexpr milliseconds kFirstPause{1'000};
constexpr milliseconds kLongestPause{60'000};

}  // namespace

TierMetrics make_tier_metrics(telemetry::Metrics& metrics, const std::string& topic,
                              int partition) {
  const telemetry::Labels of_topic{{"topic", topic}};
  const telemetry::Labels of_partition{{"topic", topic}, {"partition", std::to_string(partition)}};
  return {metrics.counter("headrace_topic_uploaded_segments_total",
                          "Segments uploaded to object storage", of_topic),
          metrics.counter("headrace_topic_uploaded_bytes_total",
                          "Bytes of segments uploaded to object storage", of_topic),
          metrics.counter("headrace_topic_tier_failures_total",
                          "Attempts to upload, drop or remove segments that failed", of_topic),
          metrics.counter("headrace_topic_local_segments_dropped_total",
                          "Local copies of uploaded segments that were dropped", of_topic),
          metrics.gauge("headrace_topic_remote_bytes", "Bytes of segments in object storage",
                        of_partition),
          metrics.gauge("headrace_topic_upload_lag_bytes",
                        "Bytes of finished segments that are not uploaded yet", of_partition),
          metrics.gauge("headrace_topic_upload_lag_segments",
                        "Finished segments that are not uploaded yet", of_partition)};
}

void remove_segment_files(FileSystem& files, const std::string& directory, Offset base_offset) {
  for (const std::string_view suffix : {kLogSuffix, kIndexSuffix, kTimeIndexSuffix, kStateSuffix}) {
    files.remove(segment_path(directory, base_offset, suffix));
  }
}

PartitionTier::PartitionTier(const TierOwner& owner, std::unique_ptr<RemotePartition> remote,
                             TierMetrics metrics)
    : owner_(owner), remote_(std::move(remote)), metrics_(metrics) {}

bool PartitionTier::is_local_log_lost() const {
  const std::vector<FileInfo> files = owner_.files.list(owner_.directory);
  return std::none_of(files.begin(), files.end(), [](const FileInfo& file) {
    return parse_segment_name(file.name, kLogSuffix).has_value();
  });
}

void PartitionTier::restore(Offset least_offset) {
  remote_->connect({});
  const auto manifest = remote_->manifest();
  PartitionState state = manifest->state;
  state.next_offset = std::max(state.next_offset, least_offset);
  if (state.next_offset == 0) return;  // a new partition
  const Offset base = state.next_offset;
  owner_.files.write_atomically(segment_path(owner_.directory, base, kStateSuffix),
                                to_json_text({base, 0, INT64_MIN, state}));
  owner_.files.open_append(segment_path(owner_.directory, base, kLogSuffix));
  owner_.files.sync_directory(owner_.directory);
  const Offset start =
      manifest->segments.empty() ? base : manifest->segments.front().segment.base_offset;
  const std::string note = format(
      "its local log was gone and came back from {}: offsets {} to {} are kept, and it goes "
      "on at {}; what had not been uploaded is lost",
      remote_->folder(), start, manifest->next_offset(), base);
  telemetry::log_warning("stream", "a partition was restored from object storage",
                         {{"partition", owner_.name},
                          {"folder", remote_->folder()},
                          {"start_offset", start},
                          {"uploaded_offset", manifest->next_offset()},
                          {"next_offset", base}});
  const std::lock_guard lock(mutex_);
  note_ = note;
}

void PartitionTier::connect() {
  const std::vector<Segment> local = owner_.view.segments();
  remote_->connect({!local.empty(), owner_.view.end_offset()});
}

void PartitionTier::tend(PartitionWriter& writer, const std::stop_token& stop) {
  if (owner_.clock.steady_now() < next_attempt_) return;
  try {
    connect();
    remote_->mend_copy();
    if (!is_clean_) remote_->remove_strays();
    is_clean_ = true;
    const int64_t interval_ms = owner_.settings.get().tiered_storage.upload_interval_ms;
    writer.roll_if_begun_before(now_ms() - interval_ms);
    upload_waiting(stop);
    drop_local();
    remote_->remove_objects({});
    succeeded();
  } catch (const Error& error) {
    is_clean_ = false;
    failed(error);
  }
  update_gauges();
}

void PartitionTier::apply_retention(PartitionWriter& writer) {
  if (!remote_->is_connected()) return;  // tend() sees to that
  try {
    const int64_t retention_ms = owner_.settings.get().retention_ms;
    if (retention_ms >= 0) writer.roll_if_older_than(now_ms() - retention_ms);
    drop_expired();
  } catch (const Error& error) {
    is_clean_ = false;
    failed(error);
  }
  update_gauges();
}

int64_t PartitionTier::now_ms() const { return millis_since_epoch(owner_.clock.now()); }

std::vector<Segment> PartitionTier::waiting_segments() const {
  const auto manifest = remote_->manifest();
  const Offset uploaded = manifest == nullptr ? 0 : manifest->next_offset();
  std::vector<Segment> waiting = owner_.view.segments();
  if (!waiting.empty()) waiting.pop_back();  // the active one
  std::erase_if(waiting, [&](const Segment& segment) { return segment.base_offset < uploaded; });
  return waiting;
}

void PartitionTier::upload_waiting(const std::stop_token& stop) {
  for (std::vector<Segment> waiting = waiting_segments(); !waiting.empty();
       waiting = waiting_segments()) {
    std::vector<RemoteSegment> uploaded;
    PartitionState state = remote_->manifest()->state;
    for (const Segment& segment : waiting) {
      if (stop.stop_requested() || uploaded.size() == kSegmentsAtOnce) break;
      state = state_after(owner_.files, owner_.directory, segment, state);
      const int64_t interval = owner_.settings.get().index_interval_bytes;
      uploaded.push_back(
          remote_->upload(segment, load_index(owner_.files, owner_.directory, segment, interval)));
    }
    if (uploaded.empty()) return;
    remote_->commit([&](RemoteManifest& manifest) {
      manifest.segments.insert(manifest.segments.end(), uploaded.begin(), uploaded.end());
      manifest.state = state;
    });
    for (const RemoteSegment& remote : uploaded) {
      metrics_.uploaded_segments.add();
      metrics_.uploaded_bytes.add(static_cast<double>(remote.segment.size_bytes));
    }
  }
}

// What the topic as a whole need not keep. Only what is uploaded can expire: its end must be known
// to who has lost the disk.
void PartitionTier::drop_expired() {
  const TopicConfig config = owner_.settings.get();
  const auto manifest = remote_->manifest();
  const std::optional<Offset> slowest = owner_.readers.slowest();
  uint64_t total_bytes = manifest->size_bytes();
  const std::vector<Segment> local = owner_.view.segments();
  for (const Segment& segment : local) {
    if (segment.base_offset >= manifest->next_offset()) total_bytes += segment.size_bytes;
  }
  std::vector<RemoteSegment> gone;
  for (const RemoteSegment& remote : manifest->segments) {
    if (!may_drop(remote.segment, config, now_ms(), total_bytes, slowest)) break;
    total_bytes -= remote.segment.size_bytes;
    gone.push_back(remote);
  }
  if (gone.empty()) return;
  remote_->commit([&](RemoteManifest& next) {
    next.segments.erase(next.segments.begin(),
                        next.segments.begin() + static_cast<std::ptrdiff_t>(gone.size()));
  });
  const Offset kept_from = gone.back().segment.end_offset;
  for (const Segment& segment : local) {
    if (segment.end_offset > kept_from || segment.base_offset == local.back().base_offset) break;
    drop_local_oldest(segment);
  }
  remote_->remove_objects(gone);
}

void PartitionTier::drop_local_oldest(const Segment& oldest) {
  owner_.view.drop_oldest();
  remove_segment_files(owner_.files, owner_.directory, oldest.base_offset);
}

void PartitionTier::drop_local() {
  if (!remote_->is_copied()) return;
  const TieredStorage tier = owner_.settings.get().tiered_storage;
  const Offset uploaded = remote_->manifest()->next_offset();
  const std::vector<Segment> local = owner_.view.segments();
  uint64_t local_bytes = owner_.view.size_bytes();
  for (const Segment& segment : local) {
    if (segment.base_offset == local.back().base_offset || segment.end_offset > uploaded ||
        !may_drop_local(segment, tier, now_ms(), local_bytes)) {
      break;
    }
    drop_local_oldest(segment);
    local_bytes -= segment.size_bytes;
    metrics_.dropped_segments.add();
  }
}

void PartitionTier::succeeded() {
  pause_ = milliseconds(0);
  next_attempt_ = {};
  const std::lock_guard lock(mutex_);
  if (!problem_.empty()) {
    telemetry::log_info("stream", "uploading to object storage goes on",
                        {{"partition", owner_.name}});
  }
  problem_.clear();
}

void PartitionTier::failed(const Error& error) {
  pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
  next_attempt_ = owner_.clock.steady_now() + pause_;
  metrics_.failures.add();
  const std::lock_guard lock(mutex_);
  if (problem_ != error.message()) {  // once, not each time it is tried again
    telemetry::log_warning("stream", "segments stay on the local disk for now",
                           {{"partition", owner_.name}, {"reason", error.message()}});
  }
  problem_ = error.message();
}

TierStatus PartitionTier::status() const {
  TierStatus status;
  status.folder = remote_->folder();
  const auto manifest = remote_->manifest();
  if (manifest != nullptr) {
    status.remote_bytes = remote_->size_bytes();
    status.remote_segments = static_cast<int>(manifest->segments.size());
    status.uploaded_offset = manifest->next_offset();
  }
  for (const Segment& segment : waiting_segments()) {
    status.lag_bytes += segment.size_bytes;
    ++status.lag_segments;
  }
  const std::lock_guard lock(mutex_);
  status.problem = problem_;
  status.note = note_;
  return status;
}

void PartitionTier::update_gauges() const {
  const TierStatus now = status();
  metrics_.remote_bytes.set(static_cast<double>(now.remote_bytes));
  metrics_.lag_bytes.set(static_cast<double>(now.lag_bytes));
  metrics_.lag_segments.set(now.lag_segments);
}

}  // namespace headrace::stream
