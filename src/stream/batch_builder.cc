#include <algorithm>
#include <climits>

#include "base/error.h"
#include "base/json.h"
#include "codec/compression.h"
#include "stream/batch_header.h"
#include "stream/compression_codec.h"
#include "stream/record_batch.h"
#include "stream/record_format.h"

namespace headrace::stream {
namespace {

// zstd's fastest level: a batch is compressed while somebody waits for its acknowledgement.
constexpr int kZstdLevel = 1;

std::string encode_headers(const std::vector<RecordHeader>& headers) {
  std::string out;
  for (const RecordHeader& header : headers) {
    if (header.key == kPositionHeader) {
      fail(ErrorKind::kInvalid, "adding a record: the header name {} is reserved; use another",
           kPositionHeader);
    }
    append_header(out, header);
  }
  return out;
}

std::string position_json(const SourcePosition& position) {
  return to_text(JsonObject{{"source", position.source}, {"position", position.position}});
}

}  // namespace

BatchBuilder::BatchBuilder(Compression compression, ProducerStamp producer)
    : compression_(compression), producer_(producer), records_(kBatchHeaderBytes, '\0') {}

void BatchBuilder::add(int64_t timestamp_ms, std::optional<std::string_view> key,
                       std::optional<std::string_view> value,
                       const std::vector<RecordHeader>& headers) {
  if (count_ == INT32_MAX) fail(ErrorKind::kInvalid, "building a batch: too many records");
  if (count_ == 0) {
    first_timestamp_ms_ = timestamp_ms;
    max_timestamp_ms_ = timestamp_ms;
  }
  RecordFields record;
  record.timestamp_delta_ms = static_cast<int64_t>(static_cast<uint64_t>(timestamp_ms) -
                                                   static_cast<uint64_t>(first_timestamp_ms_));
  record.offset_delta = static_cast<int32_t>(count_);
  record.key = key;
  record.value = value;
  std::string encoded_headers;
  if (!headers.empty()) {
    encoded_headers = encode_headers(headers);
    record.headers = encoded_headers;
    record.header_count = static_cast<int32_t>(headers.size());
  }
  last_record_start_ = records_.size();
  append_record(records_, record);
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
  ++count_;
}

void BatchBuilder::set_position(SourcePosition position) { position_ = std::move(position); }

void BatchBuilder::set_producer(ProducerStamp producer) { producer_ = producer; }

size_t BatchBuilder::record_count() const { return count_; }

size_t BatchBuilder::size_bytes() const { return records_.size() - kBatchHeaderBytes; }

void BatchBuilder::put_position_on_last_record() {
  const std::string last = records_.substr(last_record_start_);
  const char* in = last.data();
  RecordFields record;
  if (!take_record(in, last.data() + last.size(), record)) {
    fail(ErrorKind::kInternal, "building a batch: its last record does not parse");
  }
  std::string headers(record.headers);
  const std::string position = position_json(*position_);
  append_header(headers, {kPositionHeader, position});
  record.headers = headers;
  ++record.header_count;
  records_.resize(last_record_start_);
  append_record(records_, record);
}

EncodedBatch BatchBuilder::encode() {
  if (count_ == 0) fail(ErrorKind::kInvalid, "encoding a batch: it has no records");
  if (position_) put_position_on_last_record();
  if (size_bytes() > kMaxRecordsBytes) {
    fail(ErrorKind::kInvalid,
         "encoding a batch of {} bytes: at most {} are possible; send smaller batches",
         size_bytes(), kMaxRecordsBytes);
  }
  EncodedBatch batch;
  const size_t uncompressed_size = records_.size();
  if (compression_ == Compression::kNone) {
    batch.bytes = std::move(records_);
  } else {
    batch.bytes.assign(kBatchHeaderBytes, '\0');
    codec::compress(codec_of(compression_), std::string_view(records_).substr(kBatchHeaderBytes),
                    batch.bytes,
                    compression_ == Compression::kZstd ? kZstdLevel : codec::kDefaultLevel);
  }
  BatchHeader header;
  header.batch_length = static_cast<int32_t>(batch.bytes.size() - kBatchPrefixBytes);
  header.attributes = static_cast<int16_t>(compression_);
  header.last_offset_delta = static_cast<int32_t>(count_ - 1);
  header.base_timestamp_ms = first_timestamp_ms_;
  header.max_timestamp_ms = max_timestamp_ms_;
  header.producer = producer_;
  header.record_count = static_cast<int32_t>(count_);
  write_batch_header(batch.bytes.data(), header);
  write_checksum(batch.bytes.data(), batch.bytes.size());

  batch.record_count = header.record_count;
  batch.max_timestamp_ms = max_timestamp_ms_;
  batch.producer = producer_;
  batch.position = std::move(position_);
  position_.reset();
  count_ = 0;
  // The next batch is probably as large.
  records_.reserve(uncompressed_size + uncompressed_size / 8);
  records_.resize(kBatchHeaderBytes);
  return batch;
}

}  // namespace headrace::stream
