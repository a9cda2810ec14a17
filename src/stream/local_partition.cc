#include "stream/local_partition.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "stream/retention.h"
#include "telemetry/log.h"

namespace headrace::stream {
namespace {

constexpr milliseconds kFirstReopeningPause{1'000};
constexpr milliseconds kLongestReopeningPause{30'000};
constexpr size_t kProbeBytes = 64 * 1024;

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

LocalPartition::LocalPartition(const LogContext& context, std::string topic, int index,
                               std::string directory, const TopicSettings& settings,
                               Arrivals& arrivals)
    : context_(context),
      topic_(std::move(topic)),
      index_(index),
      name_(format("{}/{}", topic_, index)),
      directory_(std::move(directory)),
      settings_(settings),
      arrivals_(arrivals),
      recovery_options_{settings.get().index_interval_bytes, context.writer == nullptr},
      view_(context.files, directory_, recovery_options_.index_interval_bytes) {
  const std::string uri = settings.get().tiered_storage.uri;
  if (!uri.empty()) {
    tier_ = new_tier(uri);
    tier_->remote().load_copy();
    if (context_.writer != nullptr && tier_->is_local_log_lost()) restore();
  }
  recovered_ = recover_partition(context_.files, directory_, recovery_options_);
  view_.reset(recovered_);
  if (context_.writer == nullptr) return;
  writer_ = std::make_unique<PartitionWriter>(context_.files, context_.clock, directory_, settings_,
                                              view_, std::move(recovered_));
  target_.reset(new AppendTarget{*writer_, *this, arrivals_,
                                 make_partition_metrics(context_.metrics, topic_, index_)});
  if (loss_) writer_->refuse(loss_->message());
  target_->update_gauges();
}

std::shared_ptr<PartitionTier> LocalPartition::new_tier(const std::string& uri) {
  if (context_.remote == nullptr) {
    fail(ErrorKind::kInvalid,
         "opening {}: its tiered_storage.uri is {}, and there is no object "
         "storage in this process",
         name_, uri);
  }
  return std::make_shared<PartitionTier>(
      TierOwner{context_.files, context_.clock, name_, directory_, settings_, view_, *readers_},
      std::make_unique<RemotePartition>(*context_.remote, uri, topic_, index_, directory_),
      make_tier_metrics(context_.metrics, topic_, index_));
}

// What the object storage says may be passing; nothing is given away meanwhile.
void LocalPartition::restore() {
  Offset least_offset = 0;
  {
    const std::lock_guard lock(mutex_);
    least_offset = least_offset_;
  }
  std::optional<Error> loss;
  try {
    current_tier()->restore(least_offset);
  } catch (const Error& error) {
    loss = error.with_context(format(
        "{} has no local records, and which there were is not known until its object storage says",
        name_));
  }
  const std::lock_guard lock(mutex_);
  loss_ = std::move(loss);
}

std::optional<Error> LocalPartition::loss() const {
  const std::lock_guard lock(mutex_);
  return loss_;
}

void LocalPartition::check_ready() const {
  if (const auto lost = loss()) throw Error(ErrorKind::kUnavailable, lost->message());
}

std::shared_ptr<PartitionTier> LocalPartition::current_tier() const {
  const std::lock_guard lock(mutex_);
  return tier_;
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

Offset LocalPartition::start_offset() const {
  const Offset local = view_.start_offset();
  const auto tier = current_tier();
  const auto manifest = tier == nullptr ? nullptr : tier->remote().manifest();
  if (manifest == nullptr || manifest->segments.empty()) return local;
  const Offset remote = manifest->segments.front().segment.base_offset;
  return view_.segments().empty() ? remote : std::min(local, remote);
}

std::vector<SegmentInfo> LocalPartition::segments() const {
  std::vector<SegmentInfo> all;
  const auto add = [&](const Segment& segment) -> SegmentInfo& {
    return all.emplace_back(SegmentInfo{segment.base_offset,
                                        segment.end_offset,
                                        segment.size_bytes,
                                        segment.max_timestamp_ms,
                                        segment.last_append_ms,
                                        false,
                                        {}});
  };
  const std::vector<Segment> local = view_.segments();
  const auto tier = current_tier();
  const auto manifest = tier == nullptr ? nullptr : tier->remote().manifest();
  if (manifest != nullptr) {
    for (const RemoteSegment& remote : manifest->segments) {
      add(remote.segment).uri = tier->remote().uri_of(remote);
    }
  }
  const auto remote_count = static_cast<ptrdiff_t>(all.size());
  for (const Segment& segment : local) {
    const auto end = all.begin() + remote_count;
    const auto same = std::lower_bound(
        all.begin(), end, segment.base_offset,
        [](const SegmentInfo& info, Offset base) { return info.base_offset < base; });
    const bool is_remote = same != end && same->base_offset == segment.base_offset;
    (is_remote ? *same : add(segment)).is_local = true;
  }
  return all;
}

// Asked for at every append: does not go through the remote segments.
uint64_t LocalPartition::size_bytes() const {
  const auto tier = current_tier();
  const auto manifest = tier == nullptr ? nullptr : tier->remote().manifest();
  if (manifest == nullptr) return view_.size_bytes();
  uint64_t sum = tier->remote().size_bytes();
  for (const Segment& segment : view_.segments()) {
    if (segment.base_offset >= manifest->next_offset()) sum += segment.size_bytes;
  }
  return sum;
}

std::optional<TierStatus> LocalPartition::tier() const {
  const auto tier = current_tier();
  return tier == nullptr ? std::nullopt : std::optional(tier->status());
}

std::string LocalPartition::refusal() const {
  return writer_ == nullptr ? std::string() : writer_->refusal();
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

void LocalPartition::apply_retention() {
  if (writer_ == nullptr || loss()) return;
  const std::lock_guard lock(tending_);
  if (const auto tier = current_tier()) {
    tier->apply_retention(*writer_);
    target_->update_gauges();
    return;
  }
  const TopicConfig config = settings_.get();
  const int64_t now_ms = millis_since_epoch(context_.clock.now());
  if (config.retention_ms >= 0) writer_->roll_if_older_than(now_ms - config.retention_ms);
  for (;;) {
    const std::vector<Segment> segments = view_.segments();
    if (segments.size() < 2 ||
        !may_drop(segments.front(), config, now_ms, view_.size_bytes(), readers_->slowest())) {
      break;
    }
    view_.drop_oldest();
    remove_segment_files(context_.files, directory_, segments.front().base_offset);
  }
  target_->update_gauges();
}

void LocalPartition::tend(const std::stop_token& stop) {
  if (writer_ == nullptr) return;
  const std::lock_guard lock(tending_);
  reopen_if_due();
  if (const auto tier = current_tier(); tier != nullptr && !loss()) {
    tier->tend(*writer_, stop);
    target_->update_gauges();
  }
}

void LocalPartition::reopen_if_due() {
  if (writer_->refusal().empty()) return;
  const SteadyTime now = context_.clock.steady_now();
  if (now < next_reopening_) return;
  if (now >= next_reopening_ + kLongestReopeningPause) reopening_pause_ = milliseconds(0);
  // Also after a success, should the next write fail again.
  reopening_pause_ = std::clamp(2 * reopening_pause_, kFirstReopeningPause, kLongestReopeningPause);
  next_reopening_ = now + reopening_pause_;
  try {
    if (loss()) restore();
    check_ready();
    probe_disk();
    writer_->reopen(
        [&] { return recover_partition(context_.files, directory_, recovery_options_); });
    telemetry::log_info("stream", "a partition takes appends again", {{"partition", name_}});
    target_->update_gauges();
    arrivals_.notify();
  } catch (const Error& error) {
    if (const auto lost = loss()) writer_->refuse(lost->message());
    telemetry::log_debug("stream", "a partition cannot be opened again yet",
                         {{"partition", name_}, {"reason", error.message()}});
  }
}

// Whether there is room for more than the next few records.
void LocalPartition::probe_disk() {
  const std::string path = directory_ + "/probe";
  context_.files.write_atomically(path, std::string(kProbeBytes, '\0'));
  context_.files.remove(path);
}

void LocalPartition::skip_to(Offset next_offset) {
  if (writer_ == nullptr || current_tier() == nullptr) return;
  const std::lock_guard tending(tending_);
  {
    const std::lock_guard lock(mutex_);
    least_offset_ = std::max(least_offset_, next_offset);
    if (loss_) return;  // restore() sees to it
  }
  const Offset before = end_offset();
  if (next_offset <= before) return;
  writer_->skip_to(next_offset);
  telemetry::log_warning("stream", "a partition goes on after records that are gone",
                         {{"partition", name_}, {"from", before}, {"next_offset", next_offset}});
  target_->update_gauges();
}

std::shared_ptr<PartitionTier> LocalPartition::make_tier(const std::string& uri) {
  auto tier = new_tier(uri);
  tier->remote().load_copy();
  const std::lock_guard lock(tending_);
  try {
    tier->connect();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnavailable && error.kind() != ErrorKind::kTimeout) throw;
    telemetry::log_warning("stream", "object storage does not answer; segments stay here for now",
                           {{"partition", name_}, {"reason", error.message()}});
  }
  return tier;
}

std::shared_ptr<PartitionTier> LocalPartition::set_tier(std::shared_ptr<PartitionTier> tier) {
  const std::lock_guard tending(tending_);
  const std::lock_guard lock(mutex_);
  return std::exchange(tier_, std::move(tier));
}

void LocalPartition::refuse_if_remote(const std::string& doing) const {
  const auto tier = current_tier();
  if (tier == nullptr) return;
  if (const auto lost = loss()) throw lost->with_context(doing);
  const TierStatus status = tier->status();
  if (status.remote_segments == 0) return;
  fail(ErrorKind::kInvalid,
       "{}: {} segments with {} bytes of {} are in {}, and would not be found any more. Keep "
       "tiered_storage.uri as it is (local_retention decides what stays on the disk as well), or "
       "make another topic for new records",
       doing, status.remote_segments, status.remote_bytes, name_, status.folder);
}

void LocalPartition::remove_remote() {
  const auto tier = current_tier();
  if (tier == nullptr) return;
  const std::lock_guard lock(tending_);
  try {
    tier->remote().remove_all();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDenied) throw;
    telemetry::log_warning("stream", "remote segments stay, because they belong to another log",
                           {{"partition", name_}, {"folder", tier->remote().folder()}});
  }
}

void LocalPartition::refresh() {
  if (writer_ != nullptr) return;
  if (const auto tier = current_tier()) tier->remote().load_copy();
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
