#include "app/server_file.h"

#include <filesystem>

#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "http/client.h"

namespace headrace::app {
namespace {

std::string path_in(const project::Project& project) {
  return (std::filesystem::path(project.storage_path()) / "server.json").string();
}

}  // namespace

ServerFile::ServerFile(FileSystem& files, const project::Project& project, const std::string& url)
    : files_(files), path_(path_in(project)) {
  files_.write_atomically(path_, to_pretty_text(JsonObject{{"url", url}, {"pid", ::getpid()}}));
}

ServerFile::~ServerFile() {
  try {
    files_.remove(path_);
  } catch (const std::exception&) {
    // A stale file is noticed: nobody answers there.
  }
}

std::optional<std::string> running_server(FileSystem& files, const project::Project& project) {
  const std::string path = path_in(project);
  if (!files.exists(path)) return std::nullopt;
  try {
    const std::string url = string_member(parse_json(files.read(path), path), "url");
    http::ClientOptions options;
    options.connect_timeout = milliseconds(1000);
    options.timeout = milliseconds(3000);
    const auto client = http::make_http_client(url, "", options);
    const http::Response response = client->send(http::make_request("GET", "/healthz"));
    return response.status == 200 ? std::optional(url) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace headrace::app
