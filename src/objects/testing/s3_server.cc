#include "objects/testing/s3_server.h"

#include <filesystem>

#include <unistd.h>

#include "base/format.h"
#include "base/testing/output_of.h"

namespace headrace::objects {
namespace {

constexpr const char* kServerScript = HEADRACE_SOURCE_DIR "/scripts/s3";

}  // namespace

TestFolder::TestFolder() {
  path_ = (std::filesystem::temp_directory_path() / "headrace-objects-XXXXXX").string();
  path_ = ::mkdtemp(path_.data());
}

TestFolder::~TestFolder() {
  std::error_code failure;
  std::filesystem::remove_all(path_, failure);
}

TestS3Server::TestS3Server(bool has_tls)
    : endpoint_(output_of(format("{} {} start {} {}", has_tls ? "HEADRACE_S3_TLS=1" : "",
                                 kServerScript, folder_.path(), kTestBucket))) {}

TestS3Server::~TestS3Server() { output_of(format("{} stop {}", kServerScript, folder_.path())); }

const std::string& test_s3_endpoint() {
  static const TestS3Server server(false);
  return server.endpoint();
}

}  // namespace headrace::objects
