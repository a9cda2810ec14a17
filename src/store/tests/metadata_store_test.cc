// The contract of MetadataStore, run over every store.

#include "store/metadata_store.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "store/testing/postgres_server.h"

namespace headrace::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "headrace-store-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string file() const { return path_ + "/metadata.db"; }

 private:
  std::string path_;
};

ErrorKind kind_thrown_by(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kInternal;
}

std::vector<std::string> keys_of(const std::vector<Entry>& entries) {
  std::vector<std::string> keys;
  for (const Entry& entry : entries) keys.push_back(entry.key);
  return keys;
}

class MetadataStoreTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "postgres" && test_postgres_url().empty()) GTEST_SKIP() << kNoPostgres;
    store_ = open();
  }
  // Another connection to the same store; the one in memory has none.
  std::unique_ptr<MetadataStore> open() {
    if (GetParam() == "sqlite") return open_sqlite_store(directory_.file());
    if (GetParam() == "memory") return make_memory_store();
    PostgresOptions options;
    options.url = test_postgres_url();
    options.schema = schema_;
    return open_postgres_store(options, clock_);
  }
  Directory directory_;
  std::string schema_ = fresh_schema();
  SystemClock clock_;
  std::unique_ptr<MetadataStore> store_;
};

// Stores that several processes can open.
class SharedStoreTest : public MetadataStoreTest {};

TEST_P(MetadataStoreTest, AnAbsentEntryIsNothing) {
  EXPECT_FALSE(store_->get("tables", "a").has_value());
  EXPECT_TRUE(store_->list("tables", "").empty());
}

TEST_P(MetadataStoreTest, VersionsStartAtOneAndRise) {
  store_->apply({{"tables", "a", "first", 0}});
  EXPECT_EQ(store_->get("tables", "a")->version, 1);
  store_->apply({{"tables", "a", "second", 1}});
  store_->apply({{"tables", "a", "third", std::nullopt}});
  const auto entry = store_->get("tables", "a");
  EXPECT_EQ(entry->key, "a");
  EXPECT_EQ(entry->value, "third");
  EXPECT_EQ(entry->version, 3);
}

TEST_P(MetadataStoreTest, AFailedPreconditionChangesNothingAndNamesTheEntry) {
  store_->apply({{"tables", "a", "old", 0}});
  try {
    store_->apply({{"tables", "b", "new", 0}, {"tables", "a", "new", 7}});
    FAIL() << "the version was not checked";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConflict);
    EXPECT_THAT(error.message(), HasSubstr("tables/a"));
  }
  EXPECT_FALSE(store_->get("tables", "b").has_value());
  EXPECT_EQ(store_->get("tables", "a")->value, "old");
  EXPECT_EQ(kind_thrown_by([&] { store_->apply({{"tables", "a", "again", 0}}); }),
            ErrorKind::kConflict);
  EXPECT_EQ(kind_thrown_by([&] { store_->apply({{"tables", "z", "x", 1}}); }),
            ErrorKind::kConflict);
}

TEST_P(MetadataStoreTest, RemovesAndCreatesAgain) {
  store_->apply({{"tables", "a", "x", 0}});
  EXPECT_EQ(kind_thrown_by([&] { store_->apply({{"tables", "a", std::nullopt, 2}}); }),
            ErrorKind::kConflict);
  store_->apply({{"tables", "a", std::nullopt, 1}});
  EXPECT_FALSE(store_->get("tables", "a").has_value());
  store_->apply({{"tables", "a", "y", 0}});
  EXPECT_EQ(store_->get("tables", "a")->version, 1);
}

TEST_P(MetadataStoreTest, ListsByPrefixInTheOrderOfKeys) {
  store_->apply({{"tables", "b.x", "", 0},
                 {"tables", "a.y", "", 0},
                 {"tables", "a.x", "", 0},
                 {"tables", "a\xC3\xA4", "", 0},
                 {"topics", "a.z", "", 0}});
  EXPECT_THAT(keys_of(store_->list("tables", "a.")), ElementsAre("a.x", "a.y"));
  EXPECT_THAT(keys_of(store_->list("tables", "")), ElementsAre("a.x", "a.y", "a\xC3\xA4", "b.x"));
  EXPECT_THAT(keys_of(store_->list("topics", "")), ElementsAre("a.z"));
  EXPECT_TRUE(store_->list("tables", "c").empty());
}

TEST_P(MetadataStoreTest, KeepsAnyBytes) {
  const std::string value("a\0b\xFF", 4);
  store_->apply({{"s", std::string("k\0k", 3), value, 0}, {"s", "empty", "", 0}});
  EXPECT_EQ(store_->get("s", std::string_view("k\0k", 3))->value, value);
  EXPECT_EQ(store_->get("s", "empty")->value, "");
}

TEST_P(MetadataStoreTest, LaterChangesOfATransactionSeeEarlierOnes) {
  store_->apply({{"s", "k", "one", 0}, {"s", "k", "two", 1}});
  EXPECT_EQ(store_->get("s", "k")->version, 2);
}

void add_one(MetadataStore& store, int times) {
  for (int done = 0; done < times;) {
    const auto entry = store.get("s", "counter");
    const int64_t value = entry ? std::stoll(entry->value) : 0;
    try {
      store.apply({{"s", "counter", std::to_string(value + 1), entry ? entry->version : 0}});
      ++done;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConflict) throw;
    }
  }
}

TEST_P(MetadataStoreTest, CompareAndSwapLosesNoUpdateAmongThreads) {
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([this] { add_one(*store_, 25); });
  }
  EXPECT_EQ(store_->get("s", "counter")->value, "100");
}

TEST_P(MetadataStoreTest, ACheckChangesNothingAndGuardsTheRest) {
  store_->apply({{"s", "guard", "x", 0}, {"s", "guard", "y", 1}});
  store_->apply({check_version("s", "guard", 2), {"s", "k", "v", 0}});
  EXPECT_EQ(store_->get("s", "guard")->version, 2);
  EXPECT_EQ(store_->get("s", "k")->value, "v");
  const auto refused = [&](int64_t version) {
    store_->apply({{"s", "k", "w", 1}, check_version("s", "guard", version)});
  };
  EXPECT_EQ(kind_thrown_by([&] { refused(1); }), ErrorKind::kConflict);
  EXPECT_EQ(kind_thrown_by([&] { refused(3); }), ErrorKind::kConflict);
  EXPECT_EQ(kind_thrown_by([&] { store_->apply({check_version("s", "absent", 1)}); }),
            ErrorKind::kConflict);
  EXPECT_EQ(store_->get("s", "k")->version, 1);
}

TEST_P(MetadataStoreTest, ChangesInOppositeOrderDoNotWaitForEachOther) {
  store_->apply({{"s", "a", "0", 0}, {"s", "b", "0", 0}});
  const auto change_both = [this](const char* first, const char* second) {
    for (int i = 0; i < 50; ++i) {
      store_->apply({{"s", first, "x", std::nullopt}, {"s", second, "x", std::nullopt}});
    }
  };
  {
    const std::jthread one([&] { change_both("a", "b"); });
    const std::jthread other([&] { change_both("b", "a"); });
  }
  EXPECT_EQ(store_->get("s", "a")->version, 101);
  EXPECT_EQ(store_->get("s", "b")->version, 101);
}

INSTANTIATE_TEST_SUITE_P(Stores, MetadataStoreTest,
                         ::testing::Values("memory", "sqlite", "postgres"),
                         [](const auto& store) { return store.param; });

INSTANTIATE_TEST_SUITE_P(Stores, SharedStoreTest, ::testing::Values("sqlite", "postgres"),
                         [](const auto& store) { return store.param; });

TEST_P(SharedStoreTest, KeepsItsEntriesOverARestart) {
  store_->apply({{"s", "k", "v", 0}});
  store_.reset();
  EXPECT_EQ(open()->get("s", "k")->value, "v");
}

TEST_P(SharedStoreTest, TwoConnectionsSeeEachOther) {
  const auto other = open();
  store_->apply({{"s", "k", "v", 0}});
  EXPECT_EQ(other->get("s", "k")->value, "v");
  EXPECT_EQ(kind_thrown_by([&] { other->apply({{"s", "k", "w", 0}}); }), ErrorKind::kConflict);
}

// Each opens the store anew while the others do, and makes its tables.
TEST_P(SharedStoreTest, CompareAndSwapLosesNoUpdateAmongProcesses) {
  schema_ = fresh_schema();
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int status = 1;
      try {
        add_one(*open(), 20);
        status = 0;
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
      }
      ::_exit(status);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(open()->get("s", "counter")->value, "60");
}

TEST(SqliteStoreTest, RefusesWhatItCannotRead) {
  const Directory directory;
  EXPECT_EQ(kind_thrown_by([&] { open_sqlite_store(directory.file() + "/missing/x.db"); }),
            ErrorKind::kUnavailable);
  std::ofstream(directory.file()) << std::string(4096, 'x');
  EXPECT_EQ(kind_thrown_by([&] { open_sqlite_store(directory.file()); }), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace headrace::store
