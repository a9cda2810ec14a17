#include "objects/testing/s3_server.h"

#include <filesystem>

#include <unistd.h>

#include "base/format.h"
#include "base/testing/output_of.h"

namespace headrace::objects {
namespace {

class OwnServer {
 public:
  OwnServer()
      : endpoint_(output_of(format("{} start {} {}", kScript, folder_.path(), kTestBucket))) {}
  ~OwnServer() { output_of(format("{} stop {}", kScript, folder_.path())); }
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;
  const std::string& endpoint() const { return endpoint_; }

 private:
  static constexpr const char* kScript = HEADRACE_SOURCE_DIR "/scripts/s3";
  TestFolder folder_;
  std::string endpoint_;
};

}  // namespace

TestFolder::TestFolder() {
  path_ = (std::filesystem::temp_directory_path() / "headrace-objects-XXXXXX").string();
  path_ = ::mkdtemp(path_.data());
}

TestFolder::~TestFolder() {
  std::error_code failure;
  std::filesystem::remove_all(path_, failure);
}

const std::string& test_s3_endpoint() {
  static const OwnServer server;
  return server.endpoint();
}

}  // namespace headrace::objects
