#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/format.h"
#include "lake/decimal.h"
#include "lake/murmur3.h"
#include "lake/name_mapping.h"
#include "lake/single_value.h"
#include "lake/testing/error_kind.h"
#include "lake/transform.h"

namespace headrace::lake {
namespace {

TEST(TypesTest, DuckdbTypesGoToIcebergAndBack) {
  const std::pair<const char*, const char*> cases[] = {
      {"BOOLEAN", "BOOLEAN"},
      {"UTINYINT", "INTEGER"},
      {"UINTEGER", "BIGINT"},
      {"UBIGINT", "DECIMAL(20,0)"},
      {"HUGEINT", "DECIMAL(38,0)"},
      {"DECIMAL(18,4)", "DECIMAL(18,4)"},
      {"ENUM('a)', 'b')", "VARCHAR"},
      {"JSON", "VARCHAR"},
      {"TIMESTAMP_MS", "TIMESTAMP"},
      {"TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE"},
      {"INTEGER[3][]", "INTEGER[][]"},
      {"MAP(VARCHAR, STRUCT(a INTEGER[], \"b \"\"c\" DATE))",
       "MAP(VARCHAR, STRUCT(\"a\" INTEGER[], \"b \"\"c\" DATE))"}};
  for (const auto& [from, to] : cases) {
    const Type type = type_from_duckdb(from);
    EXPECT_EQ(to_duckdb(type), to) << from;
    // Through Iceberg's JSON it stays the same.
    EXPECT_EQ(to_duckdb(type_from_json(to_json(type))), to) << from;
  }
}

TEST(TypesTest, WhatIcebergLacksIsRefusedWithAdvice) {
  for (const char* type : {"INTERVAL", "TIMESTAMP_NS", "UHUGEINT", "TIME WITH TIME ZONE",
                           "\"NULL\"", "UNION(a INTEGER)", "STRUCT(a BIT)"}) {
    EXPECT_EQ(kind_thrown_by([&] { type_from_duckdb(type); }), ErrorKind::kUnsupported) << type;
  }
  for (const char* type : {"STRUCT(a INTEGER", "DECIMAL(50,1)", "INTEGER]", "MAP(VARCHAR)"}) {
    EXPECT_EQ(kind_thrown_by([&] { type_from_duckdb(type); }), ErrorKind::kInvalid) << type;
  }
}

TEST(TypesTest, FieldIdsAreNumberedByLevel) {
  const Schema schema = make_schema({{"a", "STRUCT(x INTEGER, y VARCHAR[])"}, {"b", "BIGINT"}});
  EXPECT_EQ(schema.find("a")->id, 1);
  EXPECT_EQ(schema.find("b")->id, 2);
  EXPECT_EQ(schema.find_id(3)->name, "x");
  EXPECT_EQ(schema.find_id(5)->name, "element");
  EXPECT_EQ(schema.highest_field_id(), 5);
  EXPECT_EQ(name_mapping(schema),
            R"([{"field-id":1,"names":["a"],"fields":[{"field-id":3,"names":["x"]},)"
            R"({"field-id":4,"names":["y"],"fields":[{"field-id":5,"names":["element"]}]}]},)"
            R"({"field-id":2,"names":["b"]}])");
  EXPECT_EQ(kind_thrown_by([] { make_schema({{"a", "INTEGER"}, {"a", "DATE"}}); }),
            ErrorKind::kInvalid);
}

TEST(TransformTest, IsReadAsUsersWriteIt) {
  const Schema schema = make_schema({{"ts", "TIMESTAMP"}, {"id", "BIGINT"}, {"x", "DOUBLE"}});
  const auto parse = [&](const char* text) { return parse_partition_field(text, schema, 1000); };
  EXPECT_EQ(parse("day(ts)").name, "ts_day");
  EXPECT_EQ(to_text(parse(" bucket( 16 , id )").transform), "bucket[16]");
  EXPECT_EQ(parse("id").name, "id");
  for (const char* text : {"days(ts)", "day(id)", "bucket(id)", "bucket(0, id)", "bucket(4, x)",
                           "nothing", "hour(", "truncate(3, x)"}) {
    EXPECT_EQ(kind_thrown_by([&] { parse(text); }), ErrorKind::kInvalid) << text;
  }
  EXPECT_EQ(transform_from_text("truncate[10]").argument, 10);
  EXPECT_EQ(kind_thrown_by([] { transform_from_text("zorder"); }), ErrorKind::kUnsupported);
}

// The values of the specification's appendix B, "32-bit Hash Requirements".
TEST(TransformTest, HashesAsTheSpecificationSays) {
  engine::Database database;
  register_transform_functions(database);
  const auto connection = database.connect();
  const auto hash = [&](const std::string& sql) {
    return connection->query_value("SELECT headrace_murmur3_" + sql).value();
  };
  EXPECT_EQ(hash("long(34)"), "2017239379");
  EXPECT_EQ(hash("decimal((14.20)::DECIMAL(9,2)::VARCHAR)"), "-500754589");
  EXPECT_EQ(hash("long((DATE '2017-11-16' - DATE '1970-01-01')::BIGINT)"), "-653330422");
  EXPECT_EQ(hash("long(epoch_us(TIME '22:31:08'))"), "-662762989");
  EXPECT_EQ(hash("long(epoch_us(TIMESTAMP '2017-11-16 22:31:08'))"), "-2047944441");
  EXPECT_EQ(hash("string('iceberg')"), "1210000089");
  EXPECT_EQ(hash("uuid('f79c3e09-677c-4bbd-a479-3f349cb785e7'::UUID::VARCHAR)"), "1488055340");
  EXPECT_EQ(hash("binary('\\x00\\x01\\x02\\x03'::BLOB)"), "-188683207");
}

TEST(TransformTest, IsComputedInSql) {
  engine::Database database;
  const auto connection = database.connect();
  connection->execute("SET TimeZone='America/New_York'");
  const auto compute = [&](const char* transform, const char* type, const char* value) {
    const Transform parsed = transform_from_text(transform);
    return connection
        ->query_value(format("SELECT {}", transform_sql(parsed, format("({}::{})", value, type),
                                                        type_from_duckdb(type))))
        .value_or("NULL");
  };
  const char* kBefore = "'1969-12-31 23:30:00+00'";
  EXPECT_EQ(compute("year", "TIMESTAMPTZ", kBefore), "-1");
  EXPECT_EQ(compute("month", "TIMESTAMPTZ", kBefore), "-1");
  EXPECT_EQ(compute("day", "TIMESTAMPTZ", kBefore), "1969-12-31");
  EXPECT_EQ(compute("hour", "TIMESTAMPTZ", kBefore), "-1");
  EXPECT_EQ(compute("hour", "TIMESTAMP", "'1970-01-01 01:00:00'"), "1");
  EXPECT_EQ(compute("truncate[10]", "INTEGER", "-1"), "-10");
  EXPECT_EQ(compute("truncate[10]", "BIGINT", "19"), "10");
  EXPECT_EQ(compute("truncate[50]", "DECIMAL(9,2)", "'10.65'"), "10.50");
  EXPECT_EQ(compute("truncate[3]", "VARCHAR", "'iceberg'"), "ice");
  EXPECT_EQ(compute("void", "VARCHAR", "'iceberg'"), "NULL");
}

TEST(SingleValueTest, GoesToBytesAndBack) {
  const std::pair<const char*, const char*> cases[] = {
      {"INTEGER", "-7"},
      {"BIGINT", "9223372036854775807"},
      {"DATE", "1969-12-31"},
      {"DATE", "0044-03-15 (BC)"},
      {"TIME", "23:59:59.999999"},
      {"TIMESTAMP", "1969-12-31 23:59:59.5"},
      {"TIMESTAMPTZ", "2024-01-01 00:00:00+00"},
      {"UUID", "00112233-4455-6677-8899-aabbccddeeff"},
      {"BLOB", "a\\x00\\xFF"},
      {"DECIMAL(38,2)", "-999999999999999999999999999999999999.99"},
      {"DECIMAL(4,4)", "0.0001"},
      {"BOOLEAN", "true"},
      {"VARCHAR", "täxt"}};
  for (const auto& [name, text] : cases) {
    const Type type = type_from_duckdb(name);
    EXPECT_EQ(single_value_to_text(type, single_value_from_text(type, text)), text) << name;
  }
}

TEST(SingleValueTest, DecimalsTakeAsFewBytesAsHoldThem) {
  EXPECT_EQ(decimal_to_bytes(127).size(), 1u);
  EXPECT_EQ(decimal_to_bytes(128).size(), 2u);
  EXPECT_EQ(decimal_to_bytes(-128).size(), 1u);
  EXPECT_EQ(decimal_to_bytes(0), std::string(1, '\0'));
  EXPECT_EQ(decimal_fixed_size(9), 4u);
  EXPECT_EQ(decimal_fixed_size(18), 8u);
  EXPECT_EQ(decimal_fixed_size(38), 16u);
}

TEST(SingleValueTest, LongUpperBoundsAreRoundedUp) {
  const Type text = type_from_duckdb("VARCHAR");
  EXPECT_EQ(upper_bound_from_text(text, "0123456789abcdef"), "0123456789abcdef");
  EXPECT_EQ(upper_bound_from_text(text, "0123456789abcdefg"), "0123456789abcdeg");
  EXPECT_EQ(lower_bound_from_text(text, "0123456789abcdefg"), "0123456789abcdef");
  const std::string greatest = "\xF4\x8F\xBF\xBF";  // U+10FFFF cannot be raised
  std::string all;
  for (int i = 0; i < 17; ++i) all += greatest;
  EXPECT_EQ(upper_bound_from_text(text, all), std::nullopt);
  EXPECT_EQ(upper_bound_from_text(text, "a" + all), "b");
  // U+D7FF is followed by U+E000.
  EXPECT_EQ(upper_bound_from_text(text, "0123456789abcde\xED\x9F\xBFx"),
            "0123456789abcde\xEE\x80\x80");
}

}  // namespace
}  // namespace headrace::lake
