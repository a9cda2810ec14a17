#pragma once

// A topic in the local log directory. Private to this module.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "stream/local_partition.h"

namespace headrace::stream {

constexpr std::string_view kTopicFile = "topic.json";

std::string partition_directory(const std::string& topic_directory, int partition);

class LocalTopic final : public Topic {
 public:
  // Opens (recovers) the partitions that are there.
  LocalTopic(const LogContext& context, std::string name, std::string directory,
             const TopicConfig& config);

  const std::string& name() const override { return name_; }
  TopicConfig config() const override { return settings_.get(); }
  int partition_count() const override;
  Partition& partition(int index) const override;
  bool wait_for_any(const std::vector<Offset>& offsets, std::chrono::milliseconds timeout,
                    std::stop_token stop) const override;

  // Durably changes the settings and opens the partitions that are new.
  void alter(const TopicConfig& config);
  // conflict, naming the readers, when there are any.
  void refuse_if_read() const;
  // Throws why a partition could not be restored, when waiting will not help.
  void refuse_if_lost_for_good() const;
  // Removes what is in object storage, when it is this log's.
  void remove_remote();
  void apply_retention();
  void tend(const std::stop_token& stop);
  void refresh();
  void close();
  void end_for_deletion();

 private:
  void open_partitions(int count);
  void change_tier(const TieredStorage& storage, const std::function<void()>& save);
  std::vector<LocalPartition*> partitions() const;

  LogContext context_;
  const std::string name_;
  const std::string directory_;
  TopicSettings settings_;
  mutable Arrivals arrivals_;

  mutable std::mutex mutex_;  // guards the vector; it only grows
  std::vector<std::unique_ptr<LocalPartition>> partitions_;
};

}  // namespace headrace::stream
