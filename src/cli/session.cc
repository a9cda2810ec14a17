#include "cli/session.h"

#include <filesystem>

#include "base/error.h"

namespace headrace::cli {

std::string find_project(const std::string& start) {
  std::error_code ignored;
  std::filesystem::path directory = std::filesystem::absolute(start, ignored);
  while (!directory.empty()) {
    if (std::filesystem::exists(directory / "headrace.yaml", ignored)) return directory.string();
    if (directory == directory.parent_path()) break;
    directory = directory.parent_path();
  }
  return "";
}

std::string Session::project_dir() const {
  if (!globals_.project.empty()) {
    std::error_code ignored;
    if (!std::filesystem::exists(std::filesystem::path(globals_.project) / "headrace.yaml",
                                 ignored)) {
      fail(ErrorKind::kNotFound,
           "opening the project {}: there is no headrace.yaml; make one with: headrace init {}",
           globals_.project, globals_.project);
    }
    return globals_.project;
  }
  const std::string found = find_project(".");
  if (found.empty()) {
    fail(ErrorKind::kNotFound,
         "no headrace.yaml here or in a folder above; make a project with: headrace init, or name "
         "one with --project DIR, or a server with --server URL");
  }
  return found;
}

Service Session::connect() {
  ConnectOptions options;
  options.server_url = globals_.server;
  options.token = globals_.token;
  // With a server named, a project is welcome (it may hold the token) but not needed.
  options.project_dir =
      globals_.server.empty() || !globals_.project.empty() ? project_dir() : find_project(".");
  return Service(host_.connect(options));
}

void Session::show(const Json& document, const std::function<void()>& print) {
  if (globals_.json) {
    console_.out(console_.out_is_terminal() ? to_pretty_text(document) : to_text(document) + "\n");
  } else {
    print();
  }
}

void Session::note(std::string_view text) {
  if (!globals_.quiet && !globals_.json) console_.err(std::string(text) + "\n");
}

Layout Session::layout() const {
  Layout layout;
  layout.width = console_.width();
  layout.has_color = console_.has_color();
  return layout;
}

}  // namespace headrace::cli
