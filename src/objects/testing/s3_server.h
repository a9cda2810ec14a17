#pragma once

// A real S3 server (versitygw) for tests, started once for the test program by scripts/s3.

#include <string>

namespace headrace::objects {

inline constexpr const char* kTestBucket = "lake";
inline constexpr const char* kTestKey = "test-key";
inline constexpr const char* kTestSecret = "test-secret";

// A folder that goes with its object.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A server of a test's own.
class TestS3Server {
 public:
  explicit TestS3Server(bool has_tls);
  ~TestS3Server();
  TestS3Server(const TestS3Server&) = delete;
  TestS3Server& operator=(const TestS3Server&) = delete;
  // http(s)://127.0.0.1:…, and the same at localhost, where buckets may stand in the host; empty
  // when the server is not installed (scripts/setup s3 builds it).
  const std::string& endpoint() const { return endpoint_; }
  std::string local_endpoint() const {
    std::string endpoint = endpoint_;
    return endpoint.replace(endpoint.find("127.0.0.1"), 9, "localhost");
  }
  std::string certificate() const { return folder_.path() + "/certificate.pem"; }

 private:
  TestFolder folder_;
  std::string endpoint_;
};

// That of a server which all tests of the program share.
const std::string& test_s3_endpoint();

}  // namespace headrace::objects
