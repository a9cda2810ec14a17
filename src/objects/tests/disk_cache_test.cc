#include "objects/disk_cache.h"

#include <filesystem>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "objects/testing/s3_server.h"

namespace headrace::objects {
namespace {

class DiskCacheTest : public ::testing::Test {
 protected:
  std::vector<std::string> paths() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
      if (entry.is_regular_file()) found.push_back(entry.path().string());
    }
    return found;
  }
  uint64_t bytes_on_disk() const {
    uint64_t sum = 0;
    for (const std::string& path : paths()) sum += std::filesystem::file_size(path);
    return sum;
  }
  DiskCache make(uint64_t max_bytes) { return {*files_, folder_.path(), max_bytes, *metrics_}; }

  TestFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
};

TEST_F(DiskCacheTest, KeepsBlocks) {
  DiskCache cache(*files_, folder_.path(), 1'000'000, *metrics_);
  EXPECT_EQ(cache.find("s3://b/k", 0), std::nullopt);
  cache.keep("s3://b/k", 0, "zero");
  cache.keep("s3://b/k", 7, "");
  EXPECT_EQ(cache.find("s3://b/k", 0), "zero");
  EXPECT_EQ(cache.find("s3://b/k", 7), "");
  EXPECT_EQ(cache.find("s3://b/k", 1), std::nullopt);
  EXPECT_EQ(cache.find("s3://b/other", 0), std::nullopt);
  EXPECT_EQ(make(1'000'000).find("s3://b/k", 0), "zero");
}

// Torn at every length, and every byte changed: never taken for what was written.
TEST_F(DiskCacheTest, TakesNoDamagedBlock) {
  const std::string content = "what was written";
  DiskCache cache(*files_, folder_.path(), 1'000'000, *metrics_);
  cache.keep("s3://b/k", 0, content);
  const std::string path = paths().at(0);
  const std::string whole = files_->read(path);
  for (size_t i = 0; i < whole.size(); ++i) {
    files_->write_atomically(path, whole.substr(0, i));
    EXPECT_EQ(cache.find("s3://b/k", 0), std::nullopt) << i;
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    files_->write_atomically(path, changed);
    EXPECT_EQ(cache.find("s3://b/k", 0), std::nullopt) << i;
  }
  files_->write_atomically(path, whole);
  EXPECT_EQ(cache.find("s3://b/k", 0), content);
  // Under another block's name it is not that block.
  std::filesystem::copy_file(path, path.substr(0, path.rfind('-')) + "-1");
  EXPECT_EQ(cache.find("s3://b/k", 1), std::nullopt);
}

TEST_F(DiskCacheTest, StaysWithinItsBoundAndDropsWhatWasUsedLongestAgo) {
  DiskCache cache(*files_, folder_.path(), 100'000, *metrics_);
  const std::string block(996, 'x');
  cache.keep("old", 0, block);
  for (uint64_t i = 0; i < 300; ++i) {
    cache.keep("new", i, block);
    EXPECT_TRUE(cache.find("old", 0).has_value()) << "used all the time, gone at " << i;
  }
  EXPECT_LE(bytes_on_disk(), 100'000U);
  EXPECT_GE(bytes_on_disk(), 85'000U);
  EXPECT_FALSE(cache.find("new", 0).has_value());
  EXPECT_TRUE(cache.find("new", 299).has_value());
}

TEST_F(DiskCacheTest, IsSharedByManyAtOnce) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      DiskCache cache(*files_, folder_.path(), 200'000, *metrics_);
      SeededRandom random(static_cast<uint64_t>(t));
      for (int i = 0; i < 500; ++i) {
        const uint64_t block = random.below(50);
        const std::string content(1000 + block, static_cast<char>('a' + block % 26));
        const auto found = cache.find("shared", block);
        EXPECT_TRUE(!found || *found == content);
        if (!found) cache.keep("shared", block, content);
      }
    });
  }
  threads.clear();
  EXPECT_LE(bytes_on_disk(), 400'000U);
}

TEST_F(DiskCacheTest, WorksWithoutADisk) {
  files_->write_new(folder_.path() + "/file", "in the way");
  DiskCache cache(*files_, folder_.path() + "/file/cache", 1000, *metrics_);
  cache.keep("s3://b/k", 0, "x");
  EXPECT_EQ(cache.find("s3://b/k", 0), std::nullopt);
}

}  // namespace
}  // namespace headrace::objects
