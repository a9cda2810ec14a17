// What PostgreSQL adds to the contract: lost connections, and commits whose outcome is open.

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/metadata_store.h"
#include "store/testing/cutting_proxy.h"
#include "store/testing/postgres_server.h"

namespace headrace::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PostgresStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (test_postgres_url().empty()) GTEST_SKIP() << kNoPostgres;
    proxy_.emplace(test_postgres_url());
    options_.url = proxy_->url();
    options_.schema = fresh_schema();
    store_ = open_postgres_store(options_, clock_);
    store_->apply({{"s", "k", "old", 0}});
  }
  // Over a connection that nobody cuts.
  std::unique_ptr<MetadataStore> direct() {
    PostgresOptions options = options_;
    options.url = test_postgres_url();
    return open_postgres_store(options, clock_);
  }
  Error error_of_write(const std::string& value, int64_t expected_version) {
    try {
      store_->apply({{"s", "k", value, expected_version}});
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {ErrorKind::kInternal, ""};
  }

  SystemClock clock_;
  PostgresOptions options_;
  std::optional<CuttingProxy> proxy_;
  std::unique_ptr<MetadataStore> store_;
};

TEST_F(PostgresStoreTest, WhatWasLostBeforeItsCommitIsDoneAgain) {
  proxy_->cut_next(Cut::kBeforeCommit);
  store_->apply({{"s", "k", "new", 1}});
  EXPECT_EQ(proxy_->cuts(), 1);
  EXPECT_EQ(store_->get("s", "k")->value, "new");
  EXPECT_EQ(store_->get("s", "k")->version, 2);
}

TEST_F(PostgresStoreTest, WhatWasCommittedIsNotDoneTwice) {
  proxy_->cut_next(Cut::kAfterCommit);
  // Done again it would be a conflict, or a third version.
  store_->apply({{"s", "k", "new", 1}, {"s", "counter", "x", std::nullopt}});
  EXPECT_EQ(proxy_->cuts(), 1);
  EXPECT_EQ(store_->get("s", "k")->version, 2);
  EXPECT_EQ(store_->get("s", "counter")->version, 1);
}

TEST_F(PostgresStoreTest, ACommitThatCannotBeAskedAboutIsUnknown) {
  options_.patience = milliseconds(200);
  store_ = open_postgres_store(options_, clock_);
  proxy_->stay_closed_after_cut(true);
  proxy_->cut_next(Cut::kAfterCommit);
  EXPECT_EQ(error_of_write("new", 1).kind(), ErrorKind::kCommitUnknown);
  EXPECT_EQ(direct()->get("s", "k")->value, "new");
  proxy_->open();
  proxy_->cut_next(Cut::kBeforeCommit);
  EXPECT_EQ(error_of_write("newer", 2).kind(), ErrorKind::kCommitUnknown);
  EXPECT_EQ(direct()->get("s", "k")->value, "new");
}

TEST_F(PostgresStoreTest, WithoutAConnectionItIsUnavailableAndTheReasonIsTold) {
  options_.patience = milliseconds(100);
  store_ = open_postgres_store(options_, clock_);
  proxy_.reset();
  const Error error = error_of_write("new", 1);
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("store.url"));
  EXPECT_THAT(error.message(), Not(HasSubstr("secret")));
}

TEST_F(PostgresStoreTest, AConnectionThatTheServerEndsIsMadeAnew) {
  const auto other = direct();
  for (int i = 0; i < 3; ++i) {
    proxy_->cut_next(Cut::kBeforeCommit);
    store_->apply({{"s", "k", std::to_string(i), std::nullopt}});
    EXPECT_EQ(other->get("s", "k")->value, std::to_string(i));
  }
}

TEST_F(PostgresStoreTest, SchemasAreStoresOfTheirOwn) {
  PostgresOptions options = options_;
  options.schema = fresh_schema();
  EXPECT_FALSE(open_postgres_store(options, clock_)->get("s", "k"));
}

TEST_F(PostgresStoreTest, AWrongPasswordIsToldWithoutShowingIt) {
  PostgresOptions options = options_;
  options.open_patience = milliseconds(0);
  std::string told;
  options.on_retry = [&](std::string_view doing, const std::string& why) {
    told = format("{}: {}", doing, why);
  };
  options.url.replace(options.url.find("secret"), 6, "wr0ng");
  try {
    open_postgres_store(options, clock_);
    ADD_FAILURE() << "opened with a wrong password";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("password authentication failed"));
    EXPECT_THAT(error.message(), Not(HasSubstr("wr0ng")));
    EXPECT_THAT(error.message(), HasSubstr(told));
    EXPECT_THAT(told, HasSubstr("opening the metadata store: "));
  }
}

TEST(PostgresUrl, IsJudgedWithoutConnecting) {
  EXPECT_EQ(complaint_about_postgres_url("postgresql://me:pw@db.example:5432/lake"), "");
  EXPECT_EQ(complaint_about_postgres_url("host=db.example dbname=lake"), "");
  EXPECT_THAT(complaint_about_postgres_url("postgresql://me:pw@[::1"), HasSubstr("postgresql://"));
  EXPECT_THAT(complaint_about_postgres_url("mysql://me:pw@db/lake"), Not(HasSubstr("pw@")));
  EXPECT_NE(complaint_about_postgres_url("mysql://me:pw@db/lake"), "");
}

}  // namespace
}  // namespace headrace::store
