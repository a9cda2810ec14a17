#include "jobs/dead_letters.h"

#include <map>
#include <tuple>

#include "jobs/writer.h"
#include "tables/record_columns.h"

namespace headrace::jobs {
namespace {

using Origin = std::tuple<std::string, int, stream::Offset>;

// The columns of dead_letter_columns().
enum : size_t {
  kRejectedAt,
  kJob,
  kNode,
  kReason,
  kTopic,
  kPartition,
  kOffset,
  kTime,
  kKey,
  kValue,
  kKeyBytes,
  kValueBytes,
  kRow,
  kColumns
};

class DeadLetterAppender {
 public:
  DeadLetterAppender(engine::Connection& connection, const std::string& table, std::string job,
                     Timestamp now)
      : appender_(connection, "hot", table), job_(std::move(job)), now_(now) {}

  // `record` may be null: the row has no origin.
  void append(const Rejection& rejection, const stream::RecordView* record) {
    engine::MutableChunk& chunk = appender_.chunk();
    const auto column = [&](size_t index) { return chunk.column(index); };
    column(kRejectedAt).data<int64_t>()[row_] = micros_since_epoch(now_);
    column(kJob).set_string(row_, job_);
    column(kNode).set_string(row_, rejection.node);
    column(kReason).set_string(row_, rejection.reason);
    if (record == nullptr) {
      for (size_t index = kTopic; index < kRow; ++index) column(index).set_null(row_);
      column(kRow).set_string(row_, rejection.row);
    } else {
      column(kTopic).set_string(row_, rejection.topic);
      const std::vector<size_t> projection = {
          tables::kRecordColumnCount, tables::kRecordColumnCount, tables::kRecordColumnCount,
          tables::kRecordColumnCount, tables::kRecordColumnCount, tables::kPartitionColumn,
          tables::kOffsetColumn,      tables::kTimeColumn,        tables::kKeyColumn,
          tables::kValueColumn,       tables::kKeyBytesColumn,    tables::kValueBytesColumn};
      tables::RecordWriter(rejection.topic, projection, chunk)
          .write(row_, rejection.partition, *record);
      column(kRow).set_null(row_);
    }
    if (++row_ == engine::kVectorSize) flush();
  }

  void close() {
    if (row_ > 0) flush();
    appender_.close();
  }

 private:
  void flush() {
    appender_.chunk().set_size(row_);
    appender_.flush_chunk();
    row_ = 0;
  }

  engine::Appender appender_;
  std::string job_;
  Timestamp now_;
  size_t row_ = 0;
};

}  // namespace

void append_dead_letters(engine::Connection& connection, const std::string& table,
                         const std::string& job, const InputBatch& batch,
                         const std::vector<Rejection>& rejections, Timestamp now) {
  if (rejections.empty()) return;
  DeadLetterAppender appender(connection, table, job, now);
  std::map<Origin, const Rejection*> by_origin;
  for (const Rejection& rejection : rejections) {
    if (rejection.topic.empty()) {
      appender.append(rejection, nullptr);
    } else {
      by_origin[{rejection.topic, rejection.partition, rejection.offset}] = &rejection;
    }
  }
  // The records are found again in the batch, in one pass over those stream batches that hold one.
  std::vector<stream::RecordView> records;
  for (const auto& [topic, slices] : batch.topics) {
    for (const PartitionSlice& slice : slices) {
      for (const stream::Batch& stream_batch : slice.batches) {
        auto next =
            by_origin.lower_bound({slice.topic, slice.partition, stream_batch.base_offset()});
        const Origin last{slice.topic, slice.partition, stream_batch.last_offset()};
        if (next == by_origin.end() || next->first > last) continue;
        stream_batch.records(records);
        for (const stream::RecordView& record : records) {
          const auto found = by_origin.find({slice.topic, slice.partition, record.offset});
          if (found == by_origin.end()) continue;
          appender.append(*found->second, &record);
          by_origin.erase(found);
        }
      }
    }
  }
  appender.close();
}

}  // namespace headrace::jobs
