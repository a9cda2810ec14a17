// Tables of every type and partitioning, read by pyiceberg and by DuckDB's own Iceberg extension.

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/format.h"
#include "base/testing/environment.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/delete_reader.h"
#include "lake/row_deletes.h"
#include "lake/table_alteration.h"
#include "lake/testing/lake_fixture.h"
#include "lake/transform.h"

namespace headrace::lake {
namespace {

std::string text_from_environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

const char* kColumns =
    "i AS id, i::INTEGER AS small, i % 3 = 0 AS flag, (i * 0.5)::FLOAT AS f, "
    "CASE WHEN i % 7 = 0 THEN 'nan'::DOUBLE WHEN i % 5 = 0 THEN NULL ELSE i * 1.5 END AS d, "
    "(i * 1.25)::DECIMAL(9,2) AS dec9, (i * 1.25)::DECIMAL(18,4) AS dec18, "
    "(i * 1.25 - 500)::DECIMAL(38,10) AS dec38, DATE '1969-12-30' + (i // 250)::INTEGER AS day, "
    "TIME '00:00:01' + i * INTERVAL 1 SECOND AS t, "
    "TIMESTAMP '1969-12-30 00:00:00' + i * INTERVAL 6 MINUTE AS ts, "
    "TIMESTAMPTZ '1969-12-30 00:00:00Z' + i * INTERVAL 6 MINUTE AS tstz, "
    "'a name longer than sixteen characters ' || i AS name, "
    "CASE WHEN i % 4 = 0 THEN NULL ELSE 'c' || (i % 4) END AS country, "
    "md5(i::VARCHAR)::UUID AS u, ('blob' || i)::BLOB AS b, "
    "{'x': i::INTEGER, 'y': ['e' || i, NULL], 'z': {'deep': i}} AS s, "
    "MAP {'k' || i: [i::DOUBLE]} AS m, [{'q': i::INTEGER}] AS l";

// One partitioning and what a reader must find in it.
struct PartitionedCase {
  std::string name;
  std::vector<std::string> partition_by;
  std::string where;   // for DuckDB
  std::string filter;  // for pyiceberg
  int64_t rows;
  int64_t files;  // most that need to be read, of 3 commits
  int format_version = 2;
};

class OtherEnginesTest : public ::testing::Test {
 protected:
  OtherEnginesTest() {
    register_transform_functions(database_);
    register_delete_function(database_);
    connection_->execute("SET TimeZone='UTC'");
  }

  TablePtr create(const PartitionedCase& test) {
    std::vector<std::pair<std::string, std::string>> columns;
    for (const engine::Column& column :
         connection_->describe(format("SELECT {} FROM range(1) r(i)", kColumns))) {
      columns.emplace_back(column.name, column.type);
    }
    CreateTable request;
    request.identifier = {"silver", test.name};
    request.schema = make_schema(columns);
    request.partition_by = test.partition_by;
    request.format_version = test.format_version;
    return lake_.catalog->create(request);
  }

  TablePtr append(const TablePtr& table, int64_t begin, int64_t end) {
    const std::string select = format("SELECT {} FROM range({}, {}) r(i)", kColumns, begin, end);
    return lake_.append(table, write_data_files(*connection_, *lake_.catalog, *lake_.files,
                                                lake_.random, *table, select));
  }

  // Three commits; the second one's first file is then replaced by a rewrite of itself.
  TablePtr build(const PartitionedCase& test) {
    TablePtr table = create(test);
    table = append(append(append(table, 0, 300), 300, 700), 700, 1000);
    TableChange change;
    change.base = table;
    change.removed = {lake_.catalog->files(*table).at(0)};
    WriteOptions options;
    options.keeps_row_ids = test.format_version >= 3;
    change.added = write_data_files(
        *connection_, *lake_.catalog, *lake_.files, lake_.random, *table,
        options.keeps_row_ids ? format("SELECT * EXCLUDE (_file, _position) FROM ({})",
                                       scan_moving_rows_sql(*table, change.removed))
                              : scan_sql(*table, change.removed),
        options);
    change.operation = "replace";
    return lake_.catalog->commit({change}).at(0);
  }

  // Columns that went, got other names (one of them the name of one that went), also in structs,
  // wider types and another partitioning between two commits.
  TablePtr build_evolved(const PartitionedCase& test) {
    TablePtr table = append(create(test), 0, 300);
    const TableAlteration alteration{
        .drop = {"b", "flag"},
        .rename = {{"name", "label"}, {"d", "b"}, {"s.z", "w"}, {"s.x", "z"}, {"l.q", "r"}},
        .type = {{"small", "bigint"}, {"f", "double"}, {"dec9", "decimal(12,2)"}},
        .add = {{"extra", "bigint"}, {"s.more", "varchar"}, {"flag", "varchar"}},
        .partition_by = std::vector<std::string>{"day(tstz)"}};
    table = lake_.catalog
                ->commit({change_of(table, alteration,
                                    [&](const std::string& type) {
                                      return type_from_duckdb(database_.canonical_type(type));
                                    })})
                .at(0);
    const std::string select = format(
        "SELECT * EXCLUDE (b, flag, d, name, s, l), d AS b, name AS label, id AS extra, 'f' AS "
        "flag, "
        "{{'z': s.x, 'y': s.y, 'w': s.z, 'more': 'm'}} AS s, [{{'r': small}}] AS l FROM "
        "(SELECT {} FROM range(300, 1000) r(i))",
        kColumns);
    return lake_.append(table, write_data_files(*connection_, *lake_.catalog, *lake_.files,
                                                lake_.random, *table, select));
  }

  // Deletes every tenth row by its position, in two commits; some rows twice.
  TablePtr delete_rows(TablePtr table) {
    for (const char* condition : {"id % 10 = 0 AND id < 600", "id % 10 = 0 AND id > 300"}) {
      const std::vector<DataFile> files = lake_.catalog->files(*table);
      const auto rows =
          connection_->query_rows(format("SELECT _file, _position FROM ({}) WHERE {}",
                                         scan_rows_sql(*build_base_, all_rows_), condition));
      std::map<std::string, RowPositions> positions;
      for (const auto& row : rows) {
        positions[all_rows_[std::stoul(*row[0])].path].add(std::stoll(*row[1]));
      }
      std::vector<DeletedRows> deleted;
      for (const DataFile& file : files) {
        const auto found = positions.find(file.path);
        if (found == positions.end()) continue;
        deleted.push_back({file, found->second, found->second});
        for (const auto& before : file.deletes) {
          if (const auto some = reader_.read(*before, file.path)) deleted.back().all.add(*some);
        }
      }
      DeleteFiles written = lake::delete_rows(*connection_, *lake_.catalog, *lake_.files,
                                              lake_.random, *table, deleted);
      TableChange change;
      change.base = table;
      change.operation = "delete";
      change.added = std::move(written.added);
      change.removed = std::move(written.removed);
      table = lake_.catalog->commit({change}).at(0);
    }
    return table;
  }

  // The same with every tenth row deleted.
  TablePtr build_with_deletes(const PartitionedCase& test) {
    build_base_ = build(test);
    all_rows_ = lake_.catalog->files(*build_base_);
    return delete_rows(build_base_);
  }

  Json expectation(const PartitionedCase& test, const Table& table) {
    const auto total = [&](const char* column) {
      return connection_
          ->query_value(format("SELECT sum({})::VARCHAR FROM ({})", column,
                               scan_sql(table, lake_.catalog->files(table))))
          .value();
    };
    JsonArray queries;
    if (!test.where.empty()) {
      queries.push_back(JsonObject{{"where", test.where},
                                   {"filter", test.filter},
                                   {"rows", test.rows},
                                   {"files", test.files}});
    }
    return JsonObject{
        {"metadata", local_path(table.metadata_location)},
        {"rows", connection_->query_integer(format("SELECT count(*) FROM ({})",
                                                   scan_sql(table, lake_.catalog->files(table))))},
        {"sums",
         JsonObject{{"id", total("id")}, {"dec18", total("dec18")}, {"dec38", total("dec38")}}},
        {"queries", std::move(queries)}};
  }

  // Deletes of format version 2, some of which the upgrade finds, and vectors for others.
  TablePtr build_upgraded(const PartitionedCase& test) {
    TablePtr table = build_with_deletes(test);
    TableChange upgrade;
    upgrade.base = table;
    upgrade.format_version = 3;
    table = lake_.catalog->commit({upgrade}).at(0);
    all_rows_ = {all_rows_.front()};
    return delete_rows(table);
  }

  TablePtr build_base_;
  std::vector<DataFile> all_rows_;
  LakeFixture lake_;
  engine::Database database_;
  DeleteReader reader_{database_};
  std::unique_ptr<engine::Connection> connection_ = database_.connect();
};

TEST_F(OtherEnginesTest, ReadEveryTypeAndPartitioning) {
  const std::string python = text_from_environment(
      "HEADRACE_PYTHON", std::string(HEADRACE_SOURCE_DIR) + "/.deps/python/bin/python");
  if (!std::filesystem::exists(python)) {
    if (text_from_environment("CI", "") == "true")
      FAIL() << python << " is missing: run scripts/setup test";
    GTEST_SKIP() << python << " is missing: run scripts/setup test";
  }
  const std::vector<PartitionedCase> cases = {
      {"plain", {}, "id = 500", "id = 500", 1, 1},
      {"by_identity", {"country"}, "country = 'c1'", "country = 'c1'", 250, 4},
      {"by_null", {"country"}, "country IS NULL", "country is null", 250, 4},
      {"by_day",
       {"day(tstz)"},
       "tstz < TIMESTAMPTZ '1969-12-31 00:00:00Z'",
       "tstz < '1969-12-31T00:00:00+00:00'",
       240,
       2},
      {"by_hour",
       {"hour(ts)"},
       "ts < TIMESTAMP '1969-12-30 01:00:00'",
       "ts < '1969-12-30T01:00:00'",
       10,
       1},
      {"by_month", {"month(day)"}, "day >= DATE '1970-01-01'", "day >= '1970-01-01'", 500, 3},
      {"by_year",
       {"year(ts)"},
       "ts >= TIMESTAMP '1970-01-01 00:00:00'",
       "ts >= '1970-01-01T00:00:00'",
       520,
       3},
      {"by_bucket_long", {"bucket(8, id)"}, "id = 123", "id = 123", 1, 1},
      {"by_bucket_string",
       {"bucket(8, name)"},
       "name = 'a name longer than sixteen characters 5'",
       "name = 'a name longer than sixteen characters 5'",
       1,
       4},  // the names begin alike, so their shortened bounds do not tell them apart
      {"by_bucket_decimal", {"bucket(8, dec18)"}, "dec18 = 12.5", "dec18 = '12.5000'", 1, 1},
      {"by_bucket_others",
       {"bucket(2, u)", "bucket(2, b)", "bucket(2, day)", "bucket(2, ts)", "bucket(2, t)"},
       "ts = TIMESTAMP '1969-12-30 00:06:00'",
       "ts = '1969-12-30T00:06:00'",
       1,
       16},
      {"by_truncate",
       {"truncate(100, id)", "truncate(1, country)"},
       "id >= 900 AND country = 'c1'",
       "id >= 900 and country = 'c1'",
       25,
       1},
      {"by_identities",
       {"day", "flag", "dec9"},
       "day = DATE '1969-12-30' AND flag AND dec9 = 3.75",
       "day = '1969-12-30' and flag = true and dec9 = '3.75'",
       1,
       1}};
  JsonArray expectations;
  for (const PartitionedCase& test : cases) expectations.push_back(expectation(test, *build(test)));
  const PartitionedCase evolved{
      "evolved",
      {},
      "flag = 'f' AND extra < 800 AND label LIKE 'a name%' AND b < 900 AND small > 0",
      "flag = 'f' and extra < 800 and b < 900 and small > 0",
      0,
      6};
  const TablePtr evolved_table = build_evolved(evolved);
  PartitionedCase counted = evolved;
  counted.rows = connection_->query_integer(
      format("SELECT count(*) FROM ({}) WHERE {}",
             scan_sql(*evolved_table, lake_.catalog->files(*evolved_table)), evolved.where));
  EXPECT_EQ(counted.rows, connection_->query_integer(
                              format("SELECT count(*) FROM (SELECT {} FROM range(300, 800) r(i)) "
                                     "WHERE d < 900 AND small > 0",
                                     kColumns)));
  expectations.push_back(expectation(counted, *evolved_table));
  const std::vector<PartitionedCase> with_deletes = {
      {"deletes", {}, "id BETWEEN 495 AND 504", "id >= 495 and id <= 504", 9, 1},
      {"deletes_by_bucket", {"bucket(4, id)"}, "id = 500", "id = 500", 0, 1},
      {"deletes_by_day",
       {"day(tstz)"},
       "tstz < TIMESTAMPTZ '1969-12-31 00:00:00Z'",
       "tstz < '1969-12-31T00:00:00+00:00'",
       216,
       2},
      {"plain_3", {}, "id = 501", "id = 501", 1, 1, 3},
      {"deletes_3_by_bucket", {"bucket(4, id)"}, "id = 500", "id = 500", 0, 1, 3},
      {"deletes_3_by_day",
       {"day(tstz)"},
       "tstz < TIMESTAMPTZ '1969-12-31 00:00:00Z'",
       "tstz < '1969-12-31T00:00:00+00:00'",
       216,
       2,
       3}};
  for (const PartitionedCase& test : with_deletes) {
    const TablePtr table = build_with_deletes(test);
    expectations.push_back(expectation(test, *table));
    EXPECT_EQ(find_member(expectations.back(), "rows")->as_int64(), 900);
  }
  const PartitionedCase upgraded{"upgraded", {"bucket(4, id)"}, "id = 500", "id = 500", 0, 1};
  expectations.push_back(expectation(upgraded, *build_upgraded(upgraded)));
  EXPECT_EQ(find_member(expectations.back(), "rows")->as_int64(), 900);
  // They read the same bytes whatever wrote them was built with, and take half a minute.
  if (kIsSanitized) return;
  const std::string path = lake_.directory.path() + "/expectations.json";
  std::ofstream(path) << to_text(expectations);
  const std::string command = format("'{}' '{}/tests/read_by_other_engines.py' '{}' 2>&1", python,
                                     HEADRACE_SOURCE_DIR, path);
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

}  // namespace
}  // namespace headrace::lake
