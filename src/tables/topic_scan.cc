#include "tables/topic_scan.h"

#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "base/json.h"
#include "tables/record_columns.h"

namespace headrace::tables {
namespace {

constexpr size_t kReadBytes = 2 * 1024 * 1024;

struct PartitionRange {
  int partition;
  stream::Offset from;
  stream::Offset to;
};

struct Bound {
  const stream::Topic* topic;
  std::vector<PartitionRange> ranges;
};

std::vector<PartitionRange> parse_ranges(const stream::Topic& topic, const std::string& text) {
  std::vector<PartitionRange> ranges;
  const Json json = parse_json(text, "the offset ranges of a topic");
  int index = 0;
  for (const Json& range : json.as_array()) {
    const stream::Partition& partition = topic.partition(index);
    const stream::Offset end = partition.end_offset();
    const Json& to = range.as_array().at(1);
    PartitionRange parsed{index, range.as_array().at(0).to_number<int64_t>(), end};
    if (!to.is_null()) parsed.to = to.to_number<int64_t>();
    if (parsed.from < parsed.to) ranges.push_back(parsed);
    ++index;
  }
  return ranges;
}

// Hands out stretches of the ranges to the workers.
class TopicScan final : public engine::TableScan {
 public:
  explicit TopicScan(std::shared_ptr<Bound> bound)
      : bound_(std::move(bound)), ranges_(bound_->ranges) {}

  int max_threads() const override { return 8; }
  std::unique_ptr<Worker> make_worker(const std::vector<size_t>& projection) override;

  struct Piece {
    int partition = 0;
    stream::Offset from = 0;
    stream::Offset to = 0;
    std::vector<stream::Batch> batches;
  };

  // False when everything was handed out. The batches are found under the lock, and decoded outside
  // it.
  bool take(Piece& piece) {
    std::lock_guard lock(mutex_);
    while (!ranges_.empty()) {
      PartitionRange& range = ranges_.back();
      if (range.from >= range.to) {
        ranges_.pop_back();
        continue;
      }
      piece.partition = range.partition;
      piece.from = range.from;
      piece.to = range.to;
      piece.batches =
          bound_->topic->partition(range.partition).read(range.from, range.to, kReadBytes);
      if (piece.batches.empty()) {
        fail(ErrorKind::kCorrupt,
             "topic {} partition {} has no record at offset {}, before its end {}",
             bound_->topic->name(), range.partition, range.from, range.to);
      }
      range.from = piece.batches.back().last_offset() + 1;
      return true;
    }
    return false;
  }

  const std::string& topic_name() const { return bound_->topic->name(); }

 private:
  std::shared_ptr<Bound> bound_;
  std::mutex mutex_;
  std::vector<PartitionRange> ranges_;
};

class TopicWorker final : public engine::TableScan::Worker {
 public:
  TopicWorker(TopicScan& scan, std::vector<size_t> projection)
      : scan_(scan), projection_(std::move(projection)) {}

  size_t produce(engine::MutableChunk& into) override {
    RecordWriter writer(scan_.topic_name(), projection_, into);
    size_t rows = 0;
    while (rows < engine::kVectorSize) {
      if (next_record_ == records_.size()) {
        if (!next_batch()) break;
        continue;
      }
      writer.write(rows++, piece_.partition, records_[next_record_++]);
    }
    return rows;
  }

 private:
  // Puts the records of the next batch that are in range into records_.
  bool next_batch() {
    if (next_batch_ == piece_.batches.size()) {
      piece_.batches.clear();
      next_batch_ = 0;
      if (!scan_.take(piece_)) return false;
    }
    piece_.batches[next_batch_++].records(records_);
    next_record_ = 0;
    while (next_record_ < records_.size() && records_[next_record_].offset < piece_.from)
      ++next_record_;
    while (records_.size() > next_record_ && records_.back().offset >= piece_.to)
      records_.pop_back();
    return true;
  }

  TopicScan& scan_;
  const std::vector<size_t> projection_;
  TopicScan::Piece piece_;
  size_t next_batch_ = 0;
  std::vector<stream::RecordView> records_;
  size_t next_record_ = 0;
};

std::unique_ptr<engine::TableScan::Worker> TopicScan::make_worker(
    const std::vector<size_t>& projection) {
  return std::make_unique<TopicWorker>(*this, projection);
}

class TopicFunction final : public engine::TableFunction {
 public:
  explicit TopicFunction(const stream::Log& log) : log_(log) {}

  std::string name() const override { return "headrace_topic"; }
  std::vector<std::string> parameter_types() const override { return {"VARCHAR", "VARCHAR"}; }

  Binding bind(const std::vector<std::string>& arguments) override {
    auto bound = std::make_shared<Bound>();
    bound->topic = &log_.topic(arguments[0]);
    bound->ranges = parse_ranges(*bound->topic, arguments[1]);
    int64_t rows = 0;
    for (const PartitionRange& range : bound->ranges) rows += range.to - range.from;
    return {record_columns(), std::move(bound), rows};
  }

  std::unique_ptr<engine::TableScan> scan(const std::shared_ptr<void>& state) override {
    return std::make_unique<TopicScan>(std::static_pointer_cast<Bound>(state));
  }

 private:
  const stream::Log& log_;
};

}  // namespace

std::shared_ptr<engine::TableFunction> make_topic_function(const stream::Log& log) {
  return std::make_shared<TopicFunction>(log);
}

std::string topic_sql(const std::string& topic, const std::vector<OffsetRange>& ranges) {
  JsonArray list;
  for (const OffsetRange& range : ranges) {
    list.push_back(JsonArray{range.from, range.to ? Json(*range.to) : Json(nullptr)});
  }
  return format("headrace_topic({}, {})", engine::quote_literal(topic),
                engine::quote_literal(to_text(list)));
}

}  // namespace headrace::tables
