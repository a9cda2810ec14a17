#include "tables/topic_scan.h"

#include "tables/tests/tables_fixture.h"

namespace headrace::tables {
namespace {

using stream::batch_of;
using stream::kind_of_failure;

TEST_F(TablesTest, ScansRangesOfOffsetsWithinBatches) {
  stream::Topic& topic = stream_.topic("t", {.partitions = 2});
  topic.partition(0).append(batch_of({"a", "b", "c"}));
  topic.partition(0).append(batch_of({"d", "e"}));
  topic.partition(1).append(batch_of({"x"}));
  const auto values = [&](const std::vector<OffsetRange>& ranges) {
    std::string found;
    for (const auto& row : rows("SELECT value FROM " + topic_sql("t", ranges) + " ORDER BY value"))
      found += row[0].value_or("NULL");
    return found;
  };
  EXPECT_EQ(values({{0, std::nullopt}, {0, std::nullopt}}), "abcdex");
  EXPECT_EQ(values({{1, 4}}), "bcd");
  EXPECT_EQ(values({{3, std::nullopt}, {0, 0}}), "de");
  EXPECT_EQ(values({{2, 3}, {0, 1}}), "cx");
  EXPECT_EQ(values({{5, std::nullopt}, {1, std::nullopt}}), "");
  EXPECT_EQ(values({}), "");
}

TEST_F(TablesTest, ScansManyRecordsOnceWithSeveralThreads) {
  stream::Topic& topic = stream_.topic("t", {.partitions = 3});
  int next = 0;
  for (int batch = 0; batch < 30; ++batch) {
    std::vector<std::string> values;
    for (int i = 0; i < 1000; ++i) values.push_back(format("{}", next++));
    topic.partition(batch % 3).append(batch_of(values));
  }
  const std::string all = topic_sql("t", {{0, {}}, {0, {}}, {0, {}}});
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT value), max(value::INTEGER) FROM " + all),
            (Rows{{"30000", "30000", "29999"}}));
  EXPECT_EQ(count(all), 30000);
  EXPECT_EQ(count(topic_sql("t", {{4321, 8765}})), 8765 - 4321);
}

TEST_F(TablesTest, ARecordBecomesColumns) {
  stream::BatchBuilder builder(stream::Compression::kNone);
  builder.add(1'500, "key", "text", {{"from", "x"}, {"raw", "\xFF"}, {"none", std::nullopt}});
  builder.add(-1, std::nullopt, std::nullopt);
  builder.add(2'000, "\xFE", "\xFF\x01");
  builder.set_position({"source", "here"});
  stream_.topic("t").partition(0).append(builder.encode());
  connection().execute("SET TimeZone = 'UTC'");
  EXPECT_EQ(rows("SELECT * FROM " + topic_sql("t", {{0, {}}}) + " ORDER BY _offset"),
            (Rows{{"t", "0", "0", "1970-01-01 00:00:01.5+00", "key",
                   R"([{"key":"from","value":"x"},{"key":"raw","value_hex":"ff"},{"key":"none"}])",
                   "text", std::nullopt, std::nullopt},
                  {"t", "0", "1", "1969-12-31 23:59:59.999+00", std::nullopt, std::nullopt,
                   std::nullopt, std::nullopt, std::nullopt},
                  {"t", "0", "2", "1970-01-01 00:00:02+00", std::nullopt, std::nullopt,
                   std::nullopt, "\xFE", "\xFF\x01"}}));
}

TEST_F(TablesTest, SaysWhatCannotBeScanned) {
  stream_.topic("t").partition(0).append(batch_of({"a"}));
  EXPECT_EQ(kind_of_failure([&] { rows("FROM " + topic_sql("none", {{0, {}}})); }),
            ErrorKind::kInvalid);
  EXPECT_EQ(kind_of_failure([&] { rows("FROM " + topic_sql("t", {{0, {}}, {0, {}}})); }),
            ErrorKind::kInvalid);
  EXPECT_EQ(kind_of_failure([&] { rows("FROM headrace_topic('t', '[[0')"); }), ErrorKind::kInvalid);
  EXPECT_THROW(rows("FROM " + topic_sql("t", {{0, 7}})), Error);
}

}  // namespace
}  // namespace headrace::tables
