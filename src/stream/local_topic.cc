#include "stream/local_topic.h"

#include <algorithm>

#include "base/error.h"

namespace headrace::stream {

std::string partition_directory(const std::string& topic_directory, int partition) {
  return format("{}/{}", topic_directory, partition);
}

LocalTopic::LocalTopic(const LogContext& context, std::string name, std::string directory,
                       const TopicConfig& config)
    : context_(context),
      name_(std::move(name)),
      directory_(std::move(directory)),
      settings_(config) {
  open_partitions(config.partitions);
}

void LocalTopic::open_partitions(int count) {
  for (int i = partition_count(); i < count; ++i) {
    const std::string directory = partition_directory(directory_, i);
    if (!context_.files.exists(directory)) {
      fail(ErrorKind::kCorrupt, "opening topic {}: its directory {} is missing; restore it", name_,
           directory);
    }
    auto partition =
        std::make_unique<LocalPartition>(context_, name_, i, directory, settings_, arrivals_);
    std::lock_guard lock(mutex_);
    partitions_.push_back(std::move(partition));
  }
}

int LocalTopic::partition_count() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(partitions_.size());
}

Partition& LocalTopic::partition(int index) const {
  std::lock_guard lock(mutex_);
  if (index < 0 || static_cast<size_t>(index) >= partitions_.size()) {
    fail(ErrorKind::kNotFound, "topic {} has no partition {}: it has {}, counted from 0", name_,
         index, partitions_.size());
  }
  return *partitions_[static_cast<size_t>(index)];
}

std::vector<LocalPartition*> LocalTopic::partitions() const {
  std::lock_guard lock(mutex_);
  std::vector<LocalPartition*> all;
  for (const auto& partition : partitions_) all.push_back(partition.get());
  return all;
}

bool LocalTopic::wait_for_any(const std::vector<Offset>& offsets, std::chrono::milliseconds timeout,
                              std::stop_token stop) const {
  const std::vector<LocalPartition*> all = partitions();
  const size_t count = std::min(all.size(), offsets.size());
  return arrivals_.wait(timeout, std::move(stop), [&] {
    for (size_t i = 0; i < count; ++i) {
      if (all[i]->end_offset() > offsets[i]) return true;
    }
    return false;
  });
}

void LocalTopic::alter(const TopicConfig& config) {
  const int present = partition_count();
  if (config.partitions < present) {
    fail(ErrorKind::kInvalid, "changing topic {}: it has {} partitions, and they cannot become {}",
         name_, present, config.partitions);
  }
  for (int i = present; i < config.partitions; ++i) {
    context_.files.create_directories(partition_directory(directory_, i));
  }
  context_.files.sync_directory(directory_);
  const auto save = [&] {
    context_.files.write_atomically(format("{}/{}", directory_, kTopicFile), to_json_text(config));
    settings_.set(config);
  };
  if (config.tiered_storage.uri == settings_.get().tiered_storage.uri) {
    save();
  } else {
    change_tier(config.tiered_storage, save);
  }
  open_partitions(config.partitions);
}

// Nothing is in object storage yet, so that leaving a place is forgetting its manifest. When the
// new place will not do, the old one is taken up again.
void LocalTopic::change_tier(const TieredStorage& storage, const std::function<void()>& save) {
  const std::string doing = format("changing topic {}", name_);
  const std::vector<LocalPartition*> present = partitions();
  for (const LocalPartition* partition : present) partition->refuse_if_remote(doing);
  std::vector<std::shared_ptr<PartitionTier>> before;
  for (LocalPartition* partition : present) {
    partition->remove_remote();
    before.push_back(partition->set_tier(nullptr));
  }
  std::vector<std::shared_ptr<PartitionTier>> after(present.size());
  try {
    for (size_t i = 0; i < present.size() && !storage.uri.empty(); ++i) {
      after[i] = present[i]->make_tier(storage.uri);
    }
    save();
  } catch (const Error& error) {
    for (size_t i = 0; i < present.size(); ++i) present[i]->set_tier(before[i]);
    throw error.with_context(doing);
  }
  for (size_t i = 0; i < present.size(); ++i) present[i]->set_tier(after[i]);
}

void LocalTopic::refuse_if_lost_for_good() const {
  for (const LocalPartition* partition : partitions()) {
    const auto loss = partition->loss();
    if (loss && loss->kind() != ErrorKind::kUnavailable && loss->kind() != ErrorKind::kTimeout) {
      throw *loss;
    }
  }
}

void LocalTopic::remove_remote() {
  for (LocalPartition* partition : partitions()) partition->remove_remote();
}

void LocalTopic::tend(const std::stop_token& stop) {
  for (LocalPartition* partition : partitions()) {
    if (stop.stop_requested()) return;
    partition->tend(stop);
  }
}

void LocalTopic::refuse_if_read() const {
  for (const LocalPartition* partition : partitions()) {
    for (const auto& [reader, next_needed] : partition->readers()) {
      fail(ErrorKind::kConflict, "deleting topic {}: it is being read by {}; stop that first",
           name_, reader);
    }
  }
}

void LocalTopic::apply_retention() {
  for (LocalPartition* partition : partitions()) partition->apply_retention();
}

void LocalTopic::refresh() {
  const TopicConfig config =
      parse_topic_config(context_.files.read(format("{}/{}", directory_, kTopicFile)));
  settings_.set(config);
  open_partitions(config.partitions);
  for (LocalPartition* partition : partitions()) partition->refresh();
}

void LocalTopic::close() {
  for (LocalPartition* partition : partitions()) partition->close();
}

void LocalTopic::end_for_deletion() {
  for (LocalPartition* partition : partitions()) partition->end_for_deletion();
}

}  // namespace headrace::stream
