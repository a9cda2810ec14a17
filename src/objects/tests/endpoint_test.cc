// The ways to a bucket: its name in the path or in the host, plain and by TLS, against a real
// server.

#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "http/connections.h"
#include "objects/s3_store.h"
#include "objects/testing/s3_server.h"

namespace headrace::objects {
namespace {

using ::testing::HasSubstr;

class EndpointTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (server_.endpoint().empty()) GTEST_SKIP() << "versitygw is not built: scripts/setup s3";
  }

  std::unique_ptr<S3Store> store(http::Connections& connections, AddressStyle style) {
    S3Options options;
    options.endpoint = server_.local_endpoint();
    options.region = "us-east-1";
    options.access_key_id = kTestKey;
    options.secret_access_key = kTestSecret;
    options.address_style = style;
    options.part_bytes = 5 * 1024 * 1024;
    options.max_attempts = 3;
    return make_s3_store({connections, *files_, clock_, random_, *metrics_,
                          [](const std::string&) { return std::nullopt; }},
                         options);
  }
  std::unique_ptr<http::Connections> trusting() {
    return http::make_connections({.ca_file = GetParam() ? server_.certificate() : ""});
  }

  TestS3Server server_{GetParam()};
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  SystemClock clock_;
  SeededRandom random_{1};
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
};

TEST_P(EndpointTest, TakesTheBucketInThePathAndInTheHost) {
  const auto connections = trusting();
  const TestFolder folder;
  const std::string large(11 * 1024 * 1024, 'x');  // three parts
  files_->write_new(folder.path() + "/large", large);
  std::set<std::string> expected;
  for (const AddressStyle style : {AddressStyle::kPath, AddressStyle::kVirtual}) {
    const auto own = store(*connections, style);
    EXPECT_EQ(own->access().path_style, style == AddressStyle::kPath);
    own->check_bucket("s3://lake/a b");
    const std::string base =
        style == AddressStyle::kPath ? "s3://lake/a b/path" : "s3://lake/a b/host";
    own->put(base + "/key+1=ä", "content");
    EXPECT_EQ(own->get_range(base + "/key+1=ä", 3, 4).bytes, "tent");
    own->upload(folder.path() + "/large", base + "/large");
    EXPECT_EQ(own->head(base + "/large").size_bytes, large.size());
    expected.insert({base + "/key+1=ä", base + "/large"});
    std::set<std::string> listed;
    own->list("s3://lake/a b", [&](const ObjectInfo& object) { listed.insert(object.uri); });
    EXPECT_EQ(listed, expected);
  }
  const auto own = store(*connections, AddressStyle::kVirtual);
  own->remove(std::vector(expected.begin(), expected.end()));
  EXPECT_TRUE(own->is_empty("s3://lake/a b"));
}

TEST_P(EndpointTest, SaysWhenItIsNotTrusted) {
  if (!GetParam()) return;
  const auto message = [&](const std::string& ca_file) -> std::string {
    const auto connections = http::make_connections({.ca_file = ca_file});
    try {
      store(*connections, AddressStyle::kPath)->check_bucket("s3://lake/x");
    } catch (const Error& error) {
      return error.message();
    }
    return "nothing was thrown";
  };
  EXPECT_THAT(message(""), HasSubstr("is not trusted: it is for another host, has expired, or its "
                                     "authority is none of the system's"));
  EXPECT_THAT(message("/not/there.pem"),
              HasSubstr("there are no certificates of authorities to be read in /not/there.pem"));
  EXPECT_EQ(message(server_.certificate()), "nothing was thrown");
}

std::string scheme_of(const ::testing::TestParamInfo<bool>& test) {
  return test.param ? "Tls" : "Plain";
}

INSTANTIATE_TEST_SUITE_P(Endpoints, EndpointTest, ::testing::Bool(), scheme_of);

}  // namespace
}  // namespace headrace::objects
