// Fails the n-th operation on files, or on objects, for every n, while segments are uploaded,
// dropped and expire, and after the local disk is lost: nothing is lost that should not be, nothing
// doubled, and nothing is left over.

#include <set>

#include <gtest/gtest.h>

#include "base/testing/environment.h"
#include "base/testing/faulty_file_system.h"
#include "http/connections.h"
#include "objects/folder_store.h"
#include "objects/s3_store.h"
#include "objects/testing/faulty_store.h"
#include "objects/testing/s3_server.h"
#include "objects/uri.h"
#include "stream/testing/tiered_fixture.h"

namespace headrace::stream {
namespace {

constexpr int kRecords = 24;

struct Place {
  objects::ObjectStore& store;
  std::string uri;
};

// Several starts of a process; each appends what is missing, tends and stops where something fails.
class Course {
 public:
  Course(FileSystem& files, objects::ObjectStore& objects, const std::string& directory,
         const std::string& uri)
      : files_(files), objects_(objects), directory_(directory), config_(tiny_tiered_config(uri)) {}

  // Returns how many records were acknowledged.
  int run(int acknowledged) {
    try {
      while (acknowledged < kRecords) {
        open();
        for (int i = 0; i < 8 && acknowledged < kRecords; ++i, ++acknowledged) {
          partition().append(numbered_batch(acknowledged));
        }
        tend();
        tend();
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUnavailable) << error.message();
    }
    log_.reset();
    return acknowledged;
  }

  void open() {
    log_.reset();
    LogOptions options;
    options.objects = &objects_;
    log_ = Log::open(directory_, files_, clock_, *metrics_, options);
    if (log_->find_topic("t") == nullptr) log_->create_topic("t", config_);
  }
  void tend() {
    clock_.advance(std::chrono::minutes(2));  // no pause of before counts
    log_->tend({});
    log_->apply_retention();
  }
  void close() { log_.reset(); }
  Partition& partition() { return log_->topic("t").partition(0); }
  void set_retention(int64_t bytes) {
    config_.retention_bytes = bytes;
    log_->alter_topic("t", config_);
  }

 private:
  FileSystem& files_;
  objects::ObjectStore& objects_;
  const std::string directory_;
  TopicConfig config_;
  ManualClock clock_{SystemClock().now()};
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
  std::unique_ptr<Log> log_;
};

void expect_records(const Partition& partition, Offset from, int to, int fault) {
  std::vector<std::string> expected;
  for (int i = static_cast<int>(from); i < to; ++i) expected.push_back(numbered_value(i));
  ASSERT_EQ(values_of(partition, from), expected) << "fault " << fault;
}

// Each object is named by the manifest, and each that it names is there.
void expect_no_strays(objects::ObjectStore& store, const std::string& uri,
                      const Partition& partition, int fault) {
  std::set<std::string> expected;
  for (const SegmentInfo& segment : partition.segments()) {
    if (!segment.uri.empty()) expected.insert(segment.uri);
  }
  std::set<std::string> found;
  store.list(uri + "/t/0", [&](const objects::ObjectInfo& object) {
    if (object.uri.ends_with(".log")) found.insert(object.uri);
  });
  ASSERT_EQ(found, expected) << "fault " << fault;
}

// After the fault everything works: what was acknowledged is there, each once, also when it is read
// from object storage alone.
void check(const Place& place, const std::string& directory, int acknowledged, int fault) {
  const auto files = make_posix_file_system();
  Course course(*files, place.store, directory, place.uri);
  course.open();
  ASSERT_GE(course.partition().end_offset(), acknowledged) << "lost, fault " << fault;
  const auto there = static_cast<int>(course.partition().end_offset());
  ASSERT_LE(there, acknowledged + 1) << "fault " << fault;
  for (int i = acknowledged; i < kRecords; ++i) {
    const AppendResult result = course.partition().append(numbered_batch(i));
    ASSERT_EQ(result.base_offset, i) << "fault " << fault;
  }
  course.tend();
  const TierStatus status = course.partition().tier().value();
  ASSERT_EQ(status.problem, "") << "fault " << fault;
  ASSERT_EQ(status.lag_segments, 0) << "fault " << fault;
  ASSERT_GT(status.remote_segments, 2) << "fault " << fault;
  ASSERT_NO_FATAL_FAILURE(expect_records(course.partition(), 0, kRecords, fault));
  ASSERT_NO_FATAL_FAILURE(expect_no_strays(place.store, place.uri, course.partition(), fault));

  const auto uploaded = static_cast<int>(status.uploaded_offset);
  course.close();
  files->remove_all(directory);
  course.open();
  ASSERT_EQ(course.partition().end_offset(), uploaded) << "fault " << fault;
  ASSERT_NO_FATAL_FAILURE(expect_records(course.partition(), 0, uploaded, fault));
  ASSERT_EQ(course.partition().source_position("source"), std::to_string(uploaded - 1));
}

TEST(TieredFault, OfFiles) {
  const auto posix = make_posix_file_system();
  for (int n = 1; n < 10'000; n += kFaultStep) {
    const TemporaryDirectory directory;
    const auto folders = objects::make_folder_store(*posix);
    const Place place{*folders, objects::file_uri(directory.path() + "/remote")};
    FaultyFileSystem files(*posix, n);
    const auto faulty_folders = objects::make_folder_store(files);  // its files fail, too
    const std::string log = directory.path() + "/log";
    const int acknowledged = Course(files, *faulty_folders, log, place.uri).run(0);
    ASSERT_NO_FATAL_FAILURE(check(place, log, acknowledged, n));
    if (!files.failed()) return;
  }
  FAIL() << "the loop found no end";
}

void fault_loop_of_objects(const Place& place, objects::Fault fault) {
  const auto posix = make_posix_file_system();
  for (int n = 1; n < 10'000; n += kFaultStep) {
    const TemporaryDirectory directory;
    const Place own{place.store, format("{}/{}", place.uri, n)};
    objects::FaultyStore store(place.store, n, fault);
    const std::string log = directory.path() + "/log";
    const int acknowledged = Course(*posix, store, log, own.uri).run(0);
    ASSERT_NO_FATAL_FAILURE(check(own, log, acknowledged, n));
    place.store.remove_folder(own.uri);
    if (!store.failed()) return;
  }
  FAIL() << "the loop found no end";
}

TEST(TieredFault, OfObjectsInAFolder) {
  const auto posix = make_posix_file_system();
  const auto folders = objects::make_folder_store(*posix);
  for (const objects::Fault fault : {objects::Fault::kBefore, objects::Fault::kAfter}) {
    const TemporaryDirectory remote;
    fault_loop_of_objects({*folders, objects::file_uri(remote.path())}, fault);
  }
}

class S3Place {
 public:
  S3Place() {
    objects::S3Options options;
    options.endpoint = objects::test_s3_endpoint();
    options.region = "us-east-1";
    options.access_key_id = objects::kTestKey;
    options.secret_access_key = objects::kTestSecret;
    store_ = objects::make_s3_store({*connections_, *files_, clock_, random_, *metrics_,
                                     [](const std::string&) { return std::nullopt; }},
                                    options);
    uri_ = format("s3://{}/{}", objects::kTestBucket, make_uuid(random_));
  }
  objects::ObjectStore& store() { return *store_; }
  const std::string& uri() const { return uri_; }

 private:
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  SystemClock clock_;
  SeededRandom random_;
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
  std::unique_ptr<http::Connections> connections_ = http::make_connections();
  std::unique_ptr<objects::S3Store> store_;
  std::string uri_;
};

TEST(TieredFault, OfObjectsInS3) {
  if (objects::test_s3_endpoint().empty()) GTEST_SKIP() << "no versitygw: scripts/setup s3";
  S3Place place;
  for (const objects::Fault fault : {objects::Fault::kBefore, objects::Fault::kAfter}) {
    fault_loop_of_objects({place.store(), place.uri()}, fault);
  }
}

// Segments expire while an operation fails: what is kept is whole, and nothing stays there for
// ever.
TEST(TieredFault, WhileSegmentsExpire) {
  const auto posix = make_posix_file_system();
  const auto folders = objects::make_folder_store(*posix);
  for (const objects::Fault fault : {objects::Fault::kBefore, objects::Fault::kAfter}) {
    bool has_failed = true;
    for (int n = 1; has_failed; ++n) {
      ASSERT_LT(n, 1000);
      const TemporaryDirectory directory;
      const std::string uri = objects::file_uri(directory.path() + "/remote");
      const std::string log = directory.path() + "/log";
      {
        Course before(*posix, *folders, log, uri);
        ASSERT_EQ(before.run(0), kRecords);
      }
      objects::FaultyStore store(*folders, n, fault);
      Course course(*posix, store, log, uri);
      course.open();
      course.set_retention(1000);
      course.tend();
      has_failed = store.failed();
      store.heal();
      const auto kept = course.partition().start_offset();
      ASSERT_NO_FATAL_FAILURE(expect_records(course.partition(), kept, kRecords, n));
      course.tend();
      ASSERT_EQ(course.partition().tier()->problem, "") << n;
      const auto start = course.partition().start_offset();
      ASSERT_GT(start, kRecords / 2);
      ASSERT_NO_FATAL_FAILURE(expect_records(course.partition(), start, kRecords, n));
      ASSERT_NO_FATAL_FAILURE(expect_no_strays(*folders, uri, course.partition(), n));
    }
  }
}

// The disk is lost, and coming back fails at any operation.
TEST(TieredFault, WhileComingBack) {
  const auto posix = make_posix_file_system();
  const auto folders = objects::make_folder_store(*posix);
  for (const bool is_of_files : {true, false}) {
    bool has_failed = true;
    for (int n = 1; has_failed; ++n) {
      ASSERT_LT(n, 1000);
      const TemporaryDirectory directory;
      const std::string uri = objects::file_uri(directory.path() + "/remote");
      const std::string log = directory.path() + "/log";
      int uploaded = 0;
      {
        Course before(*posix, *folders, log, uri);
        ASSERT_EQ(before.run(0), kRecords);
        before.open();
        uploaded = static_cast<int>(before.partition().tier()->uploaded_offset);
      }
      posix->remove_all(log);
      FaultyFileSystem files(*posix, is_of_files ? n : 0);
      objects::FaultyStore store(*folders, is_of_files ? 0 : n, objects::Fault::kAfter);
      {
        Course course(files, store, log, uri);
        try {
          course.open();
          course.partition().skip_to(kRecords);
        } catch (const Error& error) {
          ASSERT_EQ(error.kind(), ErrorKind::kUnavailable) << error.message();
        }
      }
      has_failed = files.failed() || store.failed();
      Course course(*posix, *folders, log, uri);
      course.open();
      course.partition().skip_to(kRecords);
      ASSERT_EQ(course.partition().append(batch_of({"after"})).base_offset, kRecords) << n;
      ASSERT_EQ(values_of(course.partition(), kRecords), std::vector<std::string>{"after"});
      const std::vector<Batch> last = course.partition().read(uploaded - 1, 1 << 20);
      ASSERT_EQ(last.front().base_offset(), uploaded - 1) << n;
      course.tend();
      ASSERT_EQ(course.partition().tier()->problem, "") << n;
    }
  }
}

}  // namespace
}  // namespace headrace::stream
