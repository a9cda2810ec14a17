#include "engine/remote_files.h"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/database.h"

namespace headrace::engine {
namespace {

// Files in memory, under names that begin with s3://.
class MemoryFiles final : public RemoteFiles {
 public:
  std::map<std::string, std::string> files;
  std::atomic<int> reads = 0;
  std::string failure;

  bool handles(const std::string& path) const override { return path.starts_with("s3://"); }
  uint64_t size_bytes(const std::string& path) override { return content(path).size(); }
  void read_at(const std::string& path, uint64_t offset, char* into, uint64_t size) override {
    ++reads;
    if (!failure.empty()) fail(ErrorKind::kUnavailable, "{}", failure);
    const std::string& bytes = content(path);
    ASSERT_LE(offset + size, bytes.size());
    std::memcpy(into, bytes.data() + offset, size);
  }

 private:
  const std::string& content(const std::string& path) const {
    const auto found = files.find(path);
    if (found == files.end()) fail(ErrorKind::kNotFound, "{} is not there", path);
    return found->second;
  }
};

class RemoteFilesTest : public ::testing::Test {
 protected:
  RemoteFilesTest() {
    local_ = (std::filesystem::temp_directory_path() /
              ("headrace-remote-files-" + std::to_string(::getpid()) + ".parquet"))
                 .string();
    database_.add_files(files_);
    connection_ = database_.connect();
    connection_->execute("COPY (SELECT i, 'row ' || i AS text FROM range(300000) t(i)) TO '" +
                         local_ + "' (FORMAT parquet)");
    std::ifstream in(local_, std::ios::binary);
    std::stringstream bytes;
    bytes << in.rdbuf();
    files_->files["s3://lake/a.parquet"] = bytes.str();
  }
  ~RemoteFilesTest() override { std::filesystem::remove(local_); }

  std::string local_;
  std::shared_ptr<MemoryFiles> files_ = std::make_shared<MemoryFiles>();
  Database database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(RemoteFilesTest, AreReadLikeLocalOnes) {
  const std::string from = "FROM read_parquet(['s3://lake/a.parquet'], hive_partitioning=false)";
  EXPECT_EQ(connection_->query_integer("SELECT count(*) " + from), 300'000);
  EXPECT_EQ(connection_->query_integer("SELECT sum(i)::BIGINT " + from), 44999850000);
  EXPECT_EQ(connection_->query_value("SELECT text " + from + " WHERE i = 299999"), "row 299999");
  EXPECT_GT(files_->reads, 0);
}

TEST_F(RemoteFilesTest, TellWhatWentWrong) {
  try {
    connection_->execute("SELECT * FROM read_parquet('s3://lake/b.parquet')");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("s3://lake/b.parquet is not there"), std::string::npos)
        << error.message();
  }
  files_->failure = "the network is away";
  try {
    connection_->query_integer("SELECT count(text) FROM read_parquet('s3://lake/a.parquet')");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("the network is away"), std::string::npos) << error.message();
  }
  files_->failure.clear();
  EXPECT_EQ(
      connection_->query_integer("SELECT count(text) FROM read_parquet('s3://lake/a.parquet')"),
      300'000);
}

TEST_F(RemoteFilesTest, ARangeOfAFileIsReadAloneHereAndThere) {
  const std::string& bytes = files_->files["s3://lake/a.parquet"];
  for (const std::string& path : {local_, std::string("s3://lake/a.parquet")}) {
    EXPECT_EQ(connection_->read_file(path, 0, 4), "PAR1") << path;
    EXPECT_EQ(connection_->read_file(path, 100, 70'000), bytes.substr(100, 70'000)) << path;
    EXPECT_EQ(connection_->read_file(path, bytes.size(), 0), "") << path;
    for (const auto& [offset, size] : {std::pair<uint64_t, uint64_t>{bytes.size() - 3, 4},
                                       {bytes.size() + 1, 0},
                                       {1, UINT64_MAX}}) {
      try {
        connection_->read_file(path, offset, size);
        ADD_FAILURE() << path;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.message();
      }
    }
  }
  EXPECT_THROW(connection_->read_file("s3://lake/none", 0, 1), Error);
  EXPECT_THROW(connection_->read_file(local_ + ".none", 0, 1), Error);
}

TEST_F(RemoteFilesTest, AreNotWritten) {
  EXPECT_THROW(connection_->execute("COPY (SELECT 1) TO 's3://lake/c.parquet' (FORMAT parquet)"),
               Error);
}

}  // namespace
}  // namespace headrace::engine
