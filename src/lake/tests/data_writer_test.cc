#include "lake/data_writer.h"

#include <cstring>
#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/single_value.h"
#include "lake/testing/error_kind.h"
#include "lake/testing/lake_fixture.h"
#include "lake/transform.h"

namespace headrace::lake {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class DataWriterTest : public ::testing::Test {
 protected:
  DataWriterTest() {
    register_transform_functions(database_);
    connection_->execute("SET TimeZone='UTC'");
  }
  TablePtr create(const std::vector<std::pair<std::string, std::string>>& columns,
                  const std::vector<std::string>& partition_by = {}) {
    return lake_.catalog->create({.identifier = {"silver", "t"},
                                  .schema = make_schema(columns),
                                  .partition_by = partition_by});
  }
  std::vector<DataFile> write(const TablePtr& table, const std::string& select) {
    return write_data_files(*connection_, *lake_.catalog, *lake_.files, lake_.random, *table,
                            select);
  }
  std::string value(const std::string& sql) {
    return connection_->query_value(sql).value_or("NULL");
  }
  std::string scan(const TablePtr& table) { return scan_sql(*table, lake_.catalog->files(*table)); }

  LakeFixture lake_;
  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_ = database_.connect();
};

TEST_F(DataWriterTest, WritesRowsThatTheScanReads) {
  TablePtr table = create({{"id", "BIGINT"}, {"name", "VARCHAR"}});
  table = lake_.append(table, write(table, "SELECT i AS id, 'n' || i AS name FROM range(10) r(i)"));
  EXPECT_EQ(
      value("SELECT count(*) || '/' || sum(id) || '/' || max(name) FROM (" + scan(table) + ")"),
      "10/45/n9");
  const DataFile file = lake_.catalog->files(*table).at(0);
  EXPECT_EQ(file.record_count, 10);
  EXPECT_EQ(static_cast<uint64_t>(file.file_size_bytes),
            std::filesystem::file_size(local_path(file.path)));
}

TEST_F(DataWriterTest, AnEmptyResultWritesNoFile) {
  TablePtr table = create({{"id", "BIGINT"}});
  EXPECT_THAT(write(table, "SELECT 1 AS id WHERE false"), IsEmpty());
  EXPECT_THAT(lake_.files->list(lake_.catalog->data_directory(*table)), IsEmpty());
  EXPECT_EQ(value("SELECT count(*) FROM (" + scan(table) + ")"), "0");
}

TEST_F(DataWriterTest, AnEmptyResultWritesNoPartition) {
  TablePtr table = create({{"id", "BIGINT"}}, {"id"});
  EXPECT_THAT(write(table, "SELECT 1 AS id WHERE false"), IsEmpty());
  EXPECT_THAT(lake_.files->list(lake_.catalog->data_directory(*table)), IsEmpty());
}

TEST_F(DataWriterTest, AFailedSelectLeavesNothingBehind) {
  TablePtr table = create({{"id", "BIGINT"}}, {"id"});
  EXPECT_EQ(kind_thrown_by([&] {
              write(table,
                    "SELECT CASE WHEN i < 5000 THEN i ELSE error('broken') END AS id FROM "
                    "range(9000) r(i)");
            }),
            ErrorKind::kInvalid);
  EXPECT_THAT(lake_.files->list(lake_.catalog->data_directory(*table)), IsEmpty());
}

TEST_F(DataWriterTest, BoundsAreThoseOfTheColumn) {
  TablePtr table = create({{"i", "INTEGER"},
                           {"d", "DECIMAL(18,4)"},
                           {"ts", "TIMESTAMP WITH TIME ZONE"},
                           {"text", "VARCHAR"},
                           {"x", "DOUBLE"},
                           {"nan", "DOUBLE"},
                           {"nothing", "VARCHAR"},
                           {"blob", "BLOB"},
                           {"u", "UUID"},
                           {"ok", "BOOLEAN"},
                           {"day", "DATE"}});
  const DataFile file =
      write(table,
            "SELECT i::INTEGER AS i, (i * 1.25)::DECIMAL(18,4) AS d, "
            "TIMESTAMPTZ '1969-12-31 23:59:59.5Z' + i * INTERVAL 1 SECOND AS ts, "
            "'a text of more than sixteen ' || i AS text, -i::DOUBLE AS x, "
            "CASE WHEN i = 1 THEN 'nan'::DOUBLE ELSE i END AS nan, NULL::VARCHAR AS nothing, "
            "'\\x00\\xFF'::BLOB AS blob, '00112233-4455-6677-8899-aabbccddeeff'::UUID AS u, "
            "i > 0 AS ok, DATE '1970-01-01' + i::INTEGER AS day FROM range(3) r(i)")
          .at(0);
  const Schema& schema = table->metadata.current_schema();
  const auto lower = [&](const char* name) {
    const Field& field = *schema.find(name);
    return single_value_to_text(field.type, file.figures->lower_bounds.at(field.id));
  };
  const auto upper = [&](const char* name) {
    const Field& field = *schema.find(name);
    return single_value_to_text(field.type, file.figures->upper_bounds.at(field.id));
  };
  EXPECT_EQ(lower("i") + " " + upper("i"), "0 2");
  EXPECT_EQ(lower("d") + " " + upper("d"), "0.0000 2.5000");
  EXPECT_EQ(lower("ts"), "1969-12-31 23:59:59.5+00");
  EXPECT_EQ(upper("ts"), "1970-01-01 00:00:01.5+00");
  EXPECT_EQ(lower("text") + "|" + upper("text"), "a text of more t|a text of more u");
  EXPECT_EQ(lower("x") + " " + upper("x"), "-2 0");
  EXPECT_FALSE(file.figures->lower_bounds.contains(schema.find("nan")->id));
  EXPECT_FALSE(file.figures->lower_bounds.contains(schema.find("nothing")->id));
  EXPECT_EQ(file.figures->null_value_counts.at(schema.find("nothing")->id), 3);
  EXPECT_EQ(lower("blob"), "\\x00\\xFF");
  EXPECT_EQ(upper("u"), "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(lower("ok") + " " + upper("ok"), "false true");
  EXPECT_EQ(lower("day") + " " + upper("day"), "1970-01-01 1970-01-03");
}

TEST_F(DataWriterTest, PartitionsAreSplitByTransformedValues) {
  TablePtr table =
      create({{"id", "BIGINT"}, {"name", "VARCHAR"}, {"ts", "TIMESTAMP WITH TIME ZONE"}},
             {"day(ts)", "bucket(4, id)", "name", "truncate(1, name)"});
  const std::vector<DataFile> files =
      write(table,
            "SELECT i AS id, CASE WHEN i % 2 = 0 THEN NULL ELSE 'a/b =%' END AS name, "
            "TIMESTAMPTZ '2024-01-01 23:00:00Z' + (i // 50) * INTERVAL 1 HOUR AS ts "
            "FROM range(100) r(i)");
  EXPECT_THAT(files, SizeIs(2 * 4 * 2));
  int64_t records = 0;
  for (const DataFile& file : files) {
    records += file.record_count;
    EXPECT_TRUE(file.partition[0] == "2024-01-01" || file.partition[0] == "2024-01-02");
    EXPECT_EQ(file.partition[3].has_value(), file.partition[2].has_value());
    if (file.partition[2]) {
      EXPECT_EQ(file.partition[2], "a/b =%");
      EXPECT_EQ(file.partition[3], "a");
    }
  }
  EXPECT_EQ(records, 100);
  table = lake_.append(table, files);
  EXPECT_EQ(
      value("SELECT count(*) || '/' || sum(id) || '/' || count(name) FROM (" + scan(table) + ")"),
      "100/4950/50");
}

TEST_F(DataWriterTest, BytesThatAreNoTextDividePartitions) {
  TablePtr table = create({{"b", "BLOB"}}, {"truncate(2, b)"});
  const std::string rows =
      "SELECT unnest(['\\xFF\\x00\\x01'::BLOB, '\\xFF\\x00\\x02', '/=%''\\x5C', '', NULL]) AS b";
  table = lake_.append(table, write(table, rows));
  EXPECT_EQ(value("SELECT count(*) FROM (" + scan(table) + ")"), "5");
  EXPECT_EQ(value("SELECT count(*) FROM ((" + scan(table) + ") EXCEPT (" + rows + "))"), "0");
  std::set<std::optional<std::string>> partitions;
  for (const DataFile& file : lake_.catalog->files(*table)) {
    std::optional<std::string> bytes = file.partition.at(0);
    if (bytes) bytes = single_value_from_text(simple_type(TypeKind::kBinary), *bytes);
    partitions.insert(bytes);
  }
  EXPECT_EQ(partitions, (std::set<std::optional<std::string>>{std::string("\xFF\0", 2), "/=", "",
                                                              std::nullopt}));
}

TEST_F(DataWriterTest, OldFilesReadAsTheNewSchema) {
  TablePtr table = create({{"id", "INTEGER"}, {"name", "VARCHAR"}, {"s", "STRUCT(a INTEGER)"}});
  table = lake_.append(table, write(table, "SELECT 1 AS id, 'x' AS name, {'a': 5} AS s"));
  TableChange change{.base = table};
  change.new_schema = table->metadata.current_schema();
  change.new_schema->fields[0].type = type_from_duckdb("BIGINT");
  change.new_schema->fields[1].name = "user";
  change.new_schema->fields[2].type.fields.push_back(
      {0, "b", type_from_duckdb("VARCHAR"), false, ""});
  change.new_schema->fields.push_back({0, "tags", type_from_duckdb("VARCHAR[]"), false, ""});
  table = lake_.catalog->commit({change}).at(0);
  table = lake_.append(table, write(table,
                                    "SELECT 5000000000 AS id, 'y' AS user, {'a': 6, 'b': "
                                    "'q'} AS s, ['t'] AS tags"));
  EXPECT_EQ(value("SELECT string_agg(concat_ws(' ', id, \"user\", s.a, coalesce(s.b, '-'), "
                  "coalesce(tags[1], '-')), '; ' ORDER BY id) FROM (" +
                  scan(table) + ")"),
            "1 x 5 - -; 5000000000 y 6 q t");
}

TEST_F(DataWriterTest, AFilterReadsOnlyTheFilesThatMayHoldTheRow) {
  TablePtr table = create({{"id", "BIGINT"}, {"payload", "VARCHAR"}});
  for (int part = 0; part < 4; ++part) {
    table = lake_.append(
        table, write(table, format("SELECT {} + i AS id, repeat('x', 100) AS payload FROM "
                                   "range(10000) r(i)",
                                   part * 10'000)));
  }
  std::string plan;
  for (const auto& row : connection_->query_rows("EXPLAIN ANALYZE SELECT * FROM (" + scan(table) +
                                                 ") WHERE id = 25000")) {
    plan += row.back().value_or("");
  }
  EXPECT_THAT(plan, ::testing::HasSubstr("Filters: id=25000")) << plan;
}

}  // namespace
}  // namespace headrace::lake
