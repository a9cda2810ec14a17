#include "engine/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/functions.h"

namespace headrace::engine {
namespace {

ErrorKind kind_thrown_by(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kInternal;
}

TEST(Connection, answers_values_of_every_common_type_as_text) {
  Database database;
  auto connection = database.connect();
  const std::pair<const char*, const char*> cases[] = {
      {"true", "true"},
      {"(-7)::TINYINT", "-7"},
      {"9223372036854775807", "9223372036854775807"},
      {"170141183460469231731687303715884105727::HUGEINT",
       "170141183460469231731687303715884105727"},
      {"(-1.5)::DECIMAL(4,2)", "-1.50"},
      {"0.001::DECIMAL(38,3)", "0.001"},
      {"DATE '1969-12-31'", "1969-12-31"},
      {"TIMESTAMP '1969-12-31 23:59:59.25'", "1969-12-31 23:59:59.25"},
      {"TIMESTAMPTZ '2015-09-12 02:00:00+02'", "2015-09-12 00:00:00+00"},
      {"TIME '01:02:03'", "01:02:03"},
      {"UUID '00000000-0000-4000-8000-0000000000ff'", "00000000-0000-4000-8000-0000000000ff"},
      {"'a' || chr(10)", "a\n"},
      {"[1, NULL]", "[1,null]"},
      {"{'a': 1, 'b': 'x'}", R"({"a":1,"b":"x"})"},
      {"MAP {'k': MAP {'min': '1'}}", R"({"k":{"min":"1"}})"},
  };
  for (const auto& [sql, text] : cases) {
    EXPECT_EQ(connection->query_value(std::string("SELECT ") + sql), text) << sql;
  }
  EXPECT_EQ(connection->query_value("SELECT NULL::INTEGER"), std::nullopt);
}

TEST(Connection, fills_parameters) {
  Database database;
  auto connection = database.connect();
  Result result = connection->query("SELECT $1::INTEGER + 1, $2", {"41", std::nullopt});
  const Chunk* chunk = result.next();
  ASSERT_NE(chunk, nullptr);
  EXPECT_EQ(chunk->column(0).data<int32_t>()[0], 42);
  EXPECT_TRUE(chunk->column(1).is_null(0));
}

TEST(Connection, tells_kinds_of_errors) {
  Database database;
  auto connection = database.connect();
  EXPECT_EQ(kind_thrown_by([&] { connection->execute("SELEC 1"); }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_thrown_by([&] { connection->query("SELECT * FROM missing"); }),
            ErrorKind::kNotFound);
  EXPECT_EQ(kind_thrown_by([&] { connection->execute("SELECT error('no')"); }),
            ErrorKind::kInvalid);
  EXPECT_EQ(kind_thrown_by([&] { connection->query("SELECT 1; SELECT 2"); }), ErrorKind::kInvalid);
}

TEST(Connection, streams_many_rows) {
  Database database;
  auto connection = database.connect();
  Result result = connection->query("SELECT i FROM range(100000) r(i)");
  int64_t sum = 0;
  while (const Chunk* chunk = result.next()) {
    const VectorView column = chunk->column(0);
    for (size_t row = 0; row < chunk->rows(); ++row) sum += column.data<int64_t>()[row];
  }
  EXPECT_EQ(sum, 4999950000);
}

// The engine interrupts the other threads of a query that fails in one.
TEST(Connection, tells_why_a_streamed_query_failed_and_not_that_its_threads_were_interrupted) {
  DatabaseOptions options;
  options.threads = 4;
  Database database(options);
  const auto connection = database.connect();
  for (int i = 0; i < 40; ++i) {
    try {
      Result result = connection->query(
          "SELECT CASE WHEN i = 400000 THEN error('no such luck') ELSE repeat('x', 50) END "
          "FROM range(500000) r(i)");
      while (result.next() != nullptr) {
      }
      ADD_FAILURE() << "it did not fail";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error.message(), testing::HasSubstr("no such luck"));
    }
  }
}

TEST(Connection, tells_that_a_query_was_interrupted) {
  Database database;
  const auto connection = database.connect();
  Result result = connection->query("SELECT i FROM range(100000000) r(i)");
  ASSERT_NE(result.next(), nullptr);
  connection->interrupt();
  try {
    while (result.next() != nullptr) {
    }
    ADD_FAILURE() << "it went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
}

TEST(Connection, describes_columns) {
  Database database;
  auto connection = database.connect();
  const auto columns = connection->describe(
      "SELECT 1 AS a, {'x': [1.5::DECIMAL(3,1)]} AS b, TIMESTAMPTZ '2020-01-01' AS c, '{}'::JSON "
      "AS d");
  ASSERT_EQ(columns.size(), 4u);
  EXPECT_EQ(columns[1].type, "STRUCT(\"x\" DECIMAL(3,1)[])");
  EXPECT_EQ(columns[2].type, "TIMESTAMP WITH TIME ZONE");
  EXPECT_EQ(columns[3].type, "JSON");
}

TEST(Appender, appends_chunks) {
  Database database;
  auto connection = database.connect();
  connection->execute("CREATE TABLE t (a BIGINT, b VARCHAR)");
  Appender appender(*connection, "main", "t");
  MutableVector numbers = appender.chunk().column(0);
  MutableVector texts = appender.chunk().column(1);
  for (size_t row = 0; row < 10; ++row) {
    numbers.data<int64_t>()[row] = static_cast<int64_t>(row);
    texts.set_string(row, "a text longer than twelve bytes");
  }
  texts.set_null(3);
  appender.chunk().set_size(10);
  appender.flush_chunk();
  appender.close();
  EXPECT_EQ(connection->query_integer("SELECT sum(a) FROM t WHERE b IS NOT NULL"), 42);
}

// Numbers 0 … n − 1 in one column, and their text in another.
class Numbers final : public TableFunction {
 public:
  std::string name() const override { return "numbers"; }
  std::vector<std::string> parameter_types() const override { return {"VARCHAR"}; }
  Binding bind(const std::vector<std::string>& arguments) override {
    const auto count = std::stoll(arguments[0]);
    if (count < 0) fail(ErrorKind::kInvalid, "numbers: the count is negative");
    return {{{"n", "BIGINT"}, {"text", "VARCHAR"}}, std::make_shared<int64_t>(count), count};
  }
  std::unique_ptr<TableScan> scan(const std::shared_ptr<void>& state) override {
    return std::make_unique<Scan>(*std::static_pointer_cast<int64_t>(state));
  }

 private:
  struct Scan final : TableScan {
    explicit Scan(int64_t total) : count(total) {}
    std::unique_ptr<Worker> make_worker(const std::vector<size_t>& projection) override {
      return std::make_unique<Producer>(count, projection);
    }
    int64_t count;
  };
  struct Producer final : TableScan::Worker {
    Producer(int64_t total, std::vector<size_t> columns)
        : count(total), projection(std::move(columns)) {}
    size_t produce(MutableChunk& into) override {
      const auto rows = static_cast<size_t>(std::min<int64_t>(kVectorSize, count - next));
      for (size_t column = 0; column < projection.size(); ++column) {
        MutableVector vector = into.column(column);
        for (size_t row = 0; row < rows; ++row) {
          const int64_t number = next + static_cast<int64_t>(row);
          if (projection[column] == 0) vector.data<int64_t>()[row] = number;
          if (projection[column] == 1) vector.set_string(row, std::to_string(number));
        }
      }
      next += static_cast<int64_t>(rows);
      return rows;
    }
    int64_t count;
    int64_t next = 0;
    std::vector<size_t> projection;
  };
};

TEST(TableFunction, produces_rows_and_reports_errors) {
  Database database;
  database.register_function(std::make_shared<Numbers>());
  auto connection = database.connect();
  EXPECT_EQ(connection->query_integer("SELECT count(*) FROM numbers('5000')"), 5000);
  EXPECT_EQ(connection->query_integer("SELECT sum(n) FROM numbers('5000') WHERE text LIKE '%9'"),
            1252000);
  EXPECT_EQ(kind_thrown_by([&] { connection->query("SELECT * FROM numbers('-1')"); }),
            ErrorKind::kInvalid);
}

TEST(Database, offers_system_tables_to_the_resolver) {
  Database database;
  database.register_function(std::make_shared<Numbers>());
  database.set_system_table_resolver(
      [](const std::string& name) -> std::optional<Database::TableCall> {
        if (name != "five") return std::nullopt;
        return Database::TableCall{"numbers", {"5"}};
      });
  auto connection = database.connect();
  EXPECT_EQ(connection->query_integer("SELECT count(*) FROM System.five a, system.\"five\" b"), 25);
  EXPECT_EQ(kind_thrown_by([&] { connection->query("SELECT * FROM system.six"); }),
            ErrorKind::kNotFound);
  EXPECT_EQ(kind_thrown_by([&] { connection->query("SELECT * FROM five"); }), ErrorKind::kNotFound);
}

class Doubled final : public ScalarFunction {
 public:
  std::string name() const override { return "doubled"; }
  std::vector<std::string> parameter_types() const override { return {"BIGINT"}; }
  std::string return_type() const override { return "BIGINT"; }
  void run(const Chunk& arguments, MutableVector& result) override {
    const VectorView numbers = arguments.column(0);
    for (size_t row = 0; row < arguments.rows(); ++row) {
      if (numbers.is_null(row)) {
        result.set_null(row);
        continue;
      }
      if (numbers.data<int64_t>()[row] == 13) fail(ErrorKind::kInvalid, "doubled: 13 is unlucky");
      result.data<int64_t>()[row] = numbers.data<int64_t>()[row] * 2;
    }
  }
};

TEST(ScalarFunction, computes_and_reports_errors) {
  Database database;
  database.register_function(std::make_shared<Doubled>());
  auto connection = database.connect();
  EXPECT_EQ(connection->query_integer("SELECT sum(doubled(i)) FROM range(10) r(i)"), 90);
  EXPECT_EQ(connection->query_value("SELECT doubled(NULL)"), std::nullopt);
  EXPECT_EQ(
      kind_thrown_by([&] { connection->query("SELECT doubled(i) FROM range(20) r(i)").next(); }),
      ErrorKind::kInvalid);
}

// Adds what the query's first argument says, which must be a constant.
class Added final : public PlannedFunction {
 public:
  std::string name() const override { return "added"; }
  std::vector<std::string> parameter_types() const override { return {"BIGINT", "BIGINT"}; }
  std::string return_type() const override { return "BIGINT"; }
  std::shared_ptr<void> plan(const ConstantArguments& constants) override {
    if (!constants.at(0) || constants.at(1)) {
      fail(ErrorKind::kInvalid, "added: only the first argument is to be constant");
    }
    return std::make_shared<int64_t>(std::stoll(*constants[0]));
  }
  void run_planned(const Chunk& arguments, MutableVector& result, void* planned) override {
    for (size_t row = 0; row < arguments.rows(); ++row) {
      result.data<int64_t>()[row] =
          arguments.column(1).data<int64_t>()[row] + *static_cast<int64_t*>(planned);
    }
  }
};

TEST(PlannedFunction, is_told_the_constants_of_each_query) {
  Database database;
  database.register_function(std::make_shared<Added>());
  auto connection = database.connect();
  connection->execute("CREATE MACRO hundred() AS 100");
  const std::string sql = "SELECT sum(added(hundred(), i)) FROM range(10) r(i)";
  EXPECT_EQ(connection->query_integer(sql), 1045);
  connection->execute("CREATE OR REPLACE MACRO hundred() AS 200");
  EXPECT_EQ(connection->query_integer(sql), 2045);
  EXPECT_EQ(kind_thrown_by([&] { connection->query("SELECT added(i, i) FROM range(2) r(i)"); }),
            ErrorKind::kInvalid);
}

TEST(quote, doubles_the_quote) {
  EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
}

}  // namespace
}  // namespace headrace::engine
