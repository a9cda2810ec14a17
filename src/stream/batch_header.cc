#include "stream/batch_header.h"

#include "codec/crc32c.h"
#include "stream/big_endian.h"

namespace headrace::stream {
namespace {

constexpr char kMagic = 2;
constexpr size_t kMagicOffset = 16;

bool makes_sense(const BatchHeader& header) {
  return header.base_offset >= 0 && header.last_offset_delta >= 0 && header.record_count >= 1 &&
         header.record_count <= static_cast<int64_t>(header.last_offset_delta) + 1 &&
         header.base_offset <= INT64_MAX - header.last_offset_delta - 1;
}

}  // namespace

std::optional<BatchHeader> parse_batch_header(std::string_view bytes) {
  if (bytes.size() < kBatchHeaderBytes) return std::nullopt;
  const char* const in = bytes.data();
  BatchHeader header;
  header.batch_length = load_big_endian<int32_t>(in + 8);
  if (header.batch_length < static_cast<int32_t>(kBatchHeaderBytes - kBatchPrefixBytes) ||
      header.total_bytes() > bytes.size() || in[kMagicOffset] != kMagic) {
    return std::nullopt;
  }
  header.base_offset = load_big_endian<int64_t>(in);
  header.checksum = load_big_endian<uint32_t>(in + kChecksumOffset);
  header.attributes = load_big_endian<int16_t>(in + 21);
  header.last_offset_delta = load_big_endian<int32_t>(in + 23);
  header.base_timestamp_ms = load_big_endian<int64_t>(in + 27);
  header.max_timestamp_ms = load_big_endian<int64_t>(in + 35);
  header.producer.producer_id = load_big_endian<int64_t>(in + 43);
  header.producer.producer_epoch = load_big_endian<int16_t>(in + 51);
  header.producer.base_sequence = load_big_endian<int32_t>(in + 53);
  header.record_count = load_big_endian<int32_t>(in + 57);
  if (!makes_sense(header)) return std::nullopt;
  return header;
}

bool checksum_matches(std::string_view batch, const BatchHeader& header) {
  return codec::crc32c(batch.substr(kChecksummedFrom, header.total_bytes() - kChecksummedFrom)) ==
         header.checksum;
}

void write_batch_header(char* into, const BatchHeader& header) {
  store_big_endian<int64_t>(into, header.base_offset);
  store_big_endian<int32_t>(into + 8, header.batch_length);
  store_big_endian<int32_t>(into + 12, 0);  // partition leader epoch: there is one leader for ever
  into[kMagicOffset] = kMagic;
  store_big_endian<uint32_t>(into + kChecksumOffset, 0);
  store_big_endian<int16_t>(into + 21, header.attributes);
  store_big_endian<int32_t>(into + 23, header.last_offset_delta);
  store_big_endian<int64_t>(into + 27, header.base_timestamp_ms);
  store_big_endian<int64_t>(into + 35, header.max_timestamp_ms);
  store_big_endian<int64_t>(into + 43, header.producer.producer_id);
  store_big_endian<int16_t>(into + 51, header.producer.producer_epoch);
  store_big_endian<int32_t>(into + 53, header.producer.base_sequence);
  store_big_endian<int32_t>(into + 57, header.record_count);
}

void write_checksum(char* batch, size_t size) {
  const std::string_view covered(batch + kChecksummedFrom, size - kChecksummedFrom);
  store_big_endian<uint32_t>(batch + kChecksumOffset, codec::crc32c(covered));
}

void write_base_offset(char* batch, Offset base_offset) {
  store_big_endian<int64_t>(batch, base_offset);
}

}  // namespace headrace::stream
