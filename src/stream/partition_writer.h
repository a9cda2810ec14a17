#pragma once

// The writing side of a partition: gives offsets, writes batches, rolls segments, syncs, and
// publishes into the PartitionView. After a failed write or sync it refuses everything, because
// what is on disk is not known any more, until reopen() has found out.
//
// Thread use: write() and sync_and_publish() from the log's writer thread, the rest from any.
// Private to this module.

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "stream/partition_state.h"
#include "stream/partition_view.h"
#include "stream/topic_settings.h"

namespace headrace::stream {

// An append on its way through the writer thread.
struct PendingAppend {
  EncodedBatch batch;
  Partition::AppendDone done;
  AppendResult result;
  std::exception_ptr error;
};

class PartitionWriter {
 public:
  PartitionWriter(FileSystem& files, Clock& clock, std::string directory,
                  const TopicSettings& settings, PartitionView& view, RecoveredPartition recovered);

  // Writes the batches in order, without a sync. Results and refusals go into the appends.
  void write(const std::vector<PendingAppend*>& appends);
  // Makes what was written durable (as the topic wants it) and visible. A failure goes into the
  // appends. Returns whether anything became visible.
  bool sync_and_publish(const std::vector<PendingAppend*>& appends);
  // Writes the state sidecar when enough was appended since the last; never throws.
  void checkpoint_if_due();
  // The same at the end of the process, so that the next start scans nothing.
  void close();

  // Begins a new segment when the active one was last written to before `time_ms`.
  void roll_if_older_than(int64_t time_ms);
  // The same when its first record came before `time_ms`; of records that were there when the log
  // was opened that is not known, and they count as older than anything.
  void roll_if_begun_before(int64_t time_ms);
  // The next record gets this offset; for a partition that has no records on this disk. conflict
  // when it has.
  void skip_to(Offset next_offset);

  // Why appends are refused; empty: they are not.
  std::string refusal() const;
  // Refuses appends until reopen().
  void refuse(const std::string& reason);
  // Closes the files, lets `recover` find out what is on disk, and goes on from there. What was
  // never acknowledged is cut off before: after a failed sync it may be in memory alone.
  void reopen(const std::function<RecoveredPartition()>& recover);
  // Refuses appends from now on and closes the files, for a topic that is deleted.
  void end_for_deletion();

 private:
  void take(RecoveredPartition recovered);
  void cut_unacknowledged();
  void begin_segment(const Segment& next);
  void refuse_if_unusable() const;
  void set_broken(const std::string& reason);
  void accept(PendingAppend& append, std::vector<std::string_view>& pieces);
  void write_pieces(std::vector<std::string_view>& pieces);
  void open_active();
  void append_index_entries();
  void open_index_files();
  void write_index_entries(const std::vector<IndexEntry>& entries);
  void finish_index_files();
  void fail_index(const Error& error);
  void roll();
  void sync();
  bool publish();
  void write_checkpoint();
  void break_with_current_exception(const std::vector<PendingAppend*>& appends);

  FileSystem& files_;
  Clock& clock_;
  const std::string directory_;
  const TopicSettings& settings_;
  PartitionView& view_;

  mutable std::mutex mutex_;  // guards all below
  std::string broken_;        // why it refuses; empty: it does not. As refusal_
  bool deleted_ = false;
  bool is_round_open_ = false;  // written, and not answered yet
  bool has_segment_ = false;
  Segment active_;         // as written; what is published may be behind
  bool is_begun_ = false;  // there are records in it
  int64_t begun_ms_ = 0;   // when the first was written
  PartitionState state_;
  IndexSpacing spacing_;
  std::unique_ptr<AppendFile> log_;  // opened by the first append
  std::unique_ptr<AppendFile> offset_index_;
  std::unique_ptr<AppendFile> time_index_;
  bool index_failed_ = false;            // of the active segment; it is rebuilt when it is needed
  std::vector<IndexEntry> old_entries_;  // of the active segment, until its index files are open
  PartitionView::Growth growth_;         // since the last publish
  uint64_t synced_bytes_ = 0;            // of the active segment
  uint64_t checkpoint_bytes_ = 0;

  mutable std::mutex refusal_mutex_;  // for those who must not wait for a write
  std::string refusal_;
};

}  // namespace headrace::stream
