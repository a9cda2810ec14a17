#include <algorithm>

#include "base/error.h"
#include "jobs/input.h"

namespace headrace::jobs {
namespace {

constexpr size_t kReadBytes = 8 * 1024 * 1024;

class TopicInput final : public JobInput {
 public:
  TopicInput(std::string job, const std::vector<CompiledInput>& inputs, stream::Log& log,
             Clock& clock, const InputLimits& limits)
      : job_(std::move(job)), log_(log), clock_(clock), limits_(limits) {
    for (const CompiledInput& input : inputs) {
      add(input.need.topic, input.need.topic, input.need.from_latest);
    }
    // Dead letters that are tried again come back by a topic of their own, as records of the first
    // topic.
    if (log_.find_topic(retry_topic(job_)) != nullptr) {
      add(retry_topic(job_), inputs.front().need.topic, false);
    }
  }

  tables::Positions start() override {
    tables::Positions positions;
    for (const Feed& feed : feeds_) {
      std::vector<stream::Offset> offsets;
      for (int i = 0; i < feed.topic->partition_count(); ++i) {
        const stream::Partition& partition = feed.topic->partition(i);
        partition.check_ready();
        offsets.push_back(feed.from_latest ? partition.end_offset() : partition.start_offset());
      }
      positions.set_topic(feed.name, std::move(offsets));
    }
    return positions;
  }

  void check(const tables::Positions& at) override {
    for (const Feed& feed : feeds_) {
      const std::vector<stream::Offset> offsets = at.topic(feed.name);
      for (size_t i = 0; i < offsets.size(); ++i) {
        const stream::Partition& partition = feed.topic->partition(static_cast<int>(i));
        partition.check_ready();
        if (offsets[i] < partition.start_offset()) {
          fail(ErrorKind::kCorrupt,
               "job {} goes on at offset {} of topic {} partition {}, but the oldest record kept "
               "is {}: {} records "
               "are gone by retention; drop the job's tables to begin anew",
               job_, offsets[i], feed.name, i, partition.start_offset(),
               partition.start_offset() - offsets[i]);
        }
        if (offsets[i] > partition.end_offset()) {
          fail(ErrorKind::kCorrupt,
               "job {} goes on at offset {} of topic {} partition {}, but the topic ends at {}: "
               "the topic was made "
               "anew or restored; drop the job's tables to begin anew",
               job_, offsets[i], feed.name, i, partition.end_offset());
        }
      }
    }
  }

  std::optional<Work> next(const tables::Positions& at, const tables::Positions* bound,
                           bool may_wait, std::stop_token stop) override {
    if (may_wait && !wait_for_records(at, bound, stop)) return std::nullopt;
    Work work;
    work.batch = std::make_shared<InputBatch>();
    work.after = at;
    for (const Feed& feed : feeds_) take(feed, at, bound, work);
    if (work.records == 0) return std::nullopt;
    return work;
  }

  void committed(const tables::Positions& at) override {
    for (Feed& feed : feeds_) {
      const std::vector<stream::Offset> offsets = at.topic(feed.name);
      for (size_t i = 0; i < offsets.size(); ++i) {
        if (i == feed.registrations.size()) {
          feed.registrations.push_back(feed.topic->partition(static_cast<int>(i))
                                           .register_reader("job:" + job_, offsets[i]));
        } else {
          feed.registrations[i]->advance(offsets[i]);
        }
      }
    }
  }

  int64_t lag(const tables::Positions& at) const override {
    int64_t records = 0;
    for (const Feed& feed : feeds_) records += waiting(feed, at, nullptr);
    return records;
  }

 private:
  struct Feed {
    std::string name;  // the topic that is read
    std::string as;    // the topic that the graph names
    stream::Topic* topic;
    bool from_latest;
    std::vector<std::unique_ptr<stream::ReaderRegistration>> registrations;
  };

  void add(const std::string& name, const std::string& as, bool from_latest) {
    feeds_.push_back({name, as, &log_.topic(name), from_latest, {}});
  }

  static stream::Offset at_partition(const std::vector<stream::Offset>& offsets, int partition) {
    const auto index = static_cast<size_t>(partition);
    return index < offsets.size() ? offsets[index] : 0;
  }

  static stream::Offset end_of(const Feed& feed, int partition, const tables::Positions* bound) {
    const stream::Offset end = feed.topic->partition(partition).end_offset();
    return bound == nullptr ? end : std::min(end, at_partition(bound->topic(feed.name), partition));
  }

  static int64_t waiting(const Feed& feed, const tables::Positions& at,
                         const tables::Positions* bound) {
    const std::vector<stream::Offset> offsets = at.topic(feed.name);
    int64_t records = 0;
    for (int i = 0; i < feed.topic->partition_count(); ++i) {
      records += std::max<int64_t>(0, end_of(feed, i, bound) - at_partition(offsets, i));
    }
    return records;
  }

  // Waits for the first record, then until the batch is full or its time is over.
  bool wait_for_records(const tables::Positions& at, const tables::Positions* bound,
                        std::stop_token stop) {
    constexpr milliseconds kPoll{100};
    const auto count = [&] {
      int64_t records = 0;
      for (const Feed& feed : feeds_) records += waiting(feed, at, bound);
      return records;
    };
    if (count() == 0) {
      const Feed& first = feeds_.front();
      std::vector<stream::Offset> offsets = at.topic(first.name);
      offsets.resize(static_cast<size_t>(first.topic->partition_count()), 0);
      first.topic->wait_for_any(offsets, feeds_.size() == 1 ? kPoll : std::min(kPoll, limits_.wait),
                                stop);
    }
    if (count() == 0) return false;
    const SteadyTime until = clock_.steady_now() + limits_.wait;
    while (count() < limits_.records && clock_.steady_now() < until && !stop.stop_requested()) {
      clock_.sleep_for(std::min<microseconds>(limits_.wait, milliseconds(5)), stop);
    }
    return true;
  }

  void take(const Feed& feed, const tables::Positions& at, const tables::Positions* bound,
            Work& work) {
    std::vector<stream::Offset> offsets = at.topic(feed.name);
    const int partitions = feed.topic->partition_count();
    for (int i = static_cast<int>(offsets.size()); i < partitions; ++i) {
      offsets.push_back(feed.topic->partition(i).start_offset());
    }
    for (int i = 0; i < partitions; ++i) {
      stream::Offset& offset = offsets[static_cast<size_t>(i)];
      const stream::Offset end = end_of(feed, i, bound);
      // Each partition gets its share of what is left, so that none starves another.
      const int64_t share =
          std::max<int64_t>(1, (limits_.records - work.records) / (partitions - i));
      const stream::Offset stop_at = std::min(end, offset + share);
      while (offset < stop_at) {
        PartitionSlice slice{feed.name, i, offset, 0,
                             feed.topic->partition(i).read(offset, stop_at, kReadBytes)};
        if (slice.batches.empty()) break;
        slice.to = std::min(stop_at, slice.batches.back().last_offset() + 1);
        for (const stream::Batch& batch : slice.batches) {
          work.bytes += static_cast<int64_t>(batch.size_bytes());
        }
        work.records += slice.to - offset;
        offset = slice.to;
        work.batch->topics[feed.as].push_back(std::move(slice));
      }
    }
    work.after.set_topic(feed.name, std::move(offsets));
  }

  const std::string job_;
  stream::Log& log_;
  Clock& clock_;
  const InputLimits limits_;
  std::vector<Feed> feeds_;
};

}  // namespace

std::string retry_topic(const std::string& job) { return "headrace.retry." + job; }

bool reaches(const tables::Positions& a, const tables::Positions& b,
             const std::vector<std::string>& topics) {
  return std::all_of(topics.begin(), topics.end(), [&](const std::string& topic) {
    const std::vector<stream::Offset> ours = a.topic(topic);
    const std::vector<stream::Offset> theirs = b.topic(topic);
    for (size_t i = 0; i < theirs.size(); ++i) {
      if ((i < ours.size() ? ours[i] : 0) < theirs[i]) return false;
    }
    return true;
  });
}

std::unique_ptr<JobInput> make_topic_input(const std::string& job,
                                           const std::vector<CompiledInput>& topics,
                                           stream::Log& log, Clock& clock,
                                           const InputLimits& limits) {
  return std::make_unique<TopicInput>(job, topics, log, clock, limits);
}

}  // namespace headrace::jobs
