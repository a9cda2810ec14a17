#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/database.h"

namespace headrace::engine {
namespace {

class NamedMembersTest : public ::testing::Test {
 protected:
  NamedMembersTest()
      : path_(std::filesystem::temp_directory_path() /
              format("headrace-members-{}.parquet", ::getpid())) {}
  ~NamedMembersTest() override { std::filesystem::remove(path_); }

  void write(const std::string& select, const std::string& field_ids) {
    connection_->execute(format("COPY ({}) TO '{}' (FORMAT parquet, FIELD_IDS {})", select,
                                path_.string(), field_ids));
  }
  std::string read(const std::string& type, const std::string& members,
                   const std::string& column = "s", const std::string& where = "true") {
    return connection_
        ->query_value(format("SELECT list({})::VARCHAR FROM headrace_parquet(['{}'], schema = MAP "
                             "{{1: {{name: 's', type: '{}', default_value: NULL}}}}, members = MAP "
                             "{{{}}}) WHERE {}",
                             column, path_.string(), type, members, where))
        .value_or("NULL");
  }

  const std::filesystem::path path_;
  Database database_;
  std::unique_ptr<Connection> connection_ = database_.connect();
};

TEST_F(NamedMembersTest, HaveTheNamesThatTheirIdsAreGiven) {
  write("SELECT {'a': i, 'b': [{'c': i * 10}]} AS s FROM range(2) t(i)",
        "{s: {__duckdb_field_id: 1, a: 2, b: {__duckdb_field_id: 3, element: "
        "{__duckdb_field_id: 4, c: 5}}}}");
  const std::string type = "STRUCT(b BIGINT, d STRUCT(e BIGINT)[])";
  const std::string names = "2: 'b', 3: 'd', 5: 'e'";
  EXPECT_EQ(read(type, names), "[{'b': 0, 'd': [{'e': 0}]}, {'b': 1, 'd': [{'e': 10}]}]");
  EXPECT_EQ(read(type, names, "s.d[1].e"), "[0, 10]");
  EXPECT_EQ(read(type, names, "s.b", "s.b > 0 AND s.d[1].e < 20"), "[1]");
}

TEST_F(NamedMembersTest, AreNotFoundByNamesOfOthers) {
  write("SELECT {'a': 1, 'b': 2} AS s", "{s: {__duckdb_field_id: 1, a: 2, b: 3}}");
  EXPECT_EQ(read("STRUCT(a BIGINT, b BIGINT)", "3: 'a', 4: 'b'"), "[{'a': 2, 'b': NULL}]");
  // What a file's unknown member is called by is nobody's name.
  EXPECT_EQ(read("STRUCT(a BIGINT, \"\x01"
                 "2\" BIGINT)",
                 "3: 'a', 4: '\x01"
                 "2'"),
            "[{'a': 2, '\x01"
            "2': NULL}]");
}

TEST_F(NamedMembersTest, KeepTheirNamesWithoutIds) {
  write("SELECT {'a': 1, 'b': 2} AS s", "{s: 1}");
  EXPECT_EQ(read("STRUCT(b BIGINT)", "7: 'b'"), "[{'b': 2}]");
}

}  // namespace
}  // namespace headrace::engine
