#pragma once

// A real S3 server (versitygw) for tests, started once for the test program by scripts/s3.

#include <string>

namespace headrace::objects {

// http://127.0.0.1:…; empty when the server is not installed (scripts/setup s3 builds it).
const std::string& test_s3_endpoint();

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

}  // namespace headrace::objects
