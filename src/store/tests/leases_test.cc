// Leases over every store.

#include "store/leases.h"

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "store/testing/postgres_server.h"

namespace headrace::store {
namespace {

constexpr milliseconds kLong{3'600'000};

class LeasesTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "memory") {
      store_ = make_memory_store();
    } else if (GetParam() == "sqlite") {
      store_ = open_sqlite_store(path_);
    } else if (test_postgres_url().empty()) {
      GTEST_SKIP() << kNoPostgres;
    } else {
      PostgresOptions options;
      options.url = test_postgres_url();
      options.schema = fresh_schema();
      store_ = open_postgres_store(options, clock_);
    }
    leases_.emplace(*store_);
  }
  void TearDown() override {
    store_.reset();
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  }
  Lease take(const std::string& holder, milliseconds duration) {
    const auto lease = leases_->try_acquire("job/x", holder, duration);
    if (!lease) fail(ErrorKind::kInternal, "{} did not get the lease", holder);
    return *lease;
  }
  // A lease whose time is over, by the store's clock.
  Lease take_expired(const std::string& holder) {
    const Lease lease = take(holder, milliseconds(1));
    while (leases_->find("job/x")->is_held) std::this_thread::sleep_for(milliseconds(1));
    return lease;
  }
  void write_guarded(const Lease& lease) {
    store_->apply({Leases::check(lease), {"s", "k", lease.holder, std::nullopt}});
  }

  SystemClock clock_;
  SeededRandom random_;
  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("headrace-leases-" + make_uuid(random_))).string();
  std::unique_ptr<MetadataStore> store_;
  std::optional<Leases> leases_;
};

INSTANTIATE_TEST_SUITE_P(Stores, LeasesTest, ::testing::Values("memory", "sqlite", "postgres"),
                         [](const auto& store) { return store.param; });

TEST_P(LeasesTest, OneHoldsItAtATime) {
  EXPECT_FALSE(leases_->find("job/x"));
  const Lease first = take("one", kLong);
  EXPECT_EQ(first.token, 1);
  EXPECT_FALSE(leases_->try_acquire("job/x", "two", kLong));
  EXPECT_TRUE(leases_->try_acquire("job/y", "two", kLong));
  EXPECT_EQ(leases_->find("job/x")->holder, "one");
  EXPECT_TRUE(leases_->renew(first, kLong));
  leases_->release(first);
  EXPECT_FALSE(leases_->find("job/x")->is_held);
  EXPECT_FALSE(leases_->renew(first, kLong));
  EXPECT_EQ(take("two", kLong).token, 2);
}

TEST_P(LeasesTest, WhatExpiredIsTakenByTheNextWithAGreaterToken) {
  const Lease first = take_expired("one");
  // Nobody has taken it meanwhile: its holder may go on.
  EXPECT_TRUE(leases_->renew(first, kLong));
  leases_->release(first);
  const Lease late = take_expired("one");
  EXPECT_GT(late.token, first.token);
  const Lease second = take("two", kLong);
  EXPECT_GT(second.token, late.token);
  EXPECT_FALSE(leases_->renew(late, kLong));
  leases_->release(late);
  EXPECT_TRUE(leases_->find("job/x")->is_held);
  EXPECT_EQ(leases_->find("job/x")->holder, "two");
}

TEST_P(LeasesTest, WritesOfAFormerHolderAreRefused) {
  const Lease first = take_expired("one");
  write_guarded(first);
  EXPECT_TRUE(leases_->is_current(first));
  const Lease second = take("two", kLong);
  EXPECT_FALSE(leases_->is_current(first));
  try {
    write_guarded(first);
    ADD_FAILURE() << "a write of a former holder went through";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConflict);
  }
  EXPECT_EQ(store_->get("s", "k")->value, "one");
  EXPECT_TRUE(leases_->renew(second, kLong));
  write_guarded(second);
  EXPECT_EQ(store_->get("s", "k")->value, "two");
}

TEST_P(LeasesTest, AHolderThatDoesNotKnowWhetherItHasItTakesItAgain) {
  const Lease first = take("one", kLong);
  const Lease again = take("one", kLong);
  EXPECT_EQ(again.token, first.token + 1);
  EXPECT_FALSE(leases_->renew(first, kLong));
  EXPECT_TRUE(leases_->renew(again, kLong));
}

TEST_P(LeasesTest, OfManyThatTryAtOnceOneGetsIt) {
  std::atomic<int> taken = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        if (leases_->try_acquire("job/x", std::to_string(i), kLong)) ++taken;
      });
    }
  }
  EXPECT_EQ(taken, 1);
}

}  // namespace
}  // namespace headrace::store
