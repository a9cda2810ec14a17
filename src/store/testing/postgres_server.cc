#include "store/testing/postgres_server.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include "base/format.h"
#include "base/random.h"

namespace headrace::store {
namespace {

// What a command prints, without the end of the line; empty when it fails.
std::string output_of(const std::string& command) {
  std::FILE* pipe =
      ::popen(command.c_str(), "r");  // NOLINT(bugprone-command-processor): our script
  if (pipe == nullptr) return "";
  std::string text;
  std::array<char, 256> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) text += buffer.data();
  if (::pclose(pipe) != 0) return "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

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
