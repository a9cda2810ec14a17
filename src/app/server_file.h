#pragma once

// server.json in a project's state folder tells other commands where its server answers.

#include <optional>
#include <string>

#include "base/file_system.h"
#include "project/project.h"

namespace headrace::app {

// Present while the object lives.
class ServerFile {
 public:
  ServerFile(FileSystem& files, const project::Project& project, const std::string& url);
  ~ServerFile();
  ServerFile(const ServerFile&) = delete;
  ServerFile& operator=(const ServerFile&) = delete;

 private:
  FileSystem& files_;
  std::string path_;
};

// The address of the project's server; nullopt when none answers (the file may be a killed
// server's).
std::optional<std::string> running_server(FileSystem& files, const project::Project& project);

}  // namespace headrace::app
