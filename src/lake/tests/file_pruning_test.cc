// Scans that open only what a query needs give the same rows as scans that open everything.

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/delete_writer.h"
#include "lake/file_lists.h"
#include "lake/scan_files.h"
#include "lake/testing/lake_fixture.h"
#include "lake/transform.h"

namespace headrace::lake {
namespace {

using Columns = std::vector<std::pair<std::string, std::string>>;
using Rows = std::vector<std::vector<std::optional<std::string>>>;

class FilePruningTest : public ::testing::Test {
 protected:
  FilePruningTest() {
    register_transform_functions(database_);
    register_delete_function(database_);
    register_file_scan(database_);
  }

  TablePtr create(const Columns& columns, const std::vector<std::string>& partition_by = {}) {
    return lake_.catalog->create({.identifier = {"silver", "t"},
                                  .schema = make_schema(columns),
                                  .partition_by = partition_by});
  }
  TablePtr append(const TablePtr& table, const std::string& select) {
    return lake_.append(table, write_data_files(*connection_, *lake_.catalog, *lake_.files,
                                                lake_.random, *table, select));
  }
  TablePtr change(TableChange change) { return lake_.catalog->commit({std::move(change)}).at(0); }

  Scan scan(const TablePtr& table) {
    return make_scan(table, table->metadata.current_schema(),
                     std::make_shared<const std::vector<DataFile>>(lake_.catalog->files(*table)));
  }

  // How many files a query with this condition reads.
  int64_t files_read(const TablePtr& table, const std::string& condition) {
    const Scan pruned = scan(table);
    connection_->query_rows(format("SELECT count(*) FROM ({}) WHERE {}", pruned.sql, condition));
    return connection_->files_scanned().read;
  }

  LakeFixture lake_;
  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_ = database_.connect();
};

struct Case {
  std::string condition;
  int64_t files_read;
};

TEST_F(FilePruningTest, ReadsThePartitionsThatAQueryAsksFor) {
  const TablePtr table = append(
      create({{"id", "BIGINT"}, {"part", "VARCHAR"}}, {"part"}),
      "SELECT i AS id, CASE WHEN i % 5 < 4 THEN 'p' || i % 5 END AS part FROM range(100) r(i)");
  const Case cases[] = {{"part = 'p1'", 1},
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
  const std::tuple<std::string, std::string, std::vector<Case>> tables[] = {
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
      file.lower_bounds.clear();
      file.upper_bounds.clear();
      file.null_value_counts.clear();
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
  const Case cases[] = {
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

int number_from(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

// Of random tables with all that can befall them.
class RandomTable {
 public:
  explicit RandomTable(Random& random) : random_(random) {}

  static Columns columns() {
    return {{"i", "INTEGER"},
            {"l", "BIGINT"},
            {"f", "FLOAT"},
            {"d", "DOUBLE"},
            {"c", "DECIMAL(9,2)"},
            {"s", "VARCHAR"},
            {"b", "BOOLEAN"},
            {"dt", "DATE"},
            {"ts", "TIMESTAMP"},
            {"tz", "TIMESTAMP WITH TIME ZONE"},
            {"y", "BLOB"},
            {"u", "UUID"},
            {"p", "STRUCT(x INTEGER)"}};
  }

  std::vector<std::string> partitioning() {
    static const std::vector<std::string> fields = {"i",
                                                    "l",
                                                    "s",
                                                    "b",
                                                    "dt",
                                                    "c",
                                                    "u",
                                                    "year(ts)",
                                                    "month(tz)",
                                                    "day(tz)",
                                                    "hour(ts)",
                                                    "month(dt)",
                                                    "bucket(4, i)",
                                                    "bucket(3, s)",
                                                    "bucket(5, tz)",
                                                    "bucket(4, c)",
                                                    "bucket(4, u)",
                                                    "truncate(5, i)",
                                                    "truncate(1, s)",
                                                    "truncate(50, c)",
                                                    "truncate(7, l)",
                                                    "bucket(3, dt)",
                                                    "bucket(4, y)"};
    std::vector<std::string> chosen;
    std::set<std::string> sources;
    for (uint64_t i = random_.below(3); i > 0; --i) {
      const std::string& field = fields[random_.below(fields.size())];
      const std::string name = field.substr(0, field.find('('));
      if (sources.insert(field).second && (name == field || sources.insert(name).second)) {
        chosen.push_back(field);
      }
    }
    return chosen;
  }

  // A value of a column in SQL; from a narrow range around `center`, so that files differ.
  std::string value(const std::string& column, int center) {
    const auto near = [&](int width) {
      return center * width + static_cast<int>(random_.below(static_cast<uint64_t>(2 * width)));
    };
    if (random_.below(12) == 0) return "NULL";
    if (column == "i") return format("({})::INTEGER", near(6));
    if (column == "l") return format("({})::BIGINT * 1000000007", near(4));
    if (column == "f" || column == "d") {
      const char* type = column == "f" ? "FLOAT" : "DOUBLE";
      switch (random_.below(14)) {
        case 0:
          return format("'nan'::{}", type);
        case 1:
          return format("'{}inf'::{}", random_.below(2) == 0 ? "" : "-", type);
        case 2:
          return format("'{}0'::{}", random_.below(2) == 0 ? "" : "-", type);
        default:
          return format("({} / 10.0)::{}", near(20), type);
      }
    }
    if (column == "c") return format("({} / 4.0)::DECIMAL(9,2)", near(10));
    if (column == "s") {
      static const char* kTails[] = {"", "z", "é", "aaaaaaaaaaaaaaaaaaaaaaaa", "𐍈"};
      return format("'{}{}'", static_cast<char>('a' + (near(1) & 7)), kTails[random_.below(5)]);
    }
    if (column == "b") return random_.below(2) == 0 ? "true" : "false";
    if (column == "dt") return format("DATE '1970-01-10' + ({})", near(9));
    if (column == "ts" || column == "tz") {
      return format("({} '1970-01-02 00:00:00' + INTERVAL ({}) MINUTE)",
                    column == "ts" ? "TIMESTAMP" : "TIMESTAMPTZ", near(700));
    }
    if (column == "y") {
      return format("'\\x{:02X}{}'::BLOB", near(3) & 0xFF, random_.below(2) == 0 ? "" : "\\xFFb");
    }
    if (column == "u") {
      return format("'{:x}0000000-0000-0000-0000-00000000000{}'::UUID", near(2) & 15,
                    random_.below(3));
    }
    return format("{{'x': {}::INTEGER}}", near(3));
  }

  std::string select(const std::vector<std::string>& columns, int rows) {
    const int center = static_cast<int>(random_.below(7)) - 3;
    std::set<std::string> empty;
    if (random_.below(4) == 0) empty.insert(columns[random_.below(columns.size())]);
    std::vector<std::string> tuples;
    for (int row = 0; row < rows; ++row) {
      std::vector<std::string> values;
      for (const std::string& column : columns) {
        values.push_back(empty.contains(column) ? "NULL" : value(source_of(column), center));
      }
      tuples.push_back(format("({})", join(values, ", ")));
    }
    std::vector<std::string> names;
    for (const std::string& column : columns) {
      names.push_back(format("CAST(v.{0} AS {1}) AS {0}", column, type_of(source_of(column))));
    }
    return format("SELECT {} FROM (VALUES {}) v({})", join(names, ", "), join(tuples, ", "),
                  join(columns, ", "));
  }

  std::string condition(const std::vector<std::string>& columns, int depth = 0) {
    if (depth < 3 && random_.below(3) == 0) {
      return format("({} {} {})", condition(columns, depth + 1),
                    random_.below(2) == 0 ? "AND" : "OR", condition(columns, depth + 1));
    }
    if (random_.below(12) == 0) return format("NOT ({})", condition(columns, depth + 1));
    const std::string column = columns[random_.below(columns.size())];
    const std::string source = source_of(column);
    if (source == "p") return struct_condition(column);
    const auto some = [&] { return value(source, static_cast<int>(random_.below(7)) - 3); };
    static const char* kSigns[] = {"=", "<>", "<", "<=", ">", ">=", "IS NOT DISTINCT FROM"};
    const char* sign = kSigns[random_.below(7)];
    switch (random_.below(9)) {
      case 0:
        return format("{} IS {}NULL", column, random_.below(2) == 0 ? "" : "NOT ");
      case 1:
        return format("{} {}IN ({}, {}, {})", column, random_.below(5) == 0 ? "NOT " : "", some(),
                      some(), some());
      case 2:
        return format("{} BETWEEN {} AND {}", column, some(), some());
      case 3:
        if (source == "s") {
          static const char* kPatterns[] = {"a%", "b%z", "aaaaaaaaaaaaaaaaaa%", "_b", "c",
                                            "%",  "é%"};
          return format("{} LIKE '{}'", column, kPatterns[random_.below(7)]);
        }
        if (source == "i" || source == "l") {
          static const char* kTypes[] = {"BIGINT", "DOUBLE", "DECIMAL(20,3)", "VARCHAR", "FLOAT"};
          const char* type = kTypes[random_.below(5)];
          return format("{}::{} {} ({})::{}", column, type, sign, some(), type);
        }
        if (source == "dt") return format("{} {} {}::TIMESTAMP", column, sign, value("ts", 0));
        if (source == "ts") return format("{}::DATE {} {}", column, sign, value("dt", 0));
        if (source == "tz") return format("{}::DATE {} {}", column, sign, value("dt", 0));
        if (source == "f") return format("{} {} {}", column, sign, value("d", 0));
        if (source == "c") return format("{} {} {}.125", column, sign, random_.below(20));
        return format("{} {} {}", some(), sign, column);
      default:
        return format("{} {} {}", column, sign, some());
    }
  }

  std::string struct_condition(const std::string& column) {
    switch (random_.below(3)) {
      case 0:
        return format("{} IS NULL", column);
      case 1:
        return format("{} = {}", column, value("p", 0));
      default:
        return format("{}.x < {}", column, random_.below(9));
    }
  }

  // Columns that came later are named after the one whose values they take.
  static std::string source_of(const std::string& column) {
    return column.substr(0, column.find('_'));
  }
  static std::string type_of(const std::string& column) {
    for (const auto& [name, type] : columns()) {
      if (name == column) return type;
    }
    return "VARCHAR";
  }

 private:
  Random& random_;
};

TEST_F(FilePruningTest, GivesTheRowsThatReadingEverythingGives) {
  // HEADRACE_STEPS=100 HEADRACE_SEED=2 for other tables than the usual ones.
  const int tables = number_from("HEADRACE_STEPS", 8);
  constexpr int kConditions = 50;
  SeededRandom random(static_cast<uint64_t>(number_from("HEADRACE_SEED", 1)));
  int64_t total = 0;
  int64_t read = 0;
  int with_rows = 0;
  for (int round = 0; round < tables; ++round) {
    RandomTable made(random);
    TablePtr table = create(RandomTable::columns(), made.partitioning());
    std::vector<std::string> columns;
    for (const auto& [name, type] : RandomTable::columns()) columns.push_back(name);
    for (int step = 0; step < 6; ++step) {
      table = append(table, made.select(columns, 1 + static_cast<int>(random.below(12))));
      switch (random.below(5)) {
        case 0: {  // partitioned in another way
          TableChange to{.base = table};
          to.new_partition_by = made.partitioning();
          table = change(std::move(to));
          break;
        }
        case 1: {  // a column more, wider ones
          Schema schema = table->metadata.current_schema();
          for (Field& field : schema.fields) {
            if (field.name == "i") field.type = type_from_duckdb("BIGINT");
            if (field.name == "f") field.type = type_from_duckdb("DOUBLE");
            if (field.name == "c") field.type = type_from_duckdb("DECIMAL(18,2)");
          }
          const std::string source = columns[random.below(12)];
          columns.push_back(format("{}_{}", RandomTable::source_of(source), step));
          Field more;
          more.name = columns.back();
          more.type = type_from_duckdb(RandomTable::type_of(RandomTable::source_of(source)));
          schema.fields.push_back(std::move(more));
          TableChange to{.base = table};
          to.new_schema = std::move(schema);
          table = change(std::move(to));
          break;
        }
        case 2: {  // rows go
          const std::vector<DataFile> files = lake_.catalog->files(*table);
          const DataFile& file = files[random.below(files.size())];
          if (!file.deletes.empty()) break;
          TableChange to{.base = table, .operation = "delete"};
          to.added = {write_position_deletes(
              *connection_, *lake_.catalog, *lake_.files, lake_.random, *table, file,
              RowPositions(
                  {static_cast<int64_t>(random.below(static_cast<uint64_t>(file.record_count)))}))};
          table = change(std::move(to));
          break;
        }
        default:
          break;
      }
    }
    const Scan pruned = scan(table);
    const std::string whole = scan_sql(*table, lake_.catalog->files(*table));
    for (int i = 0; i < kConditions; ++i) {
      const std::string condition = made.condition(columns);
      const Rows expected = connection_->query_rows(
          format("SELECT * FROM ({}) WHERE {} ORDER BY ALL", whole, condition));
      const Rows found = connection_->query_rows(
          format("SELECT * FROM ({}) WHERE {} ORDER BY ALL", pruned.sql, condition));
      const auto files = connection_->files_scanned();
      ASSERT_EQ(found, expected) << "table " << round << ", WHERE " << condition << "\nreads "
                                 << files.read << " of " << files.total << " files";
      total += files.total;
      read += files.read;
      with_rows += expected.empty() ? 0 : 1;
    }
    lake_.catalog->drop(table->identifier, true);
  }
  // It is a test only where files are left out, and rows are found.
  EXPECT_LT(read, total * 3 / 4);
  EXPECT_GT(with_rows, tables * kConditions / 3);
  RecordProperty("files", static_cast<int>(total));
  RecordProperty("files_read", static_cast<int>(read));
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
