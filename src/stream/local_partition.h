#pragma once

// A partition in the local log directory: joins the view that readers use, the writer that the
// log's thread drives, and the readers whose positions hold retention back. Private to this module.

#include <memory>
#include <string>

#include "stream/append_target.h"
#include "stream/log_writer.h"
#include "stream/reader_registry.h"

namespace headrace::stream {

// What all partitions of a log share. `writer` is nullptr when the log is read-only.
struct LogContext {
  FileSystem& files;
  Clock& clock;
  telemetry::Metrics& metrics;
  LogWriter* writer;
};

class LocalPartition final : public Partition {
 public:
  // `name` shows in errors: "topic/partition".
  LocalPartition(const LogContext& context, std::string name, std::string directory,
                 const TopicSettings& settings, Arrivals& arrivals, PartitionMetrics metrics);

  AppendResult append(EncodedBatch batch) override;
  void append_async(EncodedBatch batch, AppendDone done) override;
  Offset start_offset() const override { return view_.start_offset(); }
  Offset end_offset() const override { return view_.end_offset(); }
  uint64_t size_bytes() const override { return view_.size_bytes(); }
  int segment_count() const override { return static_cast<int>(view_.segments().size()); }
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
  void refresh();  // read-only
  void close();    // the log's writer thread has ended
  void end_for_deletion();

 private:
  void check(const EncodedBatch& batch) const;
  void check_range(Offset from) const;
  // Reads batches of one segment; returns where the next one begins.
  Offset read_segment(const PartitionView::Place& place, Offset from, Offset until,
                      size_t& budget_bytes, std::vector<Batch>& into) const;
  bool may_drop(const Segment& oldest, const TopicConfig& config, uint64_t total_bytes) const;
  void remove_files(const Segment& segment);

  LogContext context_;
  const std::string name_;
  const std::string directory_;
  const TopicSettings& settings_;
  Arrivals& arrivals_;
  RecoveryOptions recovery_options_;
  RecoveredPartition recovered_;  // read-only: where refresh() continues
  PartitionView view_;
  std::unique_ptr<PartitionWriter> writer_;  // nullptr when read-only
  std::unique_ptr<AppendTarget> target_;
  std::shared_ptr<ReaderRegistry> readers_ = std::make_shared<ReaderRegistry>();
};

}  // namespace headrace::stream
