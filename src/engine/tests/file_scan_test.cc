#include "engine/file_scan.h"

#include <algorithm>
#include <filesystem>
#include <mutex>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/database.h"

namespace headrace::engine {
namespace {

std::string text_of(const Condition& condition) {
  using Kind = Condition::Kind;
  const auto parts = [&](const char* between) {
    std::string text;
    for (const Condition& part : condition.parts) {
      if (!text.empty()) text += between;
      text += text_of(part);
    }
    return "(" + text + ")";
  };
  const auto comparison = [&](const char* sign) {
    std::string text = format("{}:{} {}", condition.column, condition.type, sign);
    for (const std::string& value : condition.values) text += " " + value;
    return text;
  };
  switch (condition.kind) {
    case Kind::kUnknown:
      return "?";
    case Kind::kAnd:
      return parts(" and ");
    case Kind::kOr:
      return parts(" or ");
    case Kind::kEqual:
      return comparison("=");
    case Kind::kNotEqual:
      return comparison("<>");
    case Kind::kLess:
      return comparison("<");
    case Kind::kLessOrEqual:
      return comparison("<=");
    case Kind::kGreater:
      return comparison(">");
    case Kind::kGreaterOrEqual:
      return comparison(">=");
    case Kind::kIn:
      return comparison("in");
    case Kind::kStartsWith:
      return comparison("begins with");
    case Kind::kIsNull:
      return comparison("is null");
    case Kind::kIsNotNull:
      return comparison("is not null");
  }
  return "";
}

// File n holds the rows with part = n. It is left out when a condition says part = m, or one of a
// list, and it is another one.
class Parts final : public FileList {
 public:
  explicit Parts(std::vector<std::string> paths) : paths_(std::move(paths)) {}
  size_t size() const override { return paths_.size(); }
  std::string path(size_t file) const override { return paths_[file]; }
  int64_t rows(size_t) const override { return 10; }
  std::vector<size_t> matching(const std::vector<size_t>& files,
                               const Condition& condition) const override {
    const std::lock_guard lock(mutex_);
    asked_.push_back(text_of(condition));
    if (!failure.empty()) fail(ErrorKind::kUnavailable, "{}", failure);
    std::vector<size_t> result;
    std::copy_if(files.begin(), files.end(), std::back_inserter(result),
                 [&](size_t file) { return may_match(file, condition); });
    return result;
  }
  std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return std::exchange(asked_, {});
  }

  std::string failure;

 private:
  static bool may_match(size_t file, const Condition& condition) {
    const auto matches = [&](const Condition& part) { return may_match(file, part); };
    const auto& parts = condition.parts;
    switch (condition.kind) {
      case Condition::Kind::kAnd:
        return std::all_of(parts.begin(), parts.end(), matches);
      case Condition::Kind::kOr:
        return std::any_of(parts.begin(), parts.end(), matches);
      case Condition::Kind::kEqual:
      case Condition::Kind::kIn:
        return condition.column != 1 || std::find(condition.values.begin(), condition.values.end(),
                                                  std::to_string(file)) != condition.values.end();
      case Condition::Kind::kGreaterOrEqual:
        return condition.column != 1 || static_cast<int>(file) >= std::stoi(condition.values[0]);
      default:
        return true;
    }
  }

  std::vector<std::string> paths_;
  mutable std::mutex mutex_;
  mutable std::vector<std::string> asked_;
};

class FileScanTest : public ::testing::Test {
 protected:
  static constexpr size_t kFiles = 5;

  FileScanTest() {
    folder_ =
        std::filesystem::temp_directory_path() / ("headrace-scan-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    connection_ = database_.connect();
    std::vector<std::string> paths;
    for (size_t part = 0; part < kFiles; ++part) {
      paths.push_back((folder_ / format("{}.parquet", part)).string());
      connection_->execute(
          format("COPY (SELECT i AS id, {}::BIGINT AS part, 'row ' || i AS name, DATE '2024-01-01' "
                 "+ i::INTEGER AS day FROM range({}, {}) t(i)) TO '{}' (FORMAT parquet, FIELD_IDS "
                 "{{id: 1, part: 2, name: 3, day: 4}})",
                 part, part * 10, part * 10 + 10, paths.back()));
    }
    parts_ = std::make_shared<Parts>(paths);
    database_.add_file_scan([this](const std::string& name) -> std::shared_ptr<const FileList> {
      if (name == "parts") return parts_;
      fail(ErrorKind::kUnavailable, "there is no list {}", name);
    });
  }
  ~FileScanTest() override { std::filesystem::remove_all(folder_); }

  static std::string scan(const std::string& name = "parts") {
    return format(
        "headrace_files('{}', hive_partitioning=false, schema=MAP {{1: {{name: 'id', type: "
        "'BIGINT', default_value: NULL}}, 2: {{name: 'part', type: 'BIGINT', default_value: "
        "NULL}}, 3: {{name: 'name', type: 'VARCHAR', default_value: NULL}}, 4: {{name: 'day', "
        "type: 'DATE', default_value: NULL}}}})",
        name);
  }

  // The condition that the list is asked about for a filter.
  std::string asked_for(const std::string& filter) {
    parts_->asked();
    connection_->query_rows(format("EXPLAIN SELECT * FROM {} WHERE {}", scan(), filter));
    const auto asked = parts_->asked();
    return asked.empty() ? "" : asked.front();
  }

  std::filesystem::path folder_;
  std::shared_ptr<Parts> parts_;
  Database database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(FileScanTest, ReadsOnlyFilesThatMatch) {
  EXPECT_EQ(connection_->query_integer("SELECT count(*) FROM " + scan()), 50);
  EXPECT_EQ(connection_->files_scanned().total, 5);
  EXPECT_EQ(connection_->files_scanned().read, 5);
  EXPECT_EQ(connection_->query_integer(format("SELECT sum(id) FROM {} WHERE part = 2", scan())),
            245);
  EXPECT_EQ(connection_->files_scanned().total, 5);
  EXPECT_EQ(connection_->files_scanned().read, 1);
  EXPECT_EQ(connection_->query_integer(format("SELECT count(*) FROM {} WHERE part = 9", scan())),
            0);
  EXPECT_EQ(connection_->files_scanned().read, 0);
  // Of the last query alone.
  connection_->query_integer("SELECT 1");
  EXPECT_EQ(connection_->files_scanned().total, 0);
}

// A file that is not opened need not be there.
TEST_F(FileScanTest, OpensNoFileThatIsLeftOut) {
  std::filesystem::remove(folder_ / "0.parquet");
  EXPECT_EQ(connection_->query_integer(format("SELECT count(*) FROM {} WHERE part = 3", scan())),
            10);
  EXPECT_THROW(connection_->query_integer("SELECT sum(id) FROM " + scan()), Error);
}

TEST_F(FileScanTest, ExplainsWhatIsLeftOut) {
  std::string plan;
  for (const auto& row :
       connection_->query_rows(format("EXPLAIN SELECT id FROM {} WHERE part = 2", scan()))) {
    plan += row.at(1).value_or("");
  }
  EXPECT_NE(plan.find("Scanning Files"), std::string::npos) << plan;
  EXPECT_NE(plan.find("1/5"), std::string::npos) << plan;
}

TEST_F(FileScanTest, FileIndexIsThePlaceInTheWholeList) {
  const auto rows = connection_->query_rows(
      format("SELECT DISTINCT file_index, part FROM {} WHERE part IN (1, 3) ORDER BY ALL", scan()));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0][0], "1");
  EXPECT_EQ(rows[1][0], "3");
  // The engine looks rows up again by where they are.
  const auto newest = connection_->query_rows(
      format("SELECT id, name, day FROM {} WHERE part IN (1, 3) ORDER BY id DESC LIMIT 2", scan()));
  EXPECT_EQ(newest[0][1], "row 39");
  EXPECT_EQ(newest[1][1], "row 38");
}

TEST_F(FileScanTest, PassesOnWhatItUnderstandsOfFilters) {
  const std::pair<std::string, std::string> cases[] = {
      {"part = 2", "(1:BIGINT = 2)"},
      {"2 < part AND id <> 5", "(1:BIGINT > 2 and 0:BIGINT <> 5)"},
      {"id BETWEEN 5 AND 7", "((0:BIGINT >= 5 and 0:BIGINT <= 7))"},
      {"name >= 'b'", "(2:VARCHAR >= b)"},
      {"name LIKE 'row 1%'", "(2:VARCHAR begins with row 1)"},
      {"name LIKE 'row_1%'", "(2:VARCHAR begins with row)"},
      {"starts_with(name, 'ro')", "(2:VARCHAR begins with ro)"},
      {"part IN (1, 2, NULL)", "(1:BIGINT in 1 2)"},
      {"name IS NULL", "(2:VARCHAR is null)"},
      {"name IS NOT NULL", "(2:VARCHAR is not null)"},
      {"day = '2024-01-05'", "(3:DATE = 2024-01-05)"},
      {"day < TIMESTAMP '2024-01-05 12:00:00'", "(3:TIMESTAMP < 2024-01-05 12:00:00)"},
      {"part = 1 OR day = '2024-01-05'", "((1:BIGINT = 1 or 3:DATE = 2024-01-05))"},
      {"part = 1 OR length(name) > 3", "((1:BIGINT = 1 or ?))"},
      {"part IS NOT DISTINCT FROM 4", "(1:BIGINT = 4)"},
      {"length(name) = 3", "()"},
      {"name NOT LIKE 'a%'", "()"},
      {"name LIKE '%a'", "()"},
      {"part + id = 3", "()"},
      {"id = part", "()"},
      {"part NOT IN (1, 2)", "((1:BIGINT <> 1 and 1:BIGINT <> 2))"},
      {"NOT (part < 1 OR name IS NULL OR part IN (3))",
       "((1:BIGINT >= 1 and 2:VARCHAR is not null and (1:BIGINT <> 3)))"},
      {"NOT (part = 1 AND name LIKE 'a%')", "((1:BIGINT <> 1 or ?))"},
      {"NOT (part IS NOT DISTINCT FROM 1 AND id = 2)", "((? or 0:BIGINT <> 2))"},
  };
  for (const auto& [filter, expected] : cases) EXPECT_EQ(asked_for(filter), expected) << filter;
}

TEST_F(FileScanTest, LeavesOutWhatAJoinDoesNotLookFor) {
  connection_->execute("CREATE TABLE wanted AS SELECT 3::BIGINT AS part UNION ALL SELECT 4");
  EXPECT_EQ(connection_->query_integer(
                format("SELECT count(*) FROM {} f JOIN wanted w ON f.part = w.part", scan())),
            20);
  EXPECT_EQ(connection_->files_scanned().total, 5);
  EXPECT_EQ(connection_->files_scanned().read, 2);
}

TEST_F(FileScanTest, TakesAParametersValue) {
  auto result =
      connection_->query(format("SELECT count(*)::BIGINT FROM {} WHERE part = $1", scan()), {"4"});
  EXPECT_EQ(result.next()->column(0).data<int64_t>()[0], 10);
  EXPECT_EQ(connection_->files_scanned().read, 1);
}

TEST_F(FileScanTest, TellsWhatWentWrong) {
  try {
    connection_->execute("SELECT * FROM " + scan("gone"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("there is no list gone"), std::string::npos);
  }
  parts_->failure = "a manifest is damaged";
  try {
    connection_->execute(format("SELECT * FROM {} WHERE part = 1", scan()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("a manifest is damaged"), std::string::npos);
  }
}

}  // namespace
}  // namespace headrace::engine
