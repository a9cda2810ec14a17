#pragma once

// A topic in memory that fails when told to: for tests of sources without a disk. Appends are
// answered from a thread of its own, as the log does. Positions are those of the batches it kept.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "stream/log.h"

namespace headrace::sources {

// What happens to the n-th append, counted from 1 over all partitions; 0: never.
struct AppendFaults {
  int refuse_at = 0;    // is refused at once, the next one is taken
  int fail_at = 0;      // is accepted, then fails, and with it all later ones: the topic is broken
  int broken_from = 0;  // this one and all later are refused: the process as good as died
};

class MemoryTopic final : public stream::Topic {
 public:
  explicit MemoryTopic(int partitions, stream::Compression compression = stream::Compression::kLz4);
  ~MemoryTopic() override;

  // From now on; mends a broken topic.
  void set_faults(const AppendFaults& faults);
  int append_count() const { return appends_; }
  void add_partition();

  // Values of a partition in order; of all partitions, one after the other.
  std::vector<std::string> values(int partition) const;
  std::vector<std::string> all_values() const;
  std::vector<stream::Batch> batches(int partition) const;
  // Waits until there are so many records in all; false after ten seconds.
  bool wait_for_records(size_t count) const;
  size_t record_count() const;

  const std::string& name() const override { return name_; }
  stream::TopicConfig config() const override { return config_; }
  int partition_count() const override { return static_cast<int>(partitions_.size()); }
  stream::Partition& partition(int index) const override;
  bool wait_for_any(const std::vector<stream::Offset>&, std::chrono::milliseconds,
                    std::stop_token) const override {
    return false;
  }

 private:
  class MemoryPartition;
  struct Queued {
    MemoryPartition* partition;
    stream::EncodedBatch batch;
    stream::Partition::AppendDone done;
    bool fails;
  };

  void append(MemoryPartition& partition, stream::EncodedBatch batch,
              stream::Partition::AppendDone done);
  void answer(std::stop_token stop);

  const std::string name_ = "events";
  stream::TopicConfig config_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  AppendFaults faults_;
  std::atomic<int> appends_{0};
  bool answering_ = false;
  bool failing_ = false;  // a queued append failed: all later ones fail, too
  std::deque<Queued> queue_;
  std::vector<std::unique_ptr<MemoryPartition>> partitions_;
  std::jthread writer_;
};

}  // namespace headrace::sources
