// A bronze table as the source of a job that parses its records: they come as they came from their
// topic, with their offsets, so nothing behind can tell the difference. A silver table can so be
// made anew long after the topic has forgotten its records.

#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "jobs/input.h"
#include "lake/data_writer.h"
#include "stream/batch_offset.h"

namespace headrace::jobs {
namespace {

constexpr size_t kBatchBytes = 1024 * 1024;

// Rows that follow each other become batches; a gap between offsets begins another.
class BatchMaker {
 public:
  explicit BatchMaker(PartitionSlice& slice) : slice_(slice) {}

  void add(stream::Offset offset, int64_t time_ms, std::optional<std::string_view> key,
           std::optional<std::string_view> value) {
    if (builder_.record_count() > 0 && (offset != next_ || builder_.size_bytes() >= kBatchBytes)) {
      flush();
    }
    if (builder_.record_count() == 0) first_ = offset;
    builder_.add(time_ms, key, value);
    next_ = offset + 1;
  }

  void flush() {
    if (builder_.record_count() == 0) return;
    auto encoded = std::make_shared<stream::EncodedBatch>(builder_.encode());
    stream::set_base_offset(*encoded, first_);
    const std::string_view bytes = encoded->bytes;
    slice_.batches.push_back(stream::decode_batch(bytes, std::move(encoded)));
  }

 private:
  PartitionSlice& slice_;
  stream::BatchBuilder builder_{stream::Compression::kNone};
  stream::Offset first_ = 0;
  stream::Offset next_ = 0;
};

class RecordTableInput final : public JobInput {
 public:
  RecordTableInput(const CompiledInput& input, lake::Catalog& catalog,
                   engine::Connection& connection, Clock& clock, const InputLimits& limits)
      : input_(input), catalog_(catalog), connection_(connection), clock_(clock), limits_(limits) {}

  tables::Positions start() override {
    tables::Positions positions;
    positions.set_topic(name(), {});
    return positions;
  }

  void check(const tables::Positions&) override {}  // a table keeps its records

  std::optional<Work> next(const tables::Positions& at, const tables::Positions* bound,
                           bool may_wait, std::stop_token stop) override {
    look_at_table();
    Work work;
    work.batch = std::make_shared<InputBatch>();
    work.after = at;
    std::vector<stream::Offset> offsets = at.topic(name());
    const std::vector<stream::Offset> ends = ends_before(bound);
    if (offsets.size() < ends.size()) offsets.resize(ends.size(), 0);
    for (size_t i = 0; i < ends.size() && work.records < limits_.records; ++i) {
      take(static_cast<int>(i), offsets[i], ends[i], work);
    }
    work.after.set_topic(name(), std::move(offsets));
    if (work.after == at) {
      if (may_wait) clock_.sleep_for(kPoll, stop);
      return std::nullopt;
    }
    return work;
  }

  void committed(const tables::Positions&) override {}

  int64_t lag(const tables::Positions& at) const override {
    const std::vector<stream::Offset> offsets = at.topic(name());
    std::lock_guard lock(mutex_);
    int64_t records = 0;
    for (size_t i = 0; i < ends_.size(); ++i) {
      records += std::max<int64_t>(0, ends_[i] - (i < offsets.size() ? offsets[i] : 0));
    }
    return records;
  }

 private:
  static constexpr milliseconds kPoll{250};

  const std::string& name() const { return input_.need.topic; }

  void look_at_table() {
    const lake::TablePtr table = catalog_.load(input_.need.table);
    if (table_ && table->metadata.current_snapshot_id == table_->metadata.current_snapshot_id) {
      return;
    }
    const std::string scan = lake::scan_sql(*table, catalog_.files(*table));
    std::vector<stream::Offset> ends;
    for (const auto& row : connection_.query_rows(
             format("SELECT _partition, max(_offset) + 1 FROM ({}) WHERE _partition >= 0 AND "
                    "_offset >= 0 GROUP BY 1",
                    scan))) {
      const size_t partition = std::stoul(*row[0]);
      if (ends.size() <= partition) ends.resize(partition + 1, 0);
      ends[partition] = std::stoll(*row[1]);
    }
    table_ = table;
    scan_ = scan;
    std::lock_guard lock(mutex_);
    ends_ = std::move(ends);
  }

  std::vector<stream::Offset> ends_before(const tables::Positions* bound) const {
    std::lock_guard lock(mutex_);
    std::vector<stream::Offset> ends = ends_;
    if (bound == nullptr) return ends;
    const std::vector<stream::Offset> bounds = bound->topic(name());
    for (size_t i = 0; i < ends.size(); ++i) {
      ends[i] = std::min(ends[i], i < bounds.size() ? bounds[i] : 0);
    }
    return ends;
  }

  void take(int partition, stream::Offset& offset, stream::Offset end, Work& work) {
    if (offset >= end) return;
    PartitionSlice slice;
    slice.partition = partition;
    slice.from = offset;
    slice.to = end;
    BatchMaker batches(slice);
    const int64_t limit = limits_.records - work.records;
    int64_t rows = 0;
    engine::Result result = connection_.query(
        format("SELECT _topic, _offset, epoch_ms(_time), coalesce(_key_bytes, encode(_key)), "
               "coalesce(value_bytes, encode(value)) FROM ({}) WHERE _partition = {} AND "
               "_offset >= {} AND _offset < {} ORDER BY _offset LIMIT {}",
               scan_, partition, offset, end, limit));
    while (const engine::Chunk* chunk = result.next()) {
      for (size_t row = 0; row < chunk->rows(); ++row) {
        slice.topic = chunk->column(0).string(row);
        slice.to = chunk->column(1).data<int64_t>()[row] + 1;
        const auto value = text_at(chunk->column(4), row);
        batches.add(slice.to - 1, chunk->column(2).data<int64_t>()[row],
                    text_at(chunk->column(3), row), value);
        work.bytes += static_cast<int64_t>(value ? value->size() : 0);
        ++rows;
      }
    }
    batches.flush();
    // All that there was: what is missing before the end will never come.
    if (rows < limit) slice.to = end;
    offset = slice.to;
    work.records += rows;
    if (rows > 0) work.batch->topics[name()].push_back(std::move(slice));
  }

  static std::optional<std::string_view> text_at(const engine::VectorView& column, size_t row) {
    if (column.is_null(row)) return std::nullopt;
    return column.string(row);
  }

  const CompiledInput input_;
  lake::Catalog& catalog_;
  engine::Connection& connection_;
  Clock& clock_;
  const InputLimits limits_;
  lake::TablePtr table_;
  std::string scan_;
  mutable std::mutex mutex_;
  std::vector<stream::Offset> ends_;  // of each partition
};

}  // namespace

std::unique_ptr<JobInput> make_record_table_input(const CompiledInput& input,
                                                  lake::Catalog& catalog,
                                                  engine::Connection& connection, Clock& clock,
                                                  const InputLimits& limits) {
  return std::make_unique<RecordTableInput>(input, catalog, connection, clock, limits);
}

}  // namespace headrace::jobs
