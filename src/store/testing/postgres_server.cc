#include "store/testing/postgres_server.h"

#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include "base/format.h"
#include "base/random.h"
#include "base/testing/output_of.h"

namespace headrace::store {
namespace {

class OwnServer {
 public:
  OwnServer() : process_(::getpid()) {
    if (const char* given = std::getenv("HEADRACE_TEST_POSTGRES")) {
      url_ = given;
      return;
    }
    std::string name =
        (std::filesystem::temp_directory_path() / "headrace-postgres-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    url_ = output_of(format("{} start {}", kScript, folder_));
  }
  ~OwnServer() {
    // A child made by fork() leaves it to its parent.
    if (!folder_.empty() && process_ == ::getpid()) {
      output_of(format("{} stop {}", kScript, folder_));
    }
  }
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;
  const std::string& url() const { return url_; }

 private:
  static constexpr const char* kScript = HEADRACE_SOURCE_DIR "/scripts/postgres";
  const pid_t process_;
  std::string folder_;
  std::string url_;
};

}  // namespace

const std::string& test_postgres_url() {
  static const OwnServer server;
  return server.url();
}

std::string fresh_schema() {
  SeededRandom random;
  return "test " + make_uuid(random);
}

}  // namespace headrace::store
