#include "stream/local_partition.h"

#include <condition_variable>
#include <mutex>

#include "base/error.h"
#include "stream/segment_scan.h"

namespace headrace::stream {
namespace {

// Lets the caller of append() sleep until the writer thread has answered.
class AppendWaiter {
 public:
  void answer(const AppendResult* result, const std::exception_ptr& error) {
    std::lock_guard lock(mutex_);
    if (result != nullptr) result_ = *result;
    error_ = error;
    answered_ = true;
    changed_.notify_one();  // under the lock: the waiter is gone the moment it sees the answer
  }
  AppendResult wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return answered_; });
    if (error_ != nullptr) std::rethrow_exception(error_);
    return result_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool answered_ = false;
  AppendResult result_;
  std::exception_ptr error_;
};

}  // namespace

LocalPartition::LocalPartition(const LogContext& context, std::string name, std::string directory,
                               const TopicSettings& settings, Arrivals& arrivals,
                               PartitionMetrics metrics)
    : context_(context),
      name_(std::move(name)),
      directory_(std::move(directory)),
      settings_(settings),
      arrivals_(arrivals),
      recovery_options_{settings.get().index_interval_bytes, context.writer == nullptr},
      recovered_(recover_partition(context.files, directory_, recovery_options_)),
      view_(context.files, directory_, recovery_options_.index_interval_bytes) {
  view_.reset(recovered_);
  if (context_.writer != nullptr) {
    writer_ = std::make_unique<PartitionWriter>(context_.files, context_.clock, directory_,
                                                settings_, view_, std::move(recovered_));
    target_.reset(new AppendTarget{*writer_, view_, arrivals_, metrics});
    target_->update_gauges();
  }
}

void LocalPartition::check(const EncodedBatch& batch) const {
  if (writer_ == nullptr) fail(ErrorKind::kInvalid, "appending to {}: it is read-only", name_);
  const std::optional<BatchHeader> header = parse_batch_header(batch.bytes);
  if (!header || header->total_bytes() != batch.bytes.size() ||
      header->record_count != batch.record_count ||
      header->last_offset_delta != batch.record_count - 1 ||
      header->producer.producer_id != batch.producer.producer_id ||
      header->producer.producer_epoch != batch.producer.producer_epoch ||
      header->producer.base_sequence != batch.producer.base_sequence) {
    fail(ErrorKind::kInvalid, "appending to {}: these {} bytes are not one encoded batch", name_,
         batch.bytes.size());
  }
  if (batch.producer.producer_id >= 0 &&
      (batch.producer.producer_epoch < 0 || batch.producer.base_sequence < 0)) {
    fail(ErrorKind::kInvalid, "appending to {}: producer {} gives no epoch or no sequence", name_,
         batch.producer.producer_id);
  }
  const int64_t max_bytes = settings_.get().max_batch_bytes;
  if (static_cast<int64_t>(batch.bytes.size()) > max_bytes) {
    fail(ErrorKind::kInvalid,
         "appending to {}: the batch has {} bytes, at most {} are allowed; send smaller batches or "
         "raise the topic's max_batch_bytes",
         name_, batch.bytes.size(), max_bytes);
  }
}

AppendResult LocalPartition::append(EncodedBatch batch) {
  AppendWaiter waiter;
  append_async(std::move(batch), [&](const AppendResult* result, const std::exception_ptr& error) {
    waiter.answer(result, error);
  });
  return waiter.wait();
}

void LocalPartition::append_async(EncodedBatch batch, AppendDone done) {
  try {
    check(batch);
    context_.writer->enqueue(*target_, std::move(batch), done);
  } catch (const Error&) {
    done(nullptr, std::current_exception());
  }
}

void LocalPartition::check_range(Offset from) const {
  const Offset start = start_offset();
  if (from < start) {
    fail(ErrorKind::kNotFound,
         "reading {} from offset {}: the oldest record kept has offset {}; begin there", name_,
         from, start);
  }
  const Offset end = end_offset();
  if (from > end) {
    fail(ErrorKind::kInvalid, "reading {} from offset {}: it ends at offset {}", name_, from, end);
  }
}

std::vector<Batch> LocalPartition::read(Offset from, Offset until, size_t max_bytes) const {
  std::vector<Batch> batches;
  check_range(from);
  size_t budget_bytes = max_bytes;
  while (from < std::min(until, end_offset()) && (batches.empty() || budget_bytes > 0)) {
    PartitionView::Place place;
    try {
      place = view_.place_of(from);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound) throw;
      if (!batches.empty()) break;
      check_range(from);  // retention dropped the segment meanwhile
      throw;
    }
    const Offset next = read_segment(place, from, until, budget_bytes, batches);
    if (next == from) break;
    from = next;
  }
  return batches;
}

Offset LocalPartition::read_segment(const PartitionView::Place& place, Offset from, Offset until,
                                    size_t& budget_bytes, std::vector<Batch>& into) const {
  const std::string_view bytes = place.mapping->bytes().substr(0, place.segment.size_bytes);
  uint64_t at = place.position;
  while (at < bytes.size() && from < until) {
    const std::string_view rest = bytes.substr(at);
    const std::optional<BatchHeader> header = parse_batch_header(rest);
    const auto where = [&] {
      return format("reading {} at byte {}",
                    segment_path(directory_, place.segment.base_offset, kLogSuffix), at);
    };
    if (!header) fail(ErrorKind::kCorrupt, "{}: there is no batch; restore the file", where());
    const size_t size = header->total_bytes();
    if (header->last_offset() >= from) {
      if (!into.empty() && size > budget_bytes) {
        budget_bytes = 0;
        return from;
      }
      try {
        into.push_back(decode_batch(rest.substr(0, size), place.mapping));
      } catch (const Error& error) {
        throw error.with_context(where());
      }
      budget_bytes -= std::min(size, budget_bytes);
      from = header->next_offset();
    }
    at += size;
  }
  return from;
}

Offset LocalPartition::offset_for_time(int64_t timestamp_ms) const {
  const std::optional<PartitionView::Place> place = view_.place_of_time(timestamp_ms);
  if (!place) return end_offset();
  std::optional<Offset> found;
  walk_segment(place->mapping->bytes(), place->position, place->segment.size_bytes,
               segment_path(directory_, place->segment.base_offset, kLogSuffix),
               [&](const BatchHeader& header, uint64_t, std::string_view) {
                 if (!found && header.max_timestamp_ms >= timestamp_ms) found = header.base_offset;
               });
  return found.value_or(place->segment.end_offset);
}

bool LocalPartition::wait_for(Offset offset, std::chrono::milliseconds timeout,
                              std::stop_token stop) const {
  return arrivals_.wait(timeout, std::move(stop), [&] { return end_offset() > offset; });
}

std::optional<std::string> LocalPartition::source_position(const std::string& source) const {
  return view_.source_position(source);
}

std::vector<SourcePosition> LocalPartition::source_positions() const {
  std::vector<SourcePosition> all;
  for (const auto& [source, position] : view_.source_positions()) all.push_back({source, position});
  return all;
}

std::unique_ptr<ReaderRegistration> LocalPartition::register_reader(const std::string& name,
                                                                    Offset next_needed) {
  return readers_->add(name, next_needed);
}

std::vector<std::pair<std::string, Offset>> LocalPartition::readers() const {
  return readers_->readers();
}

bool LocalPartition::may_drop(const Segment& oldest, const TopicConfig& config,
                              uint64_t total_bytes) const {
  const int64_t now_ms = millis_since_epoch(context_.clock.now());
  const bool is_too_old =
      config.retention_ms >= 0 && oldest.last_append_ms < now_ms - config.retention_ms;
  const bool is_too_much =
      config.retention_bytes >= 0 &&
      total_bytes - oldest.size_bytes >= static_cast<uint64_t>(config.retention_bytes);
  if (!is_too_old && !is_too_much) return false;
  const std::optional<Offset> slowest = readers_->slowest();
  return config.retention_ignores_readers || !slowest || oldest.end_offset <= *slowest;
}

void LocalPartition::apply_retention() {
  if (writer_ == nullptr) return;
  const TopicConfig config = settings_.get();
  if (config.retention_ms >= 0) {
    writer_->roll_if_older_than(millis_since_epoch(context_.clock.now()) - config.retention_ms);
  }
  for (;;) {
    const std::vector<Segment> segments = view_.segments();
    if (segments.size() < 2 || !may_drop(segments.front(), config, view_.size_bytes())) break;
    view_.drop_oldest();
    remove_files(segments.front());
  }
  target_->update_gauges();
}

// The log first: sidecars without a log are swept up at the next start.
void LocalPartition::remove_files(const Segment& segment) {
  for (const std::string_view suffix : {kLogSuffix, kIndexSuffix, kTimeIndexSuffix, kStateSuffix}) {
    context_.files.remove(segment_path(directory_, segment.base_offset, suffix));
  }
}

void LocalPartition::refresh() {
  if (writer_ != nullptr) return;
  if (!extend_partition(context_.files, directory_, recovery_options_, recovered_)) {
    recovered_ = recover_partition(context_.files, directory_, recovery_options_);
  }
  view_.reset(recovered_);
  arrivals_.notify();
}

void LocalPartition::close() {
  if (writer_ != nullptr) writer_->close();
}

void LocalPartition::end_for_deletion() {
  if (writer_ != nullptr) writer_->end_for_deletion();
}

}  // namespace headrace::stream
