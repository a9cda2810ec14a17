#include "stream/partition_writer.h"

#include <algorithm>

#include "base/error.h"
#include "telemetry/log.h"

namespace headrace::stream {
namespace {

// The most that recovery has to scan after a crash.
constexpr uint64_t kCheckpointIntervalBytes = 32 * 1024 * 1024;

}  // namespace

PartitionWriter::PartitionWriter(FileSystem& files, Clock& clock, std::string directory,
                                 const TopicSettings& settings, PartitionView& view,
                                 RecoveredPartition recovered)
    : files_(files),
      clock_(clock),
      directory_(std::move(directory)),
      settings_(settings),
      view_(view),
      spacing_(settings.get().index_interval_bytes) {
  take(std::move(recovered));
}

void PartitionWriter::take(RecoveredPartition recovered) {
  has_segment_ = !recovered.segments.empty();
  state_ = std::move(recovered.state);
  spacing_ = IndexSpacing(settings_.get().index_interval_bytes);
  old_entries_ = recovered.index.entries();
  checkpoint_bytes_ = recovered.checkpoint_bytes;
  index_failed_ = false;
  growth_ = {};
  active_ = has_segment_ ? recovered.segments.back() : Segment();
  synced_bytes_ = active_.size_bytes;
  is_begun_ = active_.size_bytes > 0;
  begun_ms_ = INT64_MIN;
  if (!has_segment_) return;
  spacing_.resume(old_entries_.empty() ? 0 : old_entries_.back().position,
                  active_.max_timestamp_ms);
}

void PartitionWriter::refuse_if_unusable() const {
  if (deleted_) fail(ErrorKind::kNotFound, "appending to {}: the topic was deleted", directory_);
  if (!broken_.empty()) {
    fail(ErrorKind::kUnavailable,
         "appending to {}: refused for now ({}); it goes on by itself when the cause is mended",
         directory_, broken_);
  }
}

void PartitionWriter::break_with_current_exception(const std::vector<PendingAppend*>& appends) {
  const std::exception_ptr error = std::current_exception();
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& failure) {
    set_broken(failure.what());
  }
  telemetry::log_error("stream", "a partition refuses appends until it can be opened again",
                       {{"directory", directory_}, {"reason", broken_}});
  for (PendingAppend* append : appends) {
    if (append->error == nullptr) append->error = error;
  }
}

void PartitionWriter::write(const std::vector<PendingAppend*>& appends) {
  std::lock_guard lock(mutex_);
  is_round_open_ = true;
  std::vector<std::string_view> pieces;
  try {
    for (PendingAppend* append : appends) accept(*append, pieces);
    write_pieces(pieces);
  } catch (...) {
    break_with_current_exception(appends);
  }
}

void PartitionWriter::accept(PendingAppend& append, std::vector<std::string_view>& pieces) {
  EncodedBatch& batch = append.batch;
  try {
    refuse_if_unusable();
    if (const auto duplicate = state_.producers.check(batch.producer, batch.record_count)) {
      append.result = *duplicate;
      return;
    }
  } catch (const Error&) {
    append.error = std::current_exception();  // this append alone
    return;
  }
  const auto segment_bytes = static_cast<uint64_t>(settings_.get().segment_bytes);
  if (active_.size_bytes > 0 && active_.size_bytes + batch.bytes.size() > segment_bytes) {
    write_pieces(pieces);
    roll();
  }
  write_base_offset(batch.bytes.data(), state_.next_offset);
  const std::optional<BatchHeader> header = parse_batch_header(batch.bytes);
  if (!header) fail(ErrorKind::kInternal, "appending to {}: the batch is not whole", directory_);
  append.result = {header->base_offset, header->last_offset(), false};
  if (const auto entry = spacing_.next(*header, active_.size_bytes)) {
    growth_.entries.push_back(*entry);
  }
  state_.apply(*header, batch.position);
  if (batch.position) growth_.positions[batch.position->source] = batch.position->position;
  active_.size_bytes += batch.bytes.size();
  active_.end_offset = state_.next_offset;
  active_.max_timestamp_ms = spacing_.max_timestamp_ms();
  pieces.push_back(batch.bytes);
}

void PartitionWriter::write_pieces(std::vector<std::string_view>& pieces) {
  if (pieces.empty()) return;
  open_active();
  log_->append_all(pieces);
  pieces.clear();
  active_.last_append_ms = millis_since_epoch(clock_.now());
  if (!is_begun_) {
    begun_ms_ = active_.last_append_ms;
    is_begun_ = true;
  }
  append_index_entries();
}

void PartitionWriter::open_active() {
  if (log_ != nullptr) return;
  const std::string path = segment_path(directory_, active_.base_offset, kLogSuffix);
  log_ = files_.open_append(path);
  if (!has_segment_) {
    files_.sync_directory(directory_);
    has_segment_ = true;
  }
}

// The files begin anew with what is known: what a crash left in them cannot be trusted.
void PartitionWriter::open_index_files() {
  if (offset_index_ != nullptr) return;
  time_index_ = files_.open_append(segment_path(directory_, active_.base_offset, kTimeIndexSuffix));
  time_index_->truncate(0);
  offset_index_ = files_.open_append(segment_path(directory_, active_.base_offset, kIndexSuffix));
  offset_index_->truncate(0);
  write_index_entries(old_entries_);
  old_entries_.clear();
}

void PartitionWriter::write_index_entries(const std::vector<IndexEntry>& entries) {
  std::string offsets;
  std::string times;
  for (const IndexEntry& entry : entries) {
    offsets += encode_offset_entry(entry);
    times += encode_time_entry(entry);
  }
  // Time first: a reader takes no more entries than the offset index has.
  time_index_->append(times);
  offset_index_->append(offsets);
}

// Indexes are hints: a failure to write them costs a rebuild, not the append.
void PartitionWriter::append_index_entries() {
  if (index_failed_) return;
  try {
    if (old_entries_.empty() && growth_.entries.empty()) return;
    open_index_files();
    write_index_entries(growth_.entries);
  } catch (const Error& error) {
    fail_index(error);
  }
}

void PartitionWriter::fail_index(const Error& error) {
  index_failed_ = true;
  telemetry::log_warning("stream", "the index of a segment could not be written",
                         {{"directory", directory_}, {"reason", error.message()}});
}

bool PartitionWriter::sync_and_publish(const std::vector<PendingAppend*>& appends) {
  std::lock_guard lock(mutex_);
  is_round_open_ = false;
  try {
    refuse_if_unusable();
    if (settings_.get().durability == Durability::kDisk) sync();
    return publish();
  } catch (const Error&) {
    if (broken_.empty() && !deleted_) {
      break_with_current_exception(appends);
    } else {
      for (PendingAppend* append : appends) {
        if (append->error == nullptr) append->error = std::current_exception();
      }
    }
    return false;
  }
}

void PartitionWriter::sync() {
  if (synced_bytes_ == active_.size_bytes) return;
  log_->sync_data();
  synced_bytes_ = active_.size_bytes;
}

bool PartitionWriter::publish() {
  if (view_.end_offset() == active_.end_offset) return false;
  growth_.active = active_;
  view_.grow(growth_);
  growth_.entries.clear();
  growth_.positions.clear();
  return true;
}

// Only the last segment may be torn, so the present one is synced before the next begins; and the
// next one's state is durable before there is a next one.
void PartitionWriter::roll() {
  sync();
  publish();
  finish_index_files();
  Segment next;
  next.base_offset = state_.next_offset;
  next.end_offset = state_.next_offset;
  next.last_append_ms = millis_since_epoch(clock_.now());
  begin_segment(next);
}

void PartitionWriter::begin_segment(const Segment& next) {
  files_.write_atomically(segment_path(directory_, next.base_offset, kStateSuffix),
                          to_json_text({next.base_offset, 0, INT64_MIN, state_}));
  log_ = files_.open_append(segment_path(directory_, next.base_offset, kLogSuffix));
  files_.sync_directory(directory_);
  has_segment_ = true;
  active_ = next;
  is_begun_ = false;
  spacing_ = IndexSpacing(settings_.get().index_interval_bytes);
  synced_bytes_ = 0;
  checkpoint_bytes_ = 0;
  view_.begin_segment(next);
}

void PartitionWriter::finish_index_files() {
  if (!index_failed_) {
    try {
      open_index_files();
      time_index_->append(encode_time_end(active_.end_offset, active_.max_timestamp_ms));
    } catch (const Error& error) {
      fail_index(error);
    }
  }
  time_index_.reset();
  offset_index_.reset();
  old_entries_.clear();
  index_failed_ = false;
}

void PartitionWriter::roll_if_older_than(int64_t time_ms) {
  std::lock_guard lock(mutex_);
  if (deleted_ || !broken_.empty() || active_.size_bytes == 0 ||
      active_.last_append_ms >= time_ms) {
    return;
  }
  try {
    roll();
  } catch (const Error&) {
    break_with_current_exception({});
    throw;
  }
}

void PartitionWriter::roll_if_begun_before(int64_t time_ms) {
  std::lock_guard lock(mutex_);
  if (deleted_ || !broken_.empty() || active_.size_bytes == 0 || begun_ms_ >= time_ms) return;
  try {
    roll();
  } catch (const Error&) {
    break_with_current_exception({});
    throw;
  }
}

void PartitionWriter::skip_to(Offset next_offset) {
  std::lock_guard lock(mutex_);
  refuse_if_unusable();
  if (next_offset <= state_.next_offset) return;
  if (active_.size_bytes > 0 || view_.segments().size() > 1) {
    fail(ErrorKind::kConflict,
         "going on at offset {} in {}: there are records already, and the next one has offset {}",
         next_offset, directory_, state_.next_offset);
  }
  try {
    state_.next_offset = next_offset;
    Segment next;
    next.base_offset = next_offset;
    next.end_offset = next_offset;
    next.last_append_ms = millis_since_epoch(clock_.now());
    const bool replaces = has_segment_;
    const Offset before = active_.base_offset;
    time_index_.reset();
    offset_index_.reset();
    old_entries_.clear();
    begin_segment(next);
    if (replaces) {
      view_.drop_oldest();
      files_.remove(segment_path(directory_, before, kLogSuffix));
      files_.remove(segment_path(directory_, before, kStateSuffix));
    }
  } catch (...) {
    break_with_current_exception({});
    throw;
  }
}

std::string PartitionWriter::refusal() const {
  std::lock_guard lock(refusal_mutex_);
  return refusal_;
}

void PartitionWriter::set_broken(const std::string& reason) {
  broken_ = reason;
  std::lock_guard lock(refusal_mutex_);
  refusal_ = reason;
}

void PartitionWriter::refuse(const std::string& reason) {
  std::lock_guard lock(mutex_);
  set_broken(reason);
}

void PartitionWriter::cut_unacknowledged() {
  const std::vector<Segment> published = view_.segments();
  const Segment active = published.empty() ? Segment() : published.back();
  const std::string path = segment_path(directory_, active.base_offset, kLogSuffix);
  if (!files_.exists(path)) return;  // never written
  const std::unique_ptr<AppendFile> file = files_.open_append(path);
  if (file->size_bytes() <= active.size_bytes) return;
  file->truncate(active.size_bytes);
  file->sync_data();
}

void PartitionWriter::reopen(const std::function<RecoveredPartition()>& recover) {
  std::lock_guard lock(mutex_);
  if (deleted_) return;
  // Its appends would be answered as if they were still there.
  if (is_round_open_) fail(ErrorKind::kUnavailable, "opening {} again: it is in use", directory_);
  log_.reset();
  offset_index_.reset();
  time_index_.reset();
  cut_unacknowledged();
  RecoveredPartition recovered = recover();
  const Offset end = recovered.segments.empty() ? 0 : recovered.segments.back().end_offset;
  if (end < view_.end_offset()) {
    fail(ErrorKind::kCorrupt,
         "opening {} again: it ends at offset {}, and records up to {} were acknowledged; restore "
         "it from a copy",
         directory_, end, view_.end_offset());
  }
  view_.reset(recovered);
  take(std::move(recovered));
  set_broken({});
}

void PartitionWriter::checkpoint_if_due() {
  std::lock_guard lock(mutex_);
  if (active_.size_bytes - checkpoint_bytes_ >= kCheckpointIntervalBytes) write_checkpoint();
}

void PartitionWriter::close() {
  std::lock_guard lock(mutex_);
  if (active_.size_bytes > checkpoint_bytes_) write_checkpoint();
}

void PartitionWriter::write_checkpoint() {
  if (deleted_ || !broken_.empty()) return;
  try {
    sync();
  } catch (const Error&) {
    break_with_current_exception({});
    return;
  }
  try {
    files_.write_atomically(
        segment_path(directory_, active_.base_offset, kStateSuffix),
        to_json_text({active_.base_offset, active_.size_bytes, active_.max_timestamp_ms, state_}));
    checkpoint_bytes_ = active_.size_bytes;
  } catch (const Error& error) {
    telemetry::log_warning("stream", "the state of a segment could not be written",
                           {{"directory", directory_}, {"reason", error.message()}});
  }
}

void PartitionWriter::end_for_deletion() {
  std::lock_guard lock(mutex_);
  deleted_ = true;
  log_.reset();
  offset_index_.reset();
  time_index_.reset();
}

}  // namespace headrace::stream
