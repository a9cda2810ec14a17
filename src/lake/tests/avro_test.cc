#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/varint.h"
#include "lake/avro_file.h"
#include "lake/testing/error_kind.h"

namespace headrace::lake {
namespace {

using ::testing::SizeIs;

const std::string kSync(16, 's');

const Json& test_schema() {
  static const Json schema = parse_json(R"({"type": "record", "name": "r", "fields": [
    {"name": "number", "type": "long", "field-id": 1},
    {"name": "text", "type": ["null", "string"], "field-id": 2},
    {"name": "list", "type": {"type": "array", "items": "double"}, "field-id": 3},
    {"name": "code", "type": {"type": "fixed", "name": "f4", "size": 4}, "field-id": 4},
    {"name": "flag", "type": "boolean", "field-id": 5}]})",
                                        "schema");
  return schema;
}

AvroValue row(int64_t number, AvroValue text) {
  return AvroRecord{nullptr, {number, std::move(text), AvroValues{1.5, -2.0}, "abcd", true}};
}

std::string header(const std::string& schema, const std::string& codec) {
  std::string out = "Obj\1";
  append_zigzag(out, 2);
  for (const std::string& text :
       {std::string("avro.codec"), codec, std::string("avro.schema"), schema}) {
    append_zigzag(out, static_cast<int64_t>(text.size()));
    out += text;
  }
  append_zigzag(out, 0);
  return out + kSync;
}

std::string block(int64_t rows, const std::string& bytes) {
  std::string out;
  append_zigzag(out, rows);
  append_zigzag(out, static_cast<int64_t>(bytes.size()));
  return out + bytes + kSync;
}

TEST(AvroTest, ReadsWhatItWroteByFieldId) {
  const std::string file = write_avro_file(test_schema(), {{"owner", "me"}},
                                           {row(-5, "täxt"), row(1LL << 62, {})}, kSync);
  const AvroContent content = read_avro_file(file);
  EXPECT_EQ(content.metadata.at("owner"), "me");
  ASSERT_THAT(content.rows, SizeIs(2));
  EXPECT_EQ(content.rows[0].field(1).integer(), -5);
  EXPECT_EQ(content.rows[0].field(2).bytes(), "täxt");
  EXPECT_EQ(content.rows[0].field(3).array().at(1).number(), -2.0);
  EXPECT_EQ(content.rows[0].field(4).bytes(), "abcd");
  EXPECT_TRUE(content.rows[0].field(5).boolean());
  EXPECT_EQ(content.rows[1].field(1).integer(), 1LL << 62);
  EXPECT_TRUE(content.rows[1].field(2).is_null());
  EXPECT_TRUE(content.rows[1].field(99).is_null());
}

TEST(AvroTest, AFileWithoutRowsIsWhole) {
  EXPECT_THAT(read_avro_file(write_avro_file(test_schema(), {}, {}, kSync)).rows, SizeIs(0));
}

TEST(AvroTest, ReadsUncompressedBlocksAndArraysWithSizes) {
  const std::string schema = R"({"type":"record","name":"r","fields":[
      {"name":"a","type":{"type":"array","items":"int"},"field-id":7}]})";
  // Two items in a block that states its size of two bytes, then one more.
  const std::string rows("\x03\x04\x02\x04\x02\x06\x00", 7);
  const AvroContent content = read_avro_file(header(schema, "null") + block(1, rows));
  EXPECT_THAT(content.rows.at(0).field(7).array(), SizeIs(3));
  EXPECT_EQ(content.rows.at(0).field(7).array().at(2).integer(), 3);
}

TEST(AvroTest, EveryCutIsRefused) {
  const std::string file = write_avro_file(test_schema(), {}, {row(1, "a"), row(2, {})}, kSync);
  const size_t header_size = write_avro_file(test_schema(), {}, {}, kSync).size();
  for (size_t size = 0; size < file.size(); ++size) {
    if (size == header_size) continue;  // a file without rows
    EXPECT_EQ(kind_thrown_by([&] { read_avro_file(file.substr(0, size)); }), ErrorKind::kCorrupt)
        << size;
  }
}

TEST(AvroTest, HostileFilesAreRefused) {
  const std::string nothing = R"({"type":"record","name":"r","fields":[]})";
  EXPECT_EQ(kind_thrown_by(
                [&] { read_avro_file(header(nothing, "null") + block(1'000'000'000'000, "x")); }),
            ErrorKind::kCorrupt);
  const std::string nulls =
      R"({"type":"record","name":"r","fields":[{"name":"a","type":{"type":"array","items":"null"}}]})";
  EXPECT_EQ(kind_thrown_by([&] {
              read_avro_file(header(nulls, "null") + block(1, std::string("\x02\x00", 2)));
            }),
            ErrorKind::kCorrupt);
  EXPECT_EQ(kind_thrown_by([&] { read_avro_file(header(nothing, "snappy")); }),
            ErrorKind::kUnsupported);
  EXPECT_EQ(kind_thrown_by([&] { read_avro_file(header("[1]", "null")); }), ErrorKind::kCorrupt);
  std::string deep = "\"int\"";
  for (int i = 0; i < 50; ++i) deep = R"({"type":"array","items":)" + deep + "}";
  EXPECT_EQ(kind_thrown_by([&] { read_avro_file(header(deep, "null")); }), ErrorKind::kCorrupt);
}

TEST(AvroTest, NamedTypesCannotDescribeMoreThanTheirText) {
  std::string fields = R"({"name":"f0","type":{"type":"record","name":"r0","fields":[
      {"name":"a","type":"null"},{"name":"b","type":"null"}]}})";
  for (int i = 1; i < 20; ++i) {
    fields += R"(,{"name":"f)" + std::to_string(i) + R"(","type":{"type":"record","name":"r)" +
              std::to_string(i) + R"(","fields":[{"name":"a","type":"r)" + std::to_string(i - 1) +
              R"("},{"name":"b","type":"r)" + std::to_string(i - 1) + R"("}]}})";
  }
  const std::string schema = R"({"type":"record","name":"top","fields":[)" + fields + "]}";
  EXPECT_EQ(kind_thrown_by([&] { read_avro_file(header(schema, "null")); }),
            ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace headrace::lake
