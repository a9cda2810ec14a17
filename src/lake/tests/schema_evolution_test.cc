// Tables whose columns and partitioning change: what old files read as, for us and for other
// engines, and what is told of it.

#include "lake/schema_evolution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/data_writer.h"
#include "lake/metadata_update.h"
#include "lake/open_catalog.h"
#include "lake/table_alteration.h"
#include "lake/testing/error_kind.h"
#include "lake/testing/lake_fixture.h"
#include "lake/transform.h"
#include "lake/value_conversion.h"

namespace headrace::lake {
namespace {

using Rows = std::vector<std::vector<std::optional<std::string>>>;

void expect_error(const std::function<void()>& action, ErrorKind kind, const std::string& text) {
  try {
    action();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.message();
    EXPECT_THAT(error.message(), testing::HasSubstr(text));
  }
}

class SchemaEvolution : public testing::Test {
 protected:
  SchemaEvolution() { register_transform_functions(database_); }

  TablePtr create(const std::vector<std::pair<std::string, std::string>>& columns) {
    return lake_.catalog->create({{"silver", "t"}, make_schema(columns)});
  }
  TablePtr append(const std::string& select) {
    TableChange change;
    change.base = lake_.catalog->load({"silver", "t"});
    change.added = write_data_files(*connection_, *lake_.catalog, *lake_.files, lake_.random,
                                    *change.base, select);
    return lake_.catalog->commit({change}).at(0);
  }
  TablePtr alter(const TableAlteration& alteration, const std::string& cause = "a test") {
    const TablePtr table = lake_.catalog->load({"silver", "t"});
    TableChange change = change_of(table, alteration, [&](const std::string& type) {
      return type_from_duckdb(database_.canonical_type(type));
    });
    change.cause = cause;
    return lake_.catalog->commit({change}).at(0);
  }
  std::string scan() {
    const TablePtr table = lake_.catalog->load({"silver", "t"});
    return scan_sql(*table, lake_.catalog->files(*table));
  }
  Rows rows(const std::string& columns, const std::string& order_by = "1") {
    return connection_->query_rows(
        format("SELECT {} FROM ({}) ORDER BY {}", columns, scan(), order_by));
  }
  std::vector<std::string> told() {
    std::vector<std::string> texts;
    for (const SchemaChange& change : lake_.catalog->schema_changes()) {
      texts.push_back(format("{} {} {} [{}] [{}] {}", change.table.to_string(), change.what.change,
                             change.what.column, change.what.before, change.what.after,
                             change.cause));
    }
    return texts;
  }

  LakeFixture lake_;
  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_ = database_.connect();
};

TEST_F(SchemaEvolution, reads_old_files_by_field_id_after_renames_drops_and_names_used_again) {
  create({{"id", "INTEGER"}, {"a", "VARCHAR"}, {"b", "VARCHAR"}, {"f", "FLOAT"}});
  append("SELECT 1 AS id, 'a1' AS a, 'b1' AS b, 0.5::FLOAT AS f");
  alter({.rename = {{"a", "c"}}, .type = {{"id", "bigint"}, {"f", "double"}}});
  append("SELECT 5000000000 AS id, 'c2' AS c, 'b2' AS b, 1e300::DOUBLE AS f");
  alter({.drop = {"b"}, .add = {{"a", "bigint"}}});
  append("SELECT 3 AS id, 'c3' AS c, 0.0::DOUBLE AS f, 33 AS a");
  alter({.add = {{"b", "date"}}});
  EXPECT_EQ(rows("id, c, a, b, f"),
            (Rows{{"1", "a1", std::nullopt, std::nullopt, "0.5"},
                  {"3", "c3", "33", std::nullopt, "0"},
                  {"5000000000", "c2", std::nullopt, std::nullopt, "1e+300"}}));
  EXPECT_EQ(told(),
            (std::vector<std::string>{
                "silver.t widen id [INTEGER] [BIGINT] a test", "silver.t rename c [a] [c] a test",
                "silver.t widen f [FLOAT] [DOUBLE] a test", "silver.t drop b [VARCHAR] [] a test",
                "silver.t add a [] [BIGINT] a test", "silver.t add b [] [DATE] a test"}));
}

TEST_F(SchemaEvolution, lets_structs_and_lists_grow) {
  create({{"id", "BIGINT"}, {"s", "STRUCT(x INTEGER, k INTEGER)"}, {"l", "STRUCT(y VARCHAR)[]"}});
  append("SELECT 1 AS id, {'x': 7, 'k': 0} AS s, [{'y': 'p'}] AS l");
  alter({.type = {{"s.x", "bigint"}}, .add = {{"s.z", "varchar"}, {"l.n", "bigint"}}});
  append("SELECT 2 AS id, {'x': 5000000000, 'k': 1, 'z': 'q'} AS s, [{'y': 'r', 'n': 4}] AS l");
  EXPECT_EQ(rows("id, s, l"),
            (Rows{{"1", R"({"x":7,"k":0,"z":null})", R"([{"y":"p","n":null}])"},
                  {"2", R"({"x":5000000000,"k":1,"z":"q"})", R"([{"y":"r","n":4}])"}}));
  alter({.drop = {"s.x"}});
  EXPECT_EQ(rows("id, s"), (Rows{{"1", R"({"k":0,"z":null})"}, {"2", R"({"k":1,"z":"q"})"}}));
  expect_error([&] { alter({.drop = {"s.k"}}); }, ErrorKind::kUnsupported, "none would be left");
}

TEST_F(SchemaEvolution, finds_members_by_id_whatever_they_are_and_were_called) {
  create({{"id", "BIGINT"},
          {"s", "STRUCT(x INTEGER, k STRUCT(deep VARCHAR))"},
          {"l", "STRUCT(y VARCHAR, n BIGINT)[]"}});
  append(
      "SELECT 1 AS id, {'x': 7, 'k': {'deep': 'd1'}} AS s, [{'y': 'p', 'n': 1}, NULL] AS l "
      "UNION ALL SELECT 2, NULL, NULL");
  alter({.rename = {{"s.x", "z"}, {"s.k", "x"}, {"s.x.deep", "deeper"}, {"l.y", "w"}}});
  append("SELECT 3 AS id, {'z': 8, 'x': {'deeper': 'd3'}} AS s, [{'w': 'q', 'n': 2}] AS l");
  // Their names are free for others, and what old files hold under them is not theirs.
  alter({.drop = {"s.z", "l.n"}, .add = {{"s.k", "bigint"}, {"l.n", "date"}, {"l.y", "bigint"}}});
  append(
      "SELECT 4 AS id, {'x': {'deeper': 'd4'}, 'k': 9} AS s, [{'w': 'r', 'n': DATE "
      "'2024-01-01', 'y': 5}] AS l");
  const Rows expected = {
      {"1", R"({"x":{"deeper":"d1"},"k":null})", R"([{"w":"p","n":null,"y":null},null])"},
      {"2", std::nullopt, std::nullopt},
      {"3", R"({"x":{"deeper":"d3"},"k":null})", R"([{"w":"q","n":null,"y":null}])"},
      {"4", R"({"x":{"deeper":"d4"},"k":9})", R"([{"w":"r","n":"2024-01-01","y":5}])"}};
  EXPECT_EQ(rows("id, s, l"), expected);
  EXPECT_EQ(rows("id, s.x.deeper, l[1].w, l[1].n"),
            (Rows{{"1", "d1", "p", std::nullopt},
                  {"2", std::nullopt, std::nullopt, std::nullopt},
                  {"3", "d3", "q", std::nullopt},
                  {"4", "d4", "r", "2024-01-01"}}));
  EXPECT_EQ(connection_->query_value(
                format("SELECT list(id ORDER BY id)::VARCHAR FROM ({}) WHERE s.x.deeper > 'd1' OR "
                       "s.k = 9",
                       scan())),
            "[3, 4]");
  EXPECT_THAT(told(), testing::IsSupersetOf({"silver.t rename s.x.deeper [s.k.deep] [s.x.deeper] "
                                             "a test",
                                             "silver.t add l.element.n [] [DATE] a test"}));
}

TEST_F(SchemaEvolution, renames_members_of_keys_and_values_of_maps) {
  create({{"id", "BIGINT"}, {"m", "MAP(STRUCT(a INTEGER), STRUCT(b INTEGER, c INTEGER)[])"}});
  append("SELECT 1 AS id, MAP {{'a': 1}: [{'b': 2, 'c': 3}]} AS m UNION ALL SELECT 2, NULL");
  const TablePtr table = lake_.catalog->load({"silver", "t"});
  TableChange change;
  change.base = table;
  change.new_schema = table->metadata.current_schema();
  Type& map = change.new_schema->fields[1].type;
  map.fields[0].type.fields[0].name = "key_of_it";
  std::vector<Field>& members = map.fields[1].type.fields[0].type.fields;
  std::swap(members[0].name, members[1].name);
  lake_.catalog->commit({change});
  append("SELECT 3 AS id, MAP {{'key_of_it': 4}: [{'c': 5, 'b': 6}]} AS m");
  EXPECT_EQ(rows("id, m::VARCHAR"), (Rows{{"1", "{{'key_of_it': 1}=[{'c': 2, 'b': 3}]}"},
                                          {"2", std::nullopt},
                                          {"3", "{{'key_of_it': 4}=[{'c': 5, 'b': 6}]}"}}));
}

TEST_F(SchemaEvolution, converts_rows_that_are_in_no_file_by_the_ids_of_members) {
  const Schema before = make_schema({{"s", "STRUCT(x INTEGER, l STRUCT(y VARCHAR, n BIGINT)[])"},
                                     {"m", "MAP(VARCHAR, STRUCT(b INTEGER, c INTEGER))"}});
  Schema after = before;
  std::vector<Field>& members = after.fields[0].type.fields;
  members[0].name = "was_x";
  members[0].type.kind = TypeKind::kLong;
  members[1].type.fields[0].type.fields[1].name = "y";
  members[1].type.fields[0].type.fields[0].name = "n";
  members.push_back({100, "x", simple_type(TypeKind::kDate), false, ""});
  after.fields[1].type.fields[1].type.fields[1].name = "d";
  const std::string given = format(
      "(SELECT {{'x': 1, 'l': [{{'y': 'one', 'n': 1}}, NULL]}}::{} AS s, MAP {{'k': {{'b': 1, 'c': "
      "2}}}}::{} AS m UNION ALL SELECT NULL, NULL) r",
      to_duckdb(before.fields[0].type), to_duckdb(before.fields[1].type));
  const auto converted = [&](size_t column) {
    const std::string sql = converted_sql("r." + before.fields[column].name,
                                          before.fields[column].type, after.fields[column].type);
    EXPECT_EQ(
        connection_->query_value(format("SELECT any_value(typeof({}) = typeof(NULL::{})) FROM {}",
                                        sql, to_duckdb(after.fields[column].type), given)),
        "true");
    return connection_->query_rows(format("SELECT {} FROM {} ORDER BY s IS NULL", sql, given));
  };
  EXPECT_EQ(converted(0),
            (Rows{{R"({"was_x":1,"l":[{"n":"one","y":1},null],"x":null})"}, {std::nullopt}}));
  EXPECT_EQ(converted(1), (Rows{{R"({"k":{"b":1,"d":2}})"}, {std::nullopt}}));
}

TEST_F(SchemaEvolution, divides_new_files_in_another_way) {
  create({{"id", "BIGINT"}, {"ts", "TIMESTAMPTZ"}, {"country", "VARCHAR"}});
  append("SELECT 1 AS id, TIMESTAMPTZ '2024-01-01 10:00:00+00' AS ts, 'DE' AS country");
  alter({.partition_by = std::vector<std::string>{"day(ts)"}});
  append("SELECT 2 AS id, TIMESTAMPTZ '2024-01-02 10:00:00+00' AS ts, 'DE' AS country");
  alter({.partition_by = std::vector<std::string>{"country", "day(ts)"}});
  const TablePtr table = append(
      "SELECT i AS id, TIMESTAMPTZ '2024-01-02 10:00:00+00' AS ts, c AS country FROM "
      "(VALUES (3, 'DE'), (4, 'FR')) v(i, c)");
  alter({.partition_by = std::vector<std::string>{"day(ts)"}});
  EXPECT_EQ(table->metadata.partition_specs.size(), 3u);
  EXPECT_EQ(lake_.catalog->load({"silver", "t"})->metadata.default_spec_id, 1);
  // The same field keeps its id.
  EXPECT_EQ(table->metadata.spec(2).fields.at(1).field_id,
            table->metadata.spec(1).fields.at(0).field_id);
  EXPECT_EQ(rows("id"), (Rows{{"1"}, {"2"}, {"3"}, {"4"}}));
  EXPECT_EQ(told().back(), "silver.t partition  [country, day(ts)] [day(ts)] a test");
}

TEST_F(SchemaEvolution, tells_of_changes_that_other_engines_make) {
  const TablePtr table = create({{"id", "BIGINT"}});
  Schema schema = table->metadata.current_schema();
  schema.fields.push_back({2, "note", type_from_duckdb("VARCHAR"), false, ""});
  schema.schema_id = 1;
  const Json updates = JsonObject{
      {"requirements", JsonArray{}},
      {"updates", JsonArray{JsonObject{{"action", "add-schema"}, {"schema", to_json(schema)}},
                            JsonObject{{"action", "set-current-schema"}, {"schema-id", -1}}}}};
  lake_.catalog->open_side().commit_updates({table_updates_from_json({"silver", "t"}, updates)});
  EXPECT_EQ(told(), (std::vector<std::string>{
                        "silver.t add note [] [VARCHAR] another engine, through the Iceberg "
                        "catalog"}));
}

TEST_F(SchemaEvolution, refuses_what_would_make_rows_unreadable) {
  create({{"id", "BIGINT"}, {"ts", "TIMESTAMPTZ"}});
  alter({.partition_by = std::vector<std::string>{"day(ts)"}});
  const auto refuses = [&](const TableAlteration& alteration, ErrorKind kind,
                           const std::string& text) {
    expect_error([&] { alter(alteration); }, kind, text);
  };
  refuses({.drop = {"ts"}}, ErrorKind::kInvalid, "partitioned");
  refuses({.drop = {"nothing"}}, ErrorKind::kNotFound, "there are id, ts");
  refuses({.rename = {{"id", "TS"}}}, ErrorKind::kAlreadyExists, "TS");
  refuses({.type = {{"id", "varchar"}}}, ErrorKind::kInvalid, "cannot go from BIGINT to VARCHAR");
  refuses({.add = {{"ID", "date"}}}, ErrorKind::kAlreadyExists, "ID");
  refuses({.add = {{"x", "no_type"}}}, ErrorKind::kInvalid, "no_type");
  refuses({.partition_by = std::vector<std::string>{"hour(id)"}}, ErrorKind::kInvalid, "hour");
  EXPECT_EQ(told().size(), 1u);
}

TEST_F(SchemaEvolution, finds_columns_by_name_whatever_their_order) {
  const TablePtr table =
      create({{"a", "INTEGER"}, {"s", "STRUCT(x FLOAT)"}, {"d", "DECIMAL(6,2)"}, {"old", "DATE"}});
  const auto field = [](const std::string& name, const std::string& type) {
    return Field{0, name, type_from_duckdb(type), false, ""};
  };
  const Schema& now = table->metadata.current_schema();
  const auto evolved = evolve(table->metadata, now,
                              {field("s", "STRUCT(y BIGINT, x DOUBLE)"), field("new", "VARCHAR[]"),
                               field("A", "BIGINT"), field("d", "DECIMAL(9,2)")});
  EXPECT_TRUE(evolved.misfits.empty());
  EXPECT_TRUE(evolved.is_changed);
  std::vector<std::string> columns;
  for (const Field& column : evolved.table.fields) {
    columns.push_back(format("{} {} {}", column.id, column.name, to_duckdb(column.type)));
  }
  EXPECT_EQ(columns,
            (std::vector<std::string>{"1 a BIGINT", R"(2 s STRUCT("x" DOUBLE, "y" BIGINT))",
                                      "3 d DECIMAL(9,2)", "4 old DATE", "6 new VARCHAR[]"}));
  std::vector<int> written;
  for (const Field& column : evolved.written.fields) written.push_back(column.id);
  EXPECT_EQ(written, (std::vector<int>{2, 6, 1, 3}));
  EXPECT_FALSE(evolve(table->metadata, now, {field("old", "DATE")}).is_changed);
  EXPECT_EQ(
      evolve(table->metadata, now, {field("old", "VARCHAR"), field("a", "DOUBLE")}).misfits.size(),
      2u);
}

TEST_F(SchemaEvolution, finds_members_by_the_names_that_they_had) {
  create({{"id", "BIGINT"}, {"l", "STRUCT(x INTEGER, k VARCHAR)[]"}, {"usr", "VARCHAR"}});
  alter({.rename = {{"l.x", "y"}, {"usr", "user_id"}}});
  const TablePtr table = alter({.drop = {"l.k"}, .rename = {{"l.y", "z"}}});
  const auto written = [&](const std::string& type) {
    const auto evolved = evolve(table->metadata, table->metadata.current_schema(),
                                {Field{0, "l", type_from_duckdb(type), false, ""},
                                 Field{0, "USR", type_from_duckdb("VARCHAR"), false, ""}});
    EXPECT_EQ(evolved.written.fields.at(1).id, 3);
    std::string text = evolved.is_changed ? "more:" : "same:";
    for (const Field& member : evolved.written.fields.at(0).type.fields.at(0).type.fields) {
      text += format(" {} {} {}", member.id, member.name, to_duckdb(member.type));
    }
    return text;
  };
  EXPECT_EQ(written("STRUCT(x INTEGER)[]"), "same: 5 x INTEGER");
  EXPECT_EQ(written("STRUCT(Y BIGINT)[]"), "more: 5 Y BIGINT");
  // Its present name goes before one that it had.
  EXPECT_EQ(written("STRUCT(x DATE, z INTEGER)[]"), "more: 5 z INTEGER 7 x DATE");
  // A member that is gone comes back as a new one.
  EXPECT_EQ(written("STRUCT(z INTEGER, k VARCHAR)[]"), "more: 5 z INTEGER 7 k VARCHAR");
}

}  // namespace
}  // namespace headrace::lake
