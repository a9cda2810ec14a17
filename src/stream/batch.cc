#include <climits>

#include "base/error.h"
#include "base/json.h"
#include "codec/compression.h"
#include "stream/batch_header.h"
#include "stream/record_batch.h"
#include "stream/record_format.h"

namespace headrace::stream {
namespace {

codec::Codec codec_of_attributes(int16_t attributes) {
  switch (attributes & kCompressionMask) {
    case 0:
      return codec::Codec::kNone;
    case 1:
      return codec::Codec::kGzip;
    case 3:
      return codec::Codec::kLz4;
    case 4:
      return codec::Codec::kZstd;
    default:
      fail(ErrorKind::kCorrupt, "decoding a record batch: its compression {} is not known",
           attributes & kCompressionMask);
  }
}

[[noreturn]] void fail_records(Offset base_offset, size_t index) {
  fail(ErrorKind::kCorrupt, "decoding the record batch at offset {}: its record {} does not parse",
       base_offset, index);
}

int64_t add_wrapping(int64_t left, int64_t right) {
  return static_cast<int64_t>(static_cast<uint64_t>(left) + static_cast<uint64_t>(right));
}

// A header of that name which somebody else wrote is not a position.
std::optional<SourcePosition> parse_position(std::string_view text) {
  try {
    const Json json = parse_json(text, kPositionHeader);
    return SourcePosition{string_member(json, "source"), string_member(json, "position")};
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::vector<RecordHeader> decode_headers(const RecordView& record) {
  std::vector<RecordHeader> headers;
  const char* in = record.headers.data();
  const char* const end = in + record.headers.size();
  for (int32_t i = 0; i < record.header_count; ++i) {
    std::optional<std::string_view> key;
    RecordHeader header;
    if (!take_header_field(in, end, key) || !key || !take_header_field(in, end, header.value)) {
      fail(ErrorKind::kCorrupt, "decoding the record at offset {}: its header {} does not parse",
           record.offset, i);
    }
    header.key = *key;
    headers.push_back(header);
  }
  return headers;
}

Batch decode_batch(std::string_view bytes, std::shared_ptr<const void> owner) {
  const std::optional<BatchHeader> header = parse_batch_header(bytes);
  if (!header) {
    fail(ErrorKind::kCorrupt, "decoding a record batch: these {} bytes are not a whole batch",
         bytes.size());
  }
  if (!checksum_matches(bytes, *header)) {
    fail(ErrorKind::kCorrupt, "decoding the record batch at offset {}: its checksum is wrong",
         header->base_offset);
  }
  Batch batch;
  batch.base_offset_ = header->base_offset;
  batch.last_offset_ = header->last_offset();
  batch.base_timestamp_ms_ = header->base_timestamp_ms;
  batch.max_timestamp_ms_ = header->max_timestamp_ms;
  batch.has_log_append_time_ = (header->attributes & kLogAppendTimeBit) != 0;
  batch.producer_ = header->producer;
  batch.record_count_ = static_cast<size_t>(header->record_count);
  batch.encoded_size_bytes_ = header->total_bytes();
  batch.records_ = bytes.substr(kBatchHeaderBytes, header->total_bytes() - kBatchHeaderBytes);
  batch.owner_ = std::move(owner);
  const codec::Codec codec = codec_of_attributes(header->attributes);
  if (codec != codec::Codec::kNone) {
    try {
      const codec::Buffer records = codec::decompress(codec, batch.records_, kMaxRecordsBytes);
      batch.records_ = records.view();
      batch.owner_ = records.data;
    } catch (const Error& error) {
      fail(ErrorKind::kCorrupt, "decoding the record batch at offset {}: {}", header->base_offset,
           error.message());
    }
  }
  if (batch.record_count_ > batch.records_.size() / kLeastRecordBytes) {
    fail(ErrorKind::kCorrupt, "decoding the record batch at offset {}: {} records in {} bytes",
         header->base_offset, batch.record_count_, batch.records_.size());
  }
  return batch;
}

void Batch::records(std::vector<RecordView>& into) const {
  into.resize(record_count_);
  const char* in = records_.data();
  const char* const end = in + records_.size();
  RecordFields fields;
  for (size_t i = 0; i < record_count_; ++i) {
    if (!take_record(in, end, fields) || fields.offset_delta > last_offset_ - base_offset_) {
      fail_records(base_offset_, i);
    }
    RecordView& record = into[i];
    record.offset = base_offset_ + fields.offset_delta;
    record.timestamp_ms = has_log_append_time_
                              ? max_timestamp_ms_
                              : add_wrapping(base_timestamp_ms_, fields.timestamp_delta_ms);
    record.key = fields.key;
    record.value = fields.value;
    record.headers = fields.headers;
    record.header_count = fields.header_count;
  }
  if (in != end) fail_records(base_offset_, record_count_);
}

void Batch::for_each(const std::function<void(const RecordView&)>& visit) const {
  std::vector<RecordView> all;
  records(all);
  for (const RecordView& record : all) visit(record);
}

std::optional<SourcePosition> Batch::position() const {
  const char* in = records_.data();
  const char* const end = in + records_.size();
  for (size_t i = 0; i + 1 < record_count_; ++i) {
    if (!skip_record(in, end)) fail_records(base_offset_, i);
  }
  RecordFields last;
  if (!take_record(in, end, last)) fail_records(base_offset_, record_count_ - 1);
  RecordView view;
  view.offset = last_offset_;
  view.headers = last.headers;
  view.header_count = last.header_count;
  std::optional<SourcePosition> found;
  for (const RecordHeader& header : decode_headers(view)) {
    if (header.key == kPositionHeader && header.value) found = parse_position(*header.value);
  }
  return found;
}

}  // namespace headrace::stream
