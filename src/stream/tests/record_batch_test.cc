#include "stream/record_batch.h"

#include <climits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "stream/batch_header.h"
#include "stream/log.h"
#include "stream/murmur2.h"
#include "stream/testing/log_fixture.h"

namespace headrace::stream {
namespace {

constexpr Compression kCompressions[] = {Compression::kNone, Compression::kLz4, Compression::kZstd};

Batch decode(const std::string& bytes) {
  auto owner = std::make_shared<std::string>(bytes);
  return decode_batch(*owner, owner);
}

std::vector<RecordView> records_of(const Batch& batch) {
  std::vector<RecordView> records;
  batch.records(records);
  return records;
}

TEST(RecordBatch, EveryFieldComesBack) {
  for (const Compression compression : kCompressions) {
    BatchBuilder builder(compression, {77, 3, 1000});
    builder.add(1'000'000, "key", "value");
    builder.add(999'000, std::nullopt, std::nullopt);
    builder.add(2'000'000, "", "", {{"h", "v"}, {"null", std::nullopt}, {"", ""}});
    const EncodedBatch encoded = builder.encode();
    EXPECT_EQ(encoded.record_count, 3);
    EXPECT_EQ(encoded.max_timestamp_ms, 2'000'000);

    const Batch batch = decode(encoded.bytes);
    EXPECT_EQ(batch.base_offset(), 0);
    EXPECT_EQ(batch.last_offset(), 2);
    EXPECT_EQ(batch.max_timestamp_ms(), 2'000'000);
    EXPECT_EQ(batch.producer().producer_id, 77);
    EXPECT_EQ(batch.producer().producer_epoch, 3);
    EXPECT_EQ(batch.producer().base_sequence, 1000);
    EXPECT_EQ(batch.record_count(), 3u);
    EXPECT_EQ(batch.encoded_size_bytes(), encoded.bytes.size());
    EXPECT_EQ(batch.position(), std::nullopt);

    const std::vector<RecordView> records = records_of(batch);
    EXPECT_EQ(records[0].key, "key");
    EXPECT_EQ(records[0].value, "value");
    EXPECT_EQ(records[0].timestamp_ms, 1'000'000);
    EXPECT_EQ(records[0].header_count, 0);
    EXPECT_EQ(records[1].offset, 1);
    EXPECT_EQ(records[1].key, std::nullopt);
    EXPECT_EQ(records[1].value, std::nullopt);
    EXPECT_EQ(records[1].timestamp_ms, 999'000);
    EXPECT_EQ(records[2].key, "");
    EXPECT_EQ(records[2].value, "");
    const std::vector<RecordHeader> headers = decode_headers(records[2]);
    ASSERT_EQ(headers.size(), 3u);
    EXPECT_EQ(headers[0].key, "h");
    EXPECT_EQ(headers[0].value, "v");
    EXPECT_EQ(headers[1].value, std::nullopt);
    EXPECT_EQ(headers[2].value, "");
  }
}

TEST(RecordBatch, ABuilderIsUsableAgain) {
  for (const Compression compression : kCompressions) {
    BatchBuilder builder(compression);
    for (int round = 0; round < 3; ++round) {
      EXPECT_EQ(builder.record_count(), 0u);
      EXPECT_EQ(builder.size_bytes(), 0u);
      EXPECT_EQ(kind_of_failure([&] { builder.encode(); }), ErrorKind::kInvalid);
      builder.add(round, std::nullopt, std::string(static_cast<size_t>(round), 'x'));
      EXPECT_GT(builder.size_bytes(), 0u);
      const Batch batch = decode(builder.encode().bytes);
      EXPECT_EQ(records_of(batch).front().timestamp_ms, round);
      EXPECT_EQ(records_of(batch).front().value->size(), static_cast<size_t>(round));
    }
  }
}

TEST(RecordBatch, ThePositionRidesOnTheLastRecord) {
  for (const Compression compression : kCompressions) {
    BatchBuilder builder(compression);
    builder.add(1, "a", "first", {{"x", "1"}});
    builder.set_position({"orders", R"({"file":"a.csv","byte":12})"});
    builder.add(2, "b", "last", {{"y", "2"}});
    const EncodedBatch encoded = builder.encode();
    ASSERT_TRUE(encoded.position.has_value());

    const Batch batch = decode(encoded.bytes);
    const auto position = batch.position();
    ASSERT_TRUE(position.has_value());
    EXPECT_EQ(position->source, "orders");
    EXPECT_EQ(position->position, R"({"file":"a.csv","byte":12})");
    const std::vector<RecordView> records = records_of(batch);
    EXPECT_EQ(records[0].header_count, 1);
    EXPECT_EQ(records[1].header_count, 2);
    EXPECT_EQ(records[1].value, "last");
    EXPECT_EQ(decode_headers(records[1])[0].key, "y");
    EXPECT_EQ(decode_headers(records[1])[1].key, "headrace.position");

    builder.add(3, std::nullopt, "next");
    EXPECT_EQ(decode(builder.encode().bytes).position(), std::nullopt) << "it is of one batch";
  }
}

TEST(RecordBatch, AForeignPositionHeaderIsRefusedOrIgnored) {
  BatchBuilder builder(Compression::kNone);
  EXPECT_EQ(
      kind_of_failure([&] { builder.add(1, std::nullopt, "v", {{"headrace.position", "{}"}}); }),
      ErrorKind::kInvalid);
  builder.add(1, std::nullopt, "v", {{"headrace.positioN", "no JSON"}});
  std::string bytes = builder.encode().bytes;
  bytes.replace(bytes.find("positioN"), 8, "position");
  write_checksum(bytes.data(), bytes.size());
  EXPECT_EQ(decode(bytes).position(), std::nullopt);
}

TEST(RecordBatch, ExtremeTimestampsAndManyRecords) {
  BatchBuilder builder(Compression::kLz4);
  const int64_t times[] = {0, INT64_MAX, INT64_MIN, -1, 1'442'018'818'771};
  for (int i = 0; i < 100'000; ++i) builder.add(times[i % 5], std::nullopt, std::to_string(i));
  const Batch batch = decode(builder.encode().bytes);
  const std::vector<RecordView> records = records_of(batch);
  ASSERT_EQ(records.size(), 100'000u);
  for (int i = 0; i < 100'000; ++i) {
    const auto index = static_cast<size_t>(i);
    ASSERT_EQ(records[index].timestamp_ms, times[i % 5]);
    ASSERT_EQ(records[index].value, std::to_string(i));
    ASSERT_EQ(records[index].offset, i);
  }
}

TEST(RecordBatch, ABaseOffsetDoesNotTouchTheChecksum) {
  BatchBuilder builder(Compression::kZstd);
  builder.add(1, std::nullopt, "a");
  builder.add(2, std::nullopt, "b");
  std::string bytes = builder.encode().bytes;
  write_base_offset(bytes.data(), 1'000'000'000'000);
  const Batch batch = decode(bytes);
  EXPECT_EQ(batch.base_offset(), 1'000'000'000'000);
  EXPECT_EQ(records_of(batch)[1].offset, 1'000'000'000'001);
}

TEST(RecordBatch, LogAppendTimeIsThatOfTheBatch) {
  BatchBuilder builder(Compression::kNone);
  builder.add(10, std::nullopt, "a");
  builder.add(20, std::nullopt, "b");
  std::string bytes = builder.encode().bytes;
  bytes[22] = static_cast<char>(bytes[22] | kLogAppendTimeBit);
  write_checksum(bytes.data(), bytes.size());
  EXPECT_EQ(records_of(decode(bytes))[0].timestamp_ms, 20);
}

// The bytes of one batch, written down by hand after the protocol guide.
TEST(RecordBatch, TheBytesAreKafkas) {
  BatchBuilder builder(Compression::kNone, {1, 2, 3});
  builder.add(1000, "k", "v", {{"h", "w"}});
  const std::string bytes = builder.encode().bytes;
  const std::string expected_front(
      "\0\0\0\0\0\0\0\0"  // base offset
      "\0\0\0\x3e"        // length of what follows
      "\0\0\0\0"          // leader epoch
      "\x02",             // magic
      17);
  const std::string expected_back(
      "\0\0"                      // attributes
      "\0\0\0\0"                  // last offset delta
      "\0\0\0\0\0\0\x03\xe8"      // base timestamp
      "\0\0\0\0\0\0\x03\xe8"      // max timestamp
      "\0\0\0\0\0\0\0\x01\0\x02"  // producer id, epoch
      "\0\0\0\x03"                // base sequence
      "\0\0\0\x01"                // records
      "\x18\0\0\0"                // length 12, attributes, deltas
      "\x02k\x02v"                // key, value
      "\x02\x02h\x02w",           // one header
      53);
  EXPECT_EQ(bytes.substr(0, 17), expected_front);
  EXPECT_EQ(bytes.substr(21), expected_back);
  EXPECT_EQ(bytes.size(), 74u);
}

TEST(RecordBatch, EveryChangedBitIsNoticed) {
  BatchBuilder builder(Compression::kLz4);
  for (int i = 0; i < 5; ++i) builder.add(i, "key", "some value " + std::to_string(i));
  const std::string good = builder.encode().bytes;
  for (size_t bit = 8 * kChecksumOffset; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(kind_of_failure([&] { decode(bad); }), ErrorKind::kCorrupt) << "bit " << bit;
  }
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(kind_of_failure([&] { decode(good.substr(0, size)); }), ErrorKind::kCorrupt) << size;
  }
}

// With the checksum made right again, the lengths inside must hold on their own.
TEST(RecordBatch, LiesInsideTheRecordsAreCorrupt) {
  BatchBuilder builder(Compression::kNone);
  for (int i = 0; i < 3; ++i) builder.add(i, "key", "value", {{"h", "v"}});
  const std::string good = builder.encode().bytes;
  for (size_t at = kChecksummedFrom; at < good.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string bad = good;
      bad[at] = static_cast<char>(value);
      write_checksum(bad.data(), bad.size());
      try {
        const Batch batch = decode(bad);
        (void)batch.position();
        for (const RecordView& record : records_of(batch)) decode_headers(record);
      } catch (const Error& error) {
        ASSERT_EQ(error.kind(), ErrorKind::kCorrupt) << error.message();
      }
    }
  }
}

TEST(RecordBatch, ABatchThatExpandsWithoutBoundIsCorrupt) {
  std::string bytes(kBatchHeaderBytes, '\0');
  // A frame of zstd whose content is a run of one byte, repeated until it is past the limit.
  const std::string magic("\x28\xb5\x2f\xfd\x00\x58", 6);
  bytes += magic;
  const std::string run_of_128_kib(
      "\x02\x00\x10"
      "a",
      4);
  for (int i = 0; i < 8192; ++i) bytes += run_of_128_kib;
  BatchHeader header;
  header.batch_length = static_cast<int32_t>(bytes.size() - kBatchPrefixBytes);
  header.attributes = 4;
  header.record_count = 1;
  write_batch_header(bytes.data(), header);
  write_checksum(bytes.data(), bytes.size());
  EXPECT_EQ(kind_of_failure([&] { decode(bytes); }), ErrorKind::kCorrupt);
}

TEST(Partitioner, ChoosesAsKafkaDoes) {
  // From org.apache.kafka.common.utils.UtilsTest.
  const std::pair<const char*, int32_t> known[] = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107}};
  for (const auto& [key, hash] : known) {
    EXPECT_EQ(static_cast<int32_t>(murmur2(key)), hash) << key;
    EXPECT_EQ(partition_for_key(key, 7), (hash & 0x7FFFFFFF) % 7) << key;
  }
  EXPECT_EQ(kind_of_failure([] { partition_for_key("a", 0); }), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace headrace::stream
