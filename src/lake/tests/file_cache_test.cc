#include "lake/file_cache.h"

#include <gtest/gtest.h>

#include "lake/footprint.h"

namespace headrace::lake {
namespace {

TEST(FileCache, LetsTheOldestGoWhenItIsFull) {
  FileCache<int> cache(10);
  for (const char* path : {"a", "b", "c"}) cache.put(path, std::make_shared<int>(1), 4);
  EXPECT_EQ(cache.find("a"), nullptr);
  EXPECT_NE(cache.find("b"), nullptr);
  EXPECT_NE(cache.find("c"), nullptr);
  cache.put("c", std::make_shared<int>(2), 4);  // immutable files: the first one counts
  EXPECT_EQ(*cache.find("c"), 1);
  cache.put("large", std::make_shared<int>(3), 100);  // one may be larger than all room
  EXPECT_NE(cache.find("large"), nullptr);
  EXPECT_EQ(cache.find("c"), nullptr);
}

TEST(FileCache, ForgetsAFileByItsPath) {
  FileCache<int> cache(10);
  for (const char* key : {"a", "a#1", "a#2", "ab", "b"}) {
    cache.put(key, std::make_shared<int>(1), 2);
  }
  cache.forget("a");
  cache.forget("nothing");
  for (const char* key : {"a", "a#1", "a#2"}) EXPECT_EQ(cache.find(key), nullptr) << key;
  // Its room is there for others, and their order stays.
  cache.put("c", std::make_shared<int>(1), 6);
  EXPECT_NE(cache.find("ab"), nullptr);
  cache.put("d", std::make_shared<int>(1), 2);
  EXPECT_EQ(cache.find("ab"), nullptr);
  EXPECT_NE(cache.find("b"), nullptr);
}

TEST(Footprint, GrowsWithColumnsAndTheirBounds) {
  ManifestEntries plain(1);
  ManifestEntries wide(1);
  FileFigures figures;
  for (int id = 1; id <= 100; ++id) {
    figures.value_counts[id] = 1;
    figures.lower_bounds[id] = std::string(16, 'a');
  }
  wide[0].file.figures = std::move(figures);
  EXPECT_GT(footprint(plain), sizeof(ManifestEntry));
  EXPECT_GT(footprint(wide), footprint(plain) + size_t{100} * (64 + 80 + 17));
  EXPECT_LT(footprint(wide), footprint(plain) + size_t{100} * 300);
}

}  // namespace
}  // namespace headrace::lake
