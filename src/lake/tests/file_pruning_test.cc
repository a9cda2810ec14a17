// Scans that open only what a query needs give the same rows as scans that open everything.

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "lake/delete_writer.h"
#include "lake/file_lists.h"
#include "lake/testing/pruning_fixture.h"

namespace headrace::lake {
namespace {

struct ConditionCase {
  std::string condition;
  int64_t files_read;
};

TEST_F(FilePruningTest, ReadsThePartitionsThatAQueryAsksFor) {
  const TablePtr table = append(
      create({{"id", "BIGINT"}, {"part", "VARCHAR"}}, {"part"}),
      "SELECT i AS id, CASE WHEN i % 5 < 4 THEN 'p' || i % 5 END AS part FROM range(100) r(i)");
  const ConditionCase cases[] = {{"part = 'p1'", 1},
                                 {"part IN ('p1', 'p3', 'p9')", 2},
                                 {"part >= 'p2'", 2},
                                 {"part LIKE 'p%'", 4},
                                 {"part IS NULL", 1},
                                 {"part IS NOT NULL", 4},
                                 {"part <> 'p1'", 3},
                                 {"part = 'p1' OR part = 'p2'", 2},
                                 {"part = 'p1' OR id % 7 = 0", 5},
                                 {"part = 'p9'", 0},
                                 {"part = 'p1' AND id < 0", 0},
                                 {"part = 'p1' AND id % 7 = 0", 1},
                                 {"NOT (part > 'p0' OR part IS NULL)", 1},
                                 {"true", 5}};
  for (const auto& [condition, files] : cases) {
    EXPECT_EQ(files_read(table, condition), files) << condition;
  }
}

// The bounds say the same here; without them only the partition is left.
TEST_F(FilePruningTest, UnderstandsTheTransformsOfPartitions) {
  const std::tuple<std::string, std::string, std::vector<ConditionCase>> tables[] = {
      {"day(ts)",
       "SELECT TIMESTAMPTZ '2024-02-27 05:00:00+00' + i * INTERVAL 1 DAY AS ts FROM range(4) r(i)",
       {{"ts >= '2024-02-29 00:00:00+00'", 2},
        {"ts > '2024-02-28 23:59:59.999999+00'", 2},
        {"ts = '2024-02-28 07:00:00+00'", 1},
        {"ts < '2024-02-28 00:00:00+00'", 1}}},
      {"hour(ts)",
       "SELECT TIMESTAMPTZ '1969-12-31 22:30:00+00' + i * INTERVAL 1 HOUR AS ts FROM range(4) r(i)",
       {{"ts < '1970-01-01 00:00:00+00'", 2},
        {"ts >= '1969-12-31 23:00:00+00' AND ts < '1970-01-01 01:00:00+00'", 2}}},
      {"month(ts)",
       "SELECT TIMESTAMPTZ '1969-11-05 00:00:00+00' + i * INTERVAL 1 MONTH AS ts FROM range(4) "
       "r(i)",
       {{"ts < '1969-12-01 00:00:00+00'", 1}, {"ts >= '1970-01-31 00:00:00+00'", 2}}},
      {"year(ts)",
       "SELECT TIMESTAMPTZ '1968-11-05 00:00:00+00' + i * INTERVAL 1 YEAR AS ts FROM range(4) r(i)",
       {{"ts < '1970-01-01 00:00:00+00'", 2}, {"ts BETWEEN '1971-01-01' AND '1971-02-01'", 1}}},
      {"truncate(10, n)",
       "SELECT (i * 10 + 5)::INTEGER AS n FROM range(-2, 2) r(i)",
       {{"n >= 0", 2}, {"n = -1", 1}, {"n > 9", 1}, {"n < -20", 0}, {"n::BIGINT = 12", 1}}},
      {"truncate(2, s)",
       "SELECT 'k' || i || 'xyz' AS s FROM range(4) r(i)",
       {{"s >= 'k2'", 2}, {"s = 'k1abc'", 1}, {"s LIKE 'k3a%'", 1}, {"s LIKE 'k%'", 4}}},
      {"bucket(50, s)",
       "SELECT 'k' || i AS s FROM range(3) r(i)",
       {{"s = 'k1'", 1}, {"s IN ('k1', 'k2')", 2}}},
      {"bucket(50, n)",
       "SELECT i::INTEGER AS n FROM range(3) r(i)",
       {{"n = 1", 1}, {"n::BIGINT = 2", 1}}},
  };
  for (const auto& [partition_by, select, cases] : tables) {
    TablePtr table =
        create({{connection_->describe(select)[0].name, connection_->describe(select)[0].type}},
               {partition_by});
    std::vector<DataFile> files =
        write_data_files(*connection_, *lake_.catalog, *lake_.files, lake_.random, *table, select);
    for (DataFile& file : files) {
      FileFigures figures = *file.figures;
      figures.lower_bounds.clear();
      figures.upper_bounds.clear();
      figures.null_value_counts.clear();
      file.figures = std::move(figures);
    }
    table = lake_.append(table, std::move(files));
    for (const auto& [condition, expected] : cases) {
      EXPECT_EQ(files_read(table, condition), expected) << partition_by << ": " << condition;
    }
    lake_.catalog->drop(table->identifier, true);
  }
}

TEST_F(FilePruningTest, ReadsWhatBoundsAndCountsOfNullsAllow) {
  TablePtr table =
      create({{"n", "INTEGER"}, {"d", "DOUBLE"}, {"s", "VARCHAR"}, {"c", "DECIMAL(9,2)"}});
  for (int file = 0; file < 4; ++file) {
    table = append(table, format("SELECT (i + {0})::INTEGER AS n, (i + {0}) / 2.0 AS d, CASE WHEN "
                                 "{0} > 0 THEN repeat('{1}', 30) || i END AS s, ((i + {0}) / "
                                 "4)::DECIMAL(9,2) AS c FROM range(10) r(i)",
                                 file * 10, static_cast<char>('a' + file)));
  }
  table = append(table, "SELECT 100 AS n, 'nan'::DOUBLE AS d, 'é' AS s, NULL AS c");
  const ConditionCase cases[] = {
      {"n = 15", 1},
      {"n > 18.5", 4},
      {"n > 19.5", 3},
      {"n = 3000000000", 0},
      {"n::DOUBLE < 9.5", 1},
      {"n::VARCHAR = '1'", 5},  // the order of texts is another
      {"s IS NULL", 1},
      {"s IS NOT NULL", 4},
      {"c IS NULL", 1},
      {"s = repeat('b', 30) || '5'", 1},
      {"s LIKE 'cccccccccccccccccccc%'", 1},
      {"s > 'd'", 2},
      {"s >= 'é'", 1},
      {"c = 4.25", 1},
      {"c = 4.255", 1},
      {"c > 7", 2},
      {"d < 4", 2},    // files with NaN have no bounds
      {"d > 100", 1},  // NaN is greater
      {"d <> 1", 5},
      {"d > 12", 3},
      {"d = 'nan'::DOUBLE", 5},
      {"d IN (1, 2)", 2},
      {"n IN (5, 25, 26, NULL)", 2},
      {"n BETWEEN 8 AND 11 AND s IS NOT NULL", 1},
      {"n = 5 OR s LIKE 'd%'", 2},
  };
  for (const auto& [condition, files] : cases) {
    EXPECT_EQ(files_read(table, condition), files) << condition;
  }
}

TEST_F(FilePruningTest, ReadsOnlyTheManifestsOfASnapshotThatMayMatch) {
  TablePtr table = create({{"id", "BIGINT"}, {"part", "VARCHAR"}}, {"part"});
  for (const char* part : {"a", "b", "c"}) {
    table = append(table, format("SELECT i AS id, '{}' AS part FROM range(10) r(i)", part));
  }
  // A catalog that has read nothing yet, and one manifest that cannot be read.
  const auto catalog = Catalog::open(*lake_.store, *lake_.files, lake_.clock, lake_.random,
                                     {.warehouse = lake_.directory.path() + "/warehouse"});
  table = catalog->load(table->identifier);
  const SnapshotId snapshot = *table->metadata.current_snapshot_id;
  const ManifestListPtr manifests = catalog->manifests(*table, snapshot);
  for (const ManifestFile& manifest : *manifests) {
    if (manifest.partitions.at(0).lower_bound == "b") {
      lake_.files->remove(local_path(manifest.path));
    }
  }
  const auto count = [&](const std::string& condition) {
    const Scan scan = make_scan(*catalog, table, table->metadata.current_schema(), snapshot);
    return connection_->query_integer(
        format("SELECT count(*) FROM ({}) WHERE {}", scan.sql, condition));
  };
  EXPECT_EQ(count("part = 'a'"), 10);
  EXPECT_EQ(connection_->files_scanned().total, 3);
  EXPECT_EQ(connection_->files_scanned().read, 1);
  EXPECT_EQ(count("part > 'b' AND id < 5"), 5);
  EXPECT_EQ(count("part = 'z'"), 0);
  EXPECT_THROW(count("part = 'b'"), Error);
  EXPECT_THROW(count("true"), Error);
}

TEST_F(FilePruningTest, SnapshotsGiveTheRowsOfTheirTime) {
  TablePtr table = create({{"id", "BIGINT"}, {"part", "VARCHAR"}}, {"part"});
  const auto rows_at = [&](SnapshotId snapshot, const std::string& condition) {
    const Scan scan = make_scan(*lake_.catalog, table, table->metadata.current_schema(), snapshot);
    return connection_->query_integer(
        format("SELECT count(*) FROM ({}) WHERE {}", scan.sql, condition));
  };
  table = append(table, "SELECT i AS id, 'p' || i % 4 AS part FROM range(40) r(i)");
  const SnapshotId first = *table->metadata.current_snapshot_id;
  table = append(table, "SELECT i AS id, 'p' || i % 5 AS part FROM range(50) r(i)");
  const SnapshotId second = *table->metadata.current_snapshot_id;
  TableChange to{.base = table, .operation = "delete"};
  const DataFile file = lake_.catalog->files(*table).at(0);
  to.added = {write_position_deletes(*connection_, *lake_.catalog, *lake_.files, lake_.random,
                                     *table, file, RowPositions({0, 1}))};
  table = change(std::move(to));
  const SnapshotId third = *table->metadata.current_snapshot_id;
  EXPECT_EQ(rows_at(first, "true"), 40);
  EXPECT_EQ(rows_at(first, "part = 'p4'"), 0);
  EXPECT_EQ(rows_at(second, "part IN ('p1', 'p4')"), 30);
  EXPECT_EQ(rows_at(second, "id = 7"), 2);
  EXPECT_EQ(rows_at(third, "true"), 88);
  EXPECT_EQ(connection_->files_scanned().total, 9);
}

TEST_F(FilePruningTest, AListThatIsGoneSaysSo) { EXPECT_THROW(find_file_list("0"), Error); }

}  // namespace
}  // namespace headrace::lake
