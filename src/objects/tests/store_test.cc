// What every store must do, of folders and of a real S3 server; and the latter through a network
// that fails: each answer must be as if it had not.

#include <algorithm>
#include <array>
#include <iostream>
#include <set>

#include <gtest/gtest.h>

#include "base/error.h"
#include "http/connections.h"
#include "objects/cached_reader.h"
#include "objects/folder_store.h"
#include "objects/s3_store.h"
#include "objects/testing/faulty_connections.h"
#include "objects/testing/s3_server.h"
#include "objects/uri.h"

namespace headrace::objects {
namespace {

template <class Act>
ErrorKind kind_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;
}

S3Options test_options() {
  S3Options options;
  options.endpoint = test_s3_endpoint();
  options.region = "us-east-1";
  options.access_key_id = kTestKey;
  options.secret_access_key = kTestSecret;
  options.part_bytes = 5 * 1024 * 1024;
  options.max_attempts = 30;
  options.first_pause = milliseconds(1);
  options.longest_pause = milliseconds(4);
  return options;
}

enum class Kind { kFolder, kS3, kFaultyS3 };

class StoreTest : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::kFolder) {
      store_ = make_folder_store(*files_);
      base_ = file_uri(folder_.path());
      return;
    }
    if (test_s3_endpoint().empty()) GTEST_SKIP() << "versitygw is not built: scripts/setup s3";
    faulty_ = std::make_unique<FaultyConnections>(*connections_, seed_,
                                                  GetParam() == Kind::kFaultyS3 ? 30 : 0);
    store_ = make_s3_store(s3(*faulty_), test_options());
    base_ = format("s3://{}/{}", kTestBucket, make_uuid(random_));
  }
  void TearDown() override {
    if (store_ != nullptr) store_->remove_folder(base_);
    if (GetParam() == Kind::kFaultyS3) RecordProperty("faults", faulty_ ? faulty_->faults() : 0);
    if (HasFailure()) std::cerr << "seed " << seed_ << "\n";
  }
  S3Collaborators s3(http::Connections& connections) {
    return {connections, *files_,   clock_,
            random_,     *metrics_, [](const std::string&) { return std::nullopt; }};
  }
  std::set<std::string> listed(const std::string& folder) {
    std::set<std::string> found;
    store_->list(folder, [&](const ObjectInfo& object) {
      EXPECT_TRUE(found.insert(object.uri.substr(folder.size() + 1)).second) << object.uri;
    });
    return found;
  }

  TestFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  SystemClock clock_;
  SeededRandom random_;
  const uint64_t seed_ = random_.next();
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
  std::unique_ptr<http::Connections> connections_ = http::make_connections();
  std::unique_ptr<FaultyConnections> faulty_;
  std::unique_ptr<ObjectStore> store_;
  std::string base_;
};

TEST_P(StoreTest, WritesAndReads) {
  const std::string uri = base_ + "/a file";
  const ObjectInfo written = store_->put(uri, "0123456789");
  EXPECT_EQ(written.size_bytes, 10U);
  EXPECT_EQ(store_->get(uri), "0123456789");
  EXPECT_EQ(store_->head(uri).size_bytes, 10U);
  EXPECT_EQ(store_->get_range(uri, 2, 3).bytes, "234");
  EXPECT_EQ(store_->get_range(uri, 8, 100).bytes, "89");
  EXPECT_EQ(store_->get_range(uri, 10, 5).bytes, "");
  EXPECT_EQ(store_->get_range(uri, 2, 3).object.size_bytes, 10U);
  EXPECT_EQ(store_->get_end(uri, 4).bytes, "6789");
  EXPECT_EQ(store_->get_end(uri, 4).object.size_bytes, 10U);
  EXPECT_EQ(store_->get_end(uri, 40).bytes, "0123456789");
  store_->put(uri, "");
  EXPECT_EQ(store_->get(uri), "");
  EXPECT_EQ(store_->get_end(uri, 4).bytes, "");
}

TEST_P(StoreTest, TellsWhatIsNotThere) {
  const std::string uri = base_ + "/nothing";
  EXPECT_EQ(kind_of([&] { store_->get(uri); }), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of([&] { store_->head(uri); }), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of([&] { store_->get_end(uri, 5); }), ErrorKind::kNotFound);
  EXPECT_FALSE(store_->exists(uri));
  store_->remove(uri);
  EXPECT_TRUE(listed(base_ + "/no folder").empty());
  EXPECT_TRUE(store_->is_empty(base_ + "/no folder"));
  store_->put(base_ + "/some folder.x", "x");
  EXPECT_TRUE(store_->is_empty(base_ + "/some folder"));
  store_->make_folder(base_ + "/some folder");
  store_->put(base_ + "/some folder/x", "x");
  EXPECT_FALSE(store_->is_empty(base_ + "/some folder"));
}

TEST_P(StoreTest, PutsOnCondition) {
  const std::string uri = base_ + "/pointer";
  for (int round = 0; round < 10; ++round) {
    store_->remove(uri);
    const ObjectInfo first = store_->put_if_absent(uri, "first");
    EXPECT_EQ(kind_of([&] { store_->put_if_absent(uri, "other"); }), ErrorKind::kAlreadyExists);
    const ObjectInfo second = store_->put_if_match(uri, "second", first.etag);
    EXPECT_EQ(kind_of([&] { store_->put_if_match(uri, "third", first.etag); }),
              ErrorKind::kConflict);
    EXPECT_EQ(store_->get(uri), "second");
    EXPECT_EQ(kind_of([&] { store_->get_range(uri, 0, 2, first.etag); }), ErrorKind::kConflict);
    EXPECT_EQ(store_->get_range(uri, 0, 2, second.etag).bytes, "se");
  }
}

TEST_P(StoreTest, ListsAllPagesAndRemovesInBatches) {
  const bool is_faulty = GetParam() == Kind::kFaultyS3;
  const int count = is_faulty ? 60 : 1005;
  store_->make_folder(base_ + "/many/deep");
  std::set<std::string> expected;
  std::vector<std::string> uris;
  for (int i = 0; i < count; ++i) {
    const std::string name = format("{}{:05}", i % 2 == 0 ? "" : "deep/", i);
    expected.insert(name);
    uris.push_back(base_ + "/many/" + name);
    store_->put(uris.back(), "x");
  }
  store_->put(base_ + "/many-others", "x");
  EXPECT_EQ(listed(base_ + "/many"), expected);
  uris.push_back(base_ + "/many/not there");
  store_->remove(uris);
  EXPECT_TRUE(listed(base_ + "/many").empty());
  EXPECT_EQ(listed(base_), std::set<std::string>{"many-others"});
}

TEST_P(StoreTest, UploadsLargeFilesInParts) {
  std::string content(13 * 1024 * 1024 + 17, '\0');
  for (char& byte : content) byte = static_cast<char>(random_.next());
  const std::string path = folder_.path() + "/large";
  files_->write_new(path, content);
  const std::string uri = base_ + "/uploaded";
  EXPECT_EQ(store_->upload(path, uri).size_bytes, content.size());
  EXPECT_TRUE(store_->get(uri) == content);
  files_->write_new(folder_.path() + "/small", "small");
  store_->upload(folder_.path() + "/small", base_ + "/small one");
  EXPECT_EQ(store_->get(base_ + "/small one"), "small");
  // An upload whose beginning was answered into a broken connection is begun anew, and its first
  // stays behind.
  const int64_t left_behind = store_->remove_abandoned_uploads(base_, clock_.now());
  if (GetParam() != Kind::kFaultyS3) {
    EXPECT_EQ(left_behind, 0);
  }
  EXPECT_EQ(store_->remove_abandoned_uploads(base_, clock_.now()), 0);
}

TEST_P(StoreTest, ReadsByWayOfTheCache) {
  std::string content(3 * kBlockBytes + 12345, '\0');
  for (char& byte : content) byte = static_cast<char>(random_.next());
  const std::string uri = base_ + "/cached";
  store_->put(uri, content);
  DiskCache cache(*files_, folder_.path() + "/cache", 100 * kBlockBytes, *metrics_);
  for (int round = 0; round < 2; ++round) {
    CachedReader reader(*store_, &cache);
    EXPECT_EQ(reader.size_bytes(uri), content.size());
    ASSERT_TRUE(reader.read(uri) == content);  // every block
    for (int i = 0; i < 200; ++i) {
      const uint64_t offset = random_.below(content.size());
      const uint64_t size = random_.below(std::min<uint64_t>(content.size() - offset, 1 << 21)) + 1;
      std::string bytes(size, '\0');
      reader.read_at(uri, offset, bytes.data(), size);
      ASSERT_TRUE(bytes == content.substr(offset, size)) << offset << " " << size;
    }
    char byte = 0;
    EXPECT_EQ(kind_of([&] { reader.read_at(uri, content.size(), &byte, 1); }), ErrorKind::kCorrupt);
    store_->remove(uri);  // the second round has the disk alone
  }
  EXPECT_GE(metrics_->counter("headrace_objects_cache_hits_total", "").value(), 200);
}

std::string name_of(const ::testing::TestParamInfo<Kind>& test) {
  return std::array{"Folder", "S3", "FaultyS3"}.at(static_cast<size_t>(test.param));
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest,
                         ::testing::Values(Kind::kFolder, Kind::kS3, Kind::kFaultyS3), name_of);

class S3StoreTest : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(S3, S3StoreTest, ::testing::Values(Kind::kS3));

TEST_P(S3StoreTest, SaysWhatIsWrong) {
  const auto message = [&](const S3Options& options, const std::string& uri) {
    try {
      make_s3_store(s3(*connections_), options)->check_bucket(uri);
    } catch (const Error& error) {
      return error.message();
    }
    return std::string("nothing");
  };
  const std::string uri = base_ + "/x";
  EXPECT_EQ(message(test_options(), uri), "nothing");
  EXPECT_NE(message(test_options(), "s3://not-there/x").find("there is no bucket not-there"),
            std::string::npos);
  S3Options wrong = test_options();
  wrong.secret_access_key = "wrong";
  EXPECT_NE(message(wrong, uri).find("SignatureDoesNotMatch"), std::string::npos);
  EXPECT_NE(
      message(wrong, uri).find("headrace.yaml (storage.s3.access_key_id), access key test-key"),
      std::string::npos);
  S3Options none = test_options();
  none.access_key_id = "";
  EXPECT_NE(message(none, uri).find("there are no credentials for S3: nothing in the environment"),
            std::string::npos)
      << message(none, uri);
  S3Options away = test_options();
  away.endpoint = "http://127.0.0.1:1";
  away.max_attempts = 2;
  EXPECT_NE(message(away, uri).find("cannot reach http://127.0.0.1:1"), std::string::npos);
  S3Options unsigned_payload = test_options();
  unsigned_payload.payload_signing = PayloadSigning::kUnsigned;
  make_s3_store(s3(*connections_), unsigned_payload)->put(uri, "not hashed");
  EXPECT_EQ(store_->get(uri), "not hashed");
}

TEST_P(S3StoreTest, RemovesWhatUploadsLeft) {
  // An upload that is begun and never ended, as after kill -9.
  class BreakingAtParts final : public http::Connections {
   public:
    explicit BreakingAtParts(http::Connections& inner) : inner_(inner) {}
    http::Response perform(const http::Call& call, std::stop_token cancel) override {
      if (call.url.find("uploadId=") != std::string::npos) {
        fail(ErrorKind::kCancelled, "killed");
      }
      return inner_.perform(call, std::move(cancel));
    }
    Hedged perform_hedged(const http::Call& call, std::chrono::milliseconds,
                          std::stop_token cancel) override {
      return {perform(call, std::move(cancel)), false};
    }

   private:
    http::Connections& inner_;
  } breaking(*connections_);
  files_->write_new(folder_.path() + "/large", std::string(11 * 1024 * 1024, 'x'));
  EXPECT_EQ(kind_of([&] {
              make_s3_store(s3(breaking), test_options())
                  ->upload(folder_.path() + "/large", base_ + "/half");
            }),
            ErrorKind::kCancelled);
  EXPECT_FALSE(store_->exists(base_ + "/half"));
  EXPECT_EQ(store_->remove_abandoned_uploads(base_, clock_.now() - std::chrono::hours(1)), 0);
  EXPECT_EQ(store_->remove_abandoned_uploads(base_, clock_.now() + std::chrono::hours(1)), 1);
  EXPECT_EQ(store_->remove_abandoned_uploads(base_, clock_.now() + std::chrono::hours(1)), 0);
}

}  // namespace
}  // namespace headrace::objects
