#include "server/ingest.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "server/append_answer.h"
#include "server/batch_set.h"
#include "server/ingest_request.h"

namespace headrace::server {
namespace {

// A request that is too large in one way or another: 413.
class TooLarge : public Error {
 public:
  explicit TooLarge(const std::string& message) : Error(ErrorKind::kInvalid, message) {}
};

void check_limits(const BodyRecord& record, int64_t count, const IngestLimits& limits) {
  if (static_cast<int64_t>(record.bytes.size()) > limits.max_record_bytes) {
    throw TooLarge(format("the record has {} bytes, more than the {} allowed", record.bytes.size(),
                          limits.max_record_bytes));
  }
  if (count > limits.max_records) {
    throw TooLarge(
        format("the request has more than {} records: send fewer at a time", limits.max_records));
  }
}

// Reads the body of one request into batches.
class BodyReader {
 public:
  BodyReader(const IngestRequest& ingest, int partition_count, int turn, int64_t now_ms,
             const IngestLimits& limits)
      : ingest_(ingest),
        partition_count_(partition_count),
        partition_(ingest.partition.value_or(turn % partition_count)),
        now_ms_(now_ms),
        limits_(limits),
        reader_(ingest.paths) {}

  int64_t count() const { return count_; }
  // The record that was being read when read() threw.
  int64_t position() const { return position_; }

  void read(std::string_view body, BatchSet& batches) {
    RecordSplitter splitter(ingest_.format, body);
    BodyRecord record;
    while (advance(splitter, record)) {
      ++count_;
      check_limits(record, count_, limits_);
      RecordMetadata metadata;
      if (ingest_.needs_reading()) metadata = reader_.read(record.bytes);
      batches.add(partition_of(metadata), metadata.timestamp_ms.value_or(now_ms_), metadata.key,
                  record.bytes);
    }
    if (count_ == 0) fail(ErrorKind::kInvalid, "the request has no records");
  }

 private:
  bool advance(RecordSplitter& splitter, BodyRecord& record) {
    try {
      const bool found = splitter.next(record);
      position_ = splitter.position();
      return found;
    } catch (const Error&) {
      position_ = splitter.position();
      throw;
    }
  }

  int partition_of(const RecordMetadata& metadata) const {
    if (ingest_.partition.has_value() || !metadata.key.has_value()) return partition_;
    return stream::partition_for_key(*metadata.key, partition_count_);
  }

  const IngestRequest& ingest_;
  const int partition_count_;
  const int partition_;
  const int64_t now_ms_;
  const IngestLimits& limits_;
  RecordReader reader_;
  int64_t count_ = 0;
  int64_t position_ = 0;
};

http::Response refusal(const Error& error, int64_t position) {
  const bool too_large = dynamic_cast<const TooLarge*>(&error) != nullptr;
  const auto line = position > 0 ? std::optional(position) : std::nullopt;
  const std::string message = format("nothing was stored: {}", error.message());
  if (too_large) return http::error_response(413, "invalid", message, line);
  return http::error_response(Error(error.kind(), message), line);
}

http::Response unknown_content_type(std::string_view type) {
  const bool is_of_curl = type.starts_with("application/x-www-form-urlencoded");
  return http::error_response(
      415, "unsupported",
      format("the content type '{}' is not known: send NDJSON as application/x-ndjson{}, a JSON "
             "array as application/json, or length-prefixed bytes as application/octet-stream",
             type, is_of_curl ? " (curl -H 'Content-Type: application/x-ndjson' …)" : ""));
}

void append(stream::Topic& topic, std::vector<PartitionBatch> batches,
            const std::shared_ptr<AppendAnswer>& answer) {
  for (PartitionBatch& part : batches) {
    answer->expect();
    // A refusal comes on this thread, a failure on the log's.
    const auto settle = [answer, partition = part.partition, here = std::this_thread::get_id()](
                            const stream::AppendResult* result, const std::exception_ptr& error) {
      if (result == nullptr && std::this_thread::get_id() == here) return answer->refuse(error);
      answer->done(partition, result, error);
    };
    try {
      topic.partition(part.partition).append_async(std::move(part.batch), settle);
    } catch (...) {
      answer->refuse(std::current_exception());
    }
  }
  answer->close();
}

}  // namespace

Ingest::Ingest(stream::Log& log, const Clock& clock, telemetry::Metrics& metrics,
               const IngestLimits& limits)
    : log_(log),
      clock_(clock),
      limits_(limits),
      records_(metrics.counter("headrace_ingest_records_total",
                               "Records of HTTP requests handed to the log")),
      bytes_(metrics.counter("headrace_ingest_bytes_total",
                             "Bytes of HTTP requests' bodies handed to the log, decoded")),
      refused_(metrics.counter("headrace_ingest_refused_requests_total",
                               "HTTP requests with records that were refused whole")) {}

void Ingest::handle(http::Request& request, const http::Responder& respond) {
  stream::Topic& topic = log_.topic(request.path_parameter("topic"));
  const auto content_type = request.headers.get_or("Content-Type", "");
  if (!format_of_content_type(content_type)) return respond(unknown_content_type(content_type));
  const IngestRequest ingest = read_ingest_request(request, topic.partition_count());
  const size_t body_size = request.body.size();
  request.body.append(kJsonPadding, '\0');
  const std::string_view body(request.body.data(), body_size);

  const stream::TopicConfig config = topic.config();
  const auto target = std::min<int64_t>(limits_.target_batch_bytes,
                                        std::max<int64_t>(1, config.max_batch_bytes / 4));
  BatchSet batches(config.compression, ingest.producer,
                   ingest.is_idempotent() ? std::nullopt : std::optional<size_t>(target));
  BodyReader reader(ingest, topic.partition_count(), static_cast<int>(turn_++ & 0x7FFFFFFF),
                    millis_since_epoch(clock_.now()), limits_);
  try {
    reader.read(body, batches);
  } catch (const Error& error) {
    refused_.add();
    return respond(refusal(error, reader.position()));
  }
  records_.add(static_cast<double>(reader.count()));
  bytes_.add(static_cast<double>(body_size));
  append(topic, batches.finish(), std::make_shared<AppendAnswer>(topic.name(), respond));
}

}  // namespace headrace::server
