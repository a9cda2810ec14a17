#pragma once

// Kafka's RecordBatch, version 2 (magic 2): the unit in which records are written, compressed,
// checksummed and read. Layout: docs/formats/topic_log.md, after KIP-98 and the Kafka protocol
// guide.
//
// A batch is encoded by its producer without an offset; the log fills in the base offset, which the
// checksum does not cover.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::stream {

using Offset = int64_t;  // the position of a record in a partition

enum class Compression { kNone = 0, kLz4 = 3, kZstd = 4 };

struct RecordHeader {
  std::string_view key;
  std::optional<std::string_view> value;
};

// A record inside a decoded batch; all views point into the batch.
struct RecordView {
  Offset offset = 0;
  int64_t timestamp_ms = 0;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::string_view headers;  // encoded, as many as header_count; see decode_headers
  int32_t header_count = 0;
};

std::vector<RecordHeader> decode_headers(const RecordView& record);

// Who wrote a batch, for idempotence: appending (id, epoch, base_sequence) again is a no-op.
struct ProducerStamp {
  int64_t producer_id = -1;  // -1: not idempotent
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
};

// Where a source stood after the last record of a batch. It is written as a header of that record
// (key "headrace.position", value {"source": …, "position": …}), so it is durable with the data.
struct SourcePosition {
  std::string source;
  std::string position;  // whatever the source understands, usually JSON
};

// An encoded batch, ready to be appended.
struct EncodedBatch {
  std::string bytes;  // with base offset 0
  int32_t record_count = 0;
  int64_t max_timestamp_ms = 0;
  ProducerStamp producer;
  std::optional<SourcePosition> position;
};

// Collects records and encodes them. Not thread-safe. Usable again after encode().
class BatchBuilder {
 public:
  explicit BatchBuilder(Compression compression, ProducerStamp producer = {});
  void add(int64_t timestamp_ms, std::optional<std::string_view> key,
           std::optional<std::string_view> value, const std::vector<RecordHeader>& headers = {});
  void set_position(SourcePosition position);  // of the source after the last record added
  void set_producer(ProducerStamp producer);
  size_t record_count() const;
  size_t size_bytes() const;  // uncompressed, so far
  EncodedBatch encode();      // leaves the builder empty; invalid when there are no records

 private:
  void put_position_on_last_record();

  Compression compression_;
  ProducerStamp producer_;
  std::optional<SourcePosition> position_;
  std::string records_;  // after room for the header, so that it need not be copied
  size_t last_record_start_ = 0;
  size_t count_ = 0;
  int64_t first_timestamp_ms_ = 0;
  int64_t max_timestamp_ms_ = 0;
};

// A batch read from a log. Holds (or shares) the bytes its records point into; copy freely.
// Decoding checks the checksum, decompresses and finds the records; it throws Error corrupt for
// bytes that are not a batch, never reading outside them.
class Batch {
 public:
  Offset base_offset() const { return base_offset_; }
  Offset last_offset() const { return last_offset_; }
  int64_t max_timestamp_ms() const { return max_timestamp_ms_; }
  const ProducerStamp& producer() const { return producer_; }
  size_t record_count() const { return record_count_; }
  size_t encoded_size_bytes() const { return encoded_size_bytes_; }
  size_t size_bytes() const { return records_.size(); }  // uncompressed

  // Calls `visit` with each record in order. Throws Error corrupt where the records do not parse.
  void for_each(const std::function<void(const RecordView&)>& visit) const;
  // All records at once (reuses `into`). The fast way.
  void records(std::vector<RecordView>& into) const;
  // The source position that the batch carries, if it does.
  std::optional<SourcePosition> position() const;

 private:
  friend Batch decode_batch(std::string_view bytes, std::shared_ptr<const void> owner);
  Offset base_offset_ = 0;
  Offset last_offset_ = 0;
  int64_t base_timestamp_ms_ = 0;
  int64_t max_timestamp_ms_ = 0;
  bool has_log_append_time_ = false;  // every record has max_timestamp_ms_
  ProducerStamp producer_;
  size_t record_count_ = 0;
  size_t encoded_size_bytes_ = 0;
  std::string_view records_;           // uncompressed
  std::shared_ptr<const void> owner_;  // of the bytes that records_ points into
};

// `owner` keeps `bytes` alive (a mapped segment, say); it is dropped when the batch was compressed.
Batch decode_batch(std::string_view bytes, std::shared_ptr<const void> owner);

}  // namespace headrace::stream
