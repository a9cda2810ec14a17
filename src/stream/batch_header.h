#pragma once

// The 61 bytes in front of the records of a Kafka RecordBatch v2. Private to this module.

#include <cstdint>
#include <optional>
#include <string_view>

#include "stream/record_batch.h"

namespace headrace::stream {

constexpr size_t kBatchHeaderBytes = 61;
// Of baseOffset and batchLength, which batchLength does not count.
constexpr size_t kBatchPrefixBytes = 12;
constexpr size_t kChecksumOffset = 17;
constexpr size_t kChecksummedFrom = 21;  // the checksum covers everything from attributes on
constexpr int16_t kCompressionMask = 0x07;
constexpr int16_t kLogAppendTimeBit = 0x08;
// The least a record takes: length, attributes, two deltas, two lengths, header count.
constexpr size_t kLeastRecordBytes = 7;
// Uncompressed records of one batch: keeps a hostile batch from filling the memory.
constexpr size_t kMaxRecordsBytes = 512 * 1024 * 1024;

struct BatchHeader {
  Offset base_offset = 0;
  int32_t batch_length = 0;  // of what follows this field
  uint32_t checksum = 0;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp_ms = 0;
  int64_t max_timestamp_ms = 0;
  ProducerStamp producer;
  int32_t record_count = 0;

  size_t total_bytes() const { return kBatchPrefixBytes + static_cast<size_t>(batch_length); }
  Offset last_offset() const { return base_offset + last_offset_delta; }
  Offset next_offset() const { return last_offset() + 1; }
};

// The header at the front of `bytes` when they hold the whole batch and its fields make sense;
// nullopt otherwise. Does not look at the checksum.
std::optional<BatchHeader> parse_batch_header(std::string_view bytes);

// Whether the checksum in the header of the whole `batch` is that of its bytes.
bool checksum_matches(std::string_view batch, const BatchHeader& header);

// Writes `header` to `into` (kBatchHeaderBytes), all but the checksum.
void write_batch_header(char* into, const BatchHeader& header);
// Computes the checksum of the complete `batch` (of `size` bytes) and puts it in.
void write_checksum(char* batch, size_t size);
// Puts the offset in that the log gave; the checksum does not cover it.
void write_base_offset(char* batch, Offset base_offset);

}  // namespace headrace::stream
