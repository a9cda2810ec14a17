#include "codec/buffer_pool.h"

#include <gtest/gtest.h>

namespace headrace::codec {
namespace {

TEST(BufferPool, GivesTheSameMemoryAgain) {
  BufferPool pool;
  auto first = pool.take(1'000'000);
  const char* const address = first.get();
  auto second = pool.take(1'000'000);
  EXPECT_NE(second.get(), address);
  first.reset();
  EXPECT_GE(pool.idle_bytes(), 1'000'000u);
  EXPECT_EQ(pool.take(900'000).get(), address);
}

TEST(BufferPool, LeavesLargeBlocksToLargeNeeds) {
  BufferPool pool;
  const char* address = nullptr;
  {
    const auto large = pool.take(20'000'000);
    address = large.get();
  }
  const auto small = pool.take(100'000);
  EXPECT_NE(small.get(), address);
  EXPECT_EQ(pool.take(19'000'000).get(), address);
}

TEST(BufferPool, KeepsABoundedAmount) {
  BufferPool pool;
  {
    std::vector<std::shared_ptr<char[]>> many;
    for (int i = 0; i < 100; ++i) many.push_back(pool.take(1'000'000));
  }
  EXPECT_LE(pool.idle_bytes(), 32u * 1024 * 1024);
  EXPECT_GT(pool.idle_bytes(), 0u);
}

}  // namespace
}  // namespace headrace::codec
