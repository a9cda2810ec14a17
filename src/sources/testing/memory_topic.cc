#include "sources/testing/memory_topic.h"

#include <future>

#include "base/error.h"

namespace headrace::sources {

class MemoryTopic::MemoryPartition final : public stream::Partition {
 public:
  explicit MemoryPartition(MemoryTopic& topic) : topic_(topic) {}

  stream::AppendResult append(stream::EncodedBatch batch) override {
    std::promise<stream::AppendResult> promise;
    append_async(std::move(batch),
                 [&](const stream::AppendResult* result, const std::exception_ptr& error) {
                   if (error) {
                     promise.set_exception(error);
                   } else {
                     promise.set_value(*result);
                   }
                 });
    return promise.get_future().get();
  }
  void append_async(stream::EncodedBatch batch, AppendDone done) override {
    topic_.append(*this, std::move(batch), std::move(done));
  }

  stream::Offset start_offset() const override { return 0; }
  stream::Offset end_offset() const override {
    std::lock_guard lock(topic_.mutex_);
    return end_offset_;
  }
  uint64_t size_bytes() const override { return 0; }
  int segment_count() const override { return 1; }
  std::vector<stream::Batch> read(stream::Offset, stream::Offset, size_t) const override {
    return batches();
  }
  stream::Offset offset_for_time(int64_t) const override { return 0; }
  bool wait_for(stream::Offset, std::chrono::milliseconds, std::stop_token) const override {
    return false;
  }
  std::optional<std::string> source_position(const std::string& source) const override {
    std::lock_guard lock(topic_.mutex_);
    const auto found = positions_.find(source);
    if (found == positions_.end()) return std::nullopt;
    return found->second;
  }
  std::vector<stream::SourcePosition> source_positions() const override {
    std::lock_guard lock(topic_.mutex_);
    std::vector<stream::SourcePosition> list;
    for (const auto& [source, position] : positions_) list.push_back({source, position});
    return list;
  }
  std::unique_ptr<stream::ReaderRegistration> register_reader(const std::string&,
                                                              stream::Offset) override {
    fail(ErrorKind::kUnsupported, "registering a reader of a topic in memory");
  }
  std::vector<std::pair<std::string, stream::Offset>> readers() const override { return {}; }

  std::vector<stream::Batch> batches() const {
    std::lock_guard lock(topic_.mutex_);
    return batches_;
  }

  // Under the topic's lock.
  stream::AppendResult keep(const stream::EncodedBatch& batch) {
    const auto bytes = std::make_shared<const std::string>(batch.bytes);
    batches_.push_back(stream::decode_batch(*bytes, bytes));
    // What the batch itself says: the tests thereby check that it does.
    if (const auto position = batches_.back().position()) {
      positions_[position->source] = position->position;
    }
    const stream::AppendResult result{end_offset_, end_offset_ + batch.record_count - 1, false};
    end_offset_ += batch.record_count;
    return result;
  }

 private:
  MemoryTopic& topic_;
  std::vector<stream::Batch> batches_;
  std::map<std::string, std::string> positions_;
  stream::Offset end_offset_ = 0;
};

MemoryTopic::MemoryTopic(int partitions, stream::Compression compression) {
  config_.partitions = partitions;
  config_.compression = compression;
  for (int i = 0; i < partitions; ++i) add_partition();
  writer_ = std::jthread([this](const std::stop_token& stop) { answer(stop); });
}

MemoryTopic::~MemoryTopic() = default;

void MemoryTopic::add_partition() {
  partitions_.push_back(std::make_unique<MemoryPartition>(*this));
}

void MemoryTopic::set_faults(const AppendFaults& faults) {
  std::unique_lock lock(mutex_);
  // A log is reopened only after all that failed was answered.
  changed_.wait(lock, [&] { return queue_.empty() && !answering_; });
  faults_ = faults;
  appends_ = 0;
  failing_ = false;
}

stream::Partition& MemoryTopic::partition(int index) const {
  return *partitions_.at(static_cast<size_t>(index));
}

void MemoryTopic::append(MemoryPartition& partition, stream::EncodedBatch batch,
                         stream::Partition::AppendDone done) {
  std::unique_lock lock(mutex_);
  const int number = ++appends_;
  if (failing_ || number == faults_.refuse_at ||
      (faults_.broken_from > 0 && number >= faults_.broken_from)) {
    lock.unlock();
    done(nullptr,
         std::make_exception_ptr(Error(ErrorKind::kUnavailable, "appending: injected refusal")));
    return;
  }
  queue_.push_back({&partition, std::move(batch), std::move(done), number == faults_.fail_at});
  changed_.notify_all();
}

void MemoryTopic::answer(std::stop_token stop) {
  while (true) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return !queue_.empty(); })) return;
    Queued next = std::move(queue_.front());
    queue_.pop_front();
    answering_ = true;
    failing_ = failing_ || next.fails;
    std::optional<stream::AppendResult> result;
    if (!failing_) result = next.partition->keep(next.batch);
    lock.unlock();
    const std::exception_ptr error =
        result ? nullptr
               : std::make_exception_ptr(
                     Error(ErrorKind::kUnavailable, "appending: injected failure of the disk"));
    next.done(result ? &*result : nullptr, error);
    lock.lock();
    answering_ = false;
    changed_.notify_all();
  }
}

std::vector<stream::Batch> MemoryTopic::batches(int partition) const {
  return partitions_.at(static_cast<size_t>(partition))->batches();
}

std::vector<std::string> MemoryTopic::values(int partition) const {
  std::vector<std::string> list;
  for (const stream::Batch& batch : batches(partition)) {
    batch.for_each(
        [&](const stream::RecordView& record) { list.emplace_back(record.value.value_or("")); });
  }
  return list;
}

std::vector<std::string> MemoryTopic::all_values() const {
  std::vector<std::string> list;
  for (int p = 0; p < partition_count(); ++p) {
    for (std::string& value : values(p)) list.push_back(std::move(value));
  }
  return list;
}

size_t MemoryTopic::record_count() const {
  size_t count = 0;
  for (const auto& partition : partitions_) count += static_cast<size_t>(partition->end_offset());
  return count;
}

bool MemoryTopic::wait_for_records(size_t count) const {
  for (int i = 0; i < 10'000; ++i) {
    if (record_count() >= count) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace headrace::sources
