#pragma once

// A partition in the local log directory: joins the view that readers use, the writer that the
// log's thread drives, the readers whose positions hold retention back, and the object storage that
// its older segments are in. Private to this module.

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "stream/append_target.h"
#include "stream/log_writer.h"
#include "stream/partition_tier.h"
#include "stream/reader_registry.h"

namespace headrace::stream {

// What all partitions of a log share. `writer` is nullptr when the log is read-only, `remote` when
// there is no object storage.
struct LogContext {
  FileSystem& files;
  Clock& clock;
  telemetry::Metrics& metrics;
  LogWriter* writer;
  const RemoteContext* remote;
};

class LocalPartition final : public Partition {
 public:
  // A partition whose older part is in object storage, and which has no local segment, is restored
  // from there; until that succeeds it refuses appends and reads (loss()).
  LocalPartition(const LogContext& context, std::string topic, int index, std::string directory,
                 const TopicSettings& settings, Arrivals& arrivals);

  AppendResult append(EncodedBatch batch) override;
  void append_async(EncodedBatch batch, AppendDone done) override;
  Offset start_offset() const override;
  Offset end_offset() const override { return view_.end_offset(); }
  uint64_t size_bytes() const override;
  uint64_t local_bytes() const override { return view_.size_bytes(); }
  int segment_count() const override { return static_cast<int>(segments().size()); }
  std::vector<SegmentInfo> segments() const override;
  std::optional<TierStatus> tier() const override;
  std::string refusal() const override;
  void check_ready() const override;
  void skip_to(Offset next_offset) override;
  using Partition::read;
  std::vector<Batch> read(Offset from, Offset until, size_t max_bytes) const override;
  Offset offset_for_time(int64_t timestamp_ms) const override;
  bool wait_for(Offset offset, std::chrono::milliseconds timeout,
                std::stop_token stop) const override;
  std::optional<std::string> source_position(const std::string& source) const override;
  std::vector<SourcePosition> source_positions() const override;
  std::unique_ptr<ReaderRegistration> register_reader(const std::string& name,
                                                      Offset next_needed) override;
  std::vector<std::pair<std::string, Offset>> readers() const override;

  void apply_retention();
  void tend(const std::stop_token& stop);
  void refresh();  // read-only
  void close();    // the log's writer thread has ended
  void end_for_deletion();

  // Why a lost local log could not be restored yet; nullopt: nothing is lost.
  std::optional<Error> loss() const;
  // A tier for the place that the settings are about to name. Connects it when its storage answers;
  // throws when that says that it will not do. Not used before set_tier().
  std::shared_ptr<PartitionTier> make_tier(const std::string& uri);
  std::shared_ptr<PartitionTier> set_tier(std::shared_ptr<PartitionTier> tier);  // the one before
  // Throws invalid when records are in the object storage of `tier`, which may be nullptr.
  void refuse_if_remote(const std::string& doing, const PartitionTier* tier) const;
  // Removes what is there, when it is this log's. Not while it is the partition's tier: it would be
  // filled again.
  void remove_remote(PartitionTier& tier) const;

 private:
  void check(const EncodedBatch& batch) const;
  void check_range(Offset from) const;
  // Reads batches of one segment; returns where the next one begins.
  Offset read_segment(const PartitionView::Place& place, Offset from, Offset until,
                      size_t& budget_bytes, std::vector<Batch>& into) const;
  static Offset read_remote(PartitionTier& tier, const RemoteSegment& remote, Offset from,
                            Offset until, size_t& budget_bytes, std::vector<Batch>& into);
  // The remote segment to read `from` in, when the local log does not have it. Where no record has
  // that offset, `from` moves to the first one after it that is kept.
  std::optional<RemoteSegment> remote_segment(const PartitionTier* tier, Offset& from) const;
  Offset offset_for_time(PartitionTier* tier, Offset local_start, int64_t timestamp_ms) const;
  Offset first_after_time(const PartitionView::Place& place, int64_t timestamp_ms) const;
  static Offset first_after_time(PartitionTier& tier, const RemoteSegment& remote,
                                 int64_t timestamp_ms);
  std::shared_ptr<PartitionTier> current_tier() const;
  std::shared_ptr<PartitionTier> new_tier(const std::string& uri);
  void restore();
  void reopen_if_due();
  void probe_disk();

  LogContext context_;
  const std::string topic_;
  const int index_;
  const std::string name_;  // shows in errors: "topic/partition"
  const std::string directory_;
  const TopicSettings& settings_;
  Arrivals& arrivals_;
  RecoveryOptions recovery_options_;
  RecoveredPartition recovered_;  // read-only: where refresh() continues
  PartitionView view_;
  std::unique_ptr<PartitionWriter> writer_;  // nullptr when read-only
  std::unique_ptr<AppendTarget> target_;
  std::shared_ptr<ReaderRegistry> readers_ = std::make_shared<ReaderRegistry>();

  std::mutex tending_;  // held by retention and tend(); guards the two below
  SteadyTime next_reopening_{};
  milliseconds reopening_pause_{0};
  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<PartitionTier> tier_;
  std::optional<Error> loss_;
  Offset least_offset_ = 0;  // at which a restored partition may go on
};

}  // namespace headrace::stream
