#include "app/program.h"

#include <csignal>
#include <filesystem>

#include "app/component_binding.h"
#include "app/instance.h"
#include "app/run_in_server.h"
#include "app/serve.h"
#include "app/server_file.h"
#include "app/version.h"
#include "base/error.h"
#include "project/new_project.h"
#include "project/reference.h"

namespace headrace::app {
namespace {

project::Project load(FileSystem& files, const std::string& directory) {
  config::Problems problems;
  project::Project project =
      project::load_project(files, directory, quick_component_types(), problems);
  problems.sort();
  problems.throw_if_errors("the project in " + directory);
  return project;
}

// A client that keeps the instance alive that answers it.
class LocalClient final : public http::Client {
 public:
  explicit LocalClient(std::unique_ptr<Instance> instance)
      : instance_(std::move(instance)), client_(http::make_local_client(instance_->handler())) {}

  http::Response stream(http::Request request, const OnData& on_data,
                        std::stop_token cancel) override {
    return client_->stream(std::move(request), on_data, std::move(cancel));
  }

 private:
  std::unique_ptr<Instance> instance_;
  std::unique_ptr<http::Client> client_;
};

class Program final : public cli::Host {
 public:
  Program() : files_(make_posix_file_system()) {}

  cli::Connection connect(const cli::ConnectOptions& options) override {
    if (!options.server_url.empty()) {
      auto client = http::make_http_client(options.server_url, options.token);
      http::throw_if_error(client->send(http::make_request("GET", "/healthz")));
      return {std::move(client), true, options.server_url};
    }
    project::Project project = load(*files_, options.project_dir);
    if (const auto url = running_server(*files_, project)) {
      const std::string token =
          options.token.empty() ? project.settings.server.token.reveal() : options.token;
      return {http::make_http_client(*url, token), true, *url};
    }
    telemetry::configure_logs({telemetry::LogLevel::kError, telemetry::LogFormat::kText, ""});
    const std::string state = std::filesystem::absolute(project.storage_path()).string();
    auto instance = std::make_unique<Instance>(std::move(project), Access::kReadOnly);
    return {std::make_unique<LocalClient>(std::move(instance)), false, state};
  }

  int serve(const cli::ServeOptions& options) override {
    project::Project project = load(*files_, options.project_dir);
    if (const auto url = running_server(*files_, project)) {
      fail(ErrorKind::kConflict,
           "serving the project in {}: a server runs for it already, at {}; it takes up changed "
           "files "
           "by itself",
           options.project_dir, *url);
    }
    return app::serve(*files_, std::move(project), options);
  }

  Json run_job(const cli::RunOptions& options) override {
    if (!options.server_url.empty()) {
      return run_in_server(*http::make_http_client(options.server_url, options.token), options);
    }
    project::Project project = load(*files_, options.project_dir);
    if (const auto url = running_server(*files_, project)) {
      const std::string token =
          options.token.empty() ? project.settings.server.token.reveal() : options.token;
      return run_in_server(*http::make_http_client(*url, token), options);
    }
    telemetry::configure_logs({telemetry::LogLevel::kWarning, telemetry::LogFormat::kText, ""});
    Instance instance(std::move(project), Access::kExclusive);
    return instance.run_job(options.job, options.stop, [&](const jobs::RunProgress& progress) {
      if (options.progress) {
        options.progress(
            {progress.records, progress.records + progress.lag, progress.dead_letters});
      }
    });
  }

  cli::CheckReport check(const std::string& project_dir) override {
    config::Problems problems;
    const project::Project project =
        project::load_project(*files_, project_dir, component_types(), problems);
    problems.sort();
    cli::CheckReport report;
    for (const config::Problem& problem : problems.all()) {
      const std::string message =
          problem.path.empty() ? problem.message : problem.path + ": " + problem.message;
      report.problems.push_back({problem.severity == config::Severity::kError, problem.file,
                                 problem.line, message, problem.suggestion});
    }
    const auto count = [](const auto& list) { return static_cast<int>(list.size()); };
    report.counts = {{"topics", count(project.topics)},
                     {"sources", count(project.sources)},
                     {"jobs", count(project.jobs)},
                     {"views", count(project.views)}};
    return report;
  }

  std::vector<std::string> init(const cli::InitOptions& options) override {
    std::string name = options.name;
    if (name.empty())
      name = std::filesystem::absolute(options.directory).lexically_normal().filename().string();
    if (name.empty())
      name = std::filesystem::absolute(options.directory).parent_path().filename().string();
    return project::write_new_project(*files_, options.directory, name);
  }

  std::vector<std::pair<std::string, std::string>> reference_pages() override {
    std::vector<std::pair<std::string, std::string>> pages;
    for (project::ReferencePage& page : project::reference_pages(component_types())) {
      pages.emplace_back(std::move(page.path), std::move(page.content));
    }
    return pages;
  }

  std::string version() override { return std::string(kVersion); }

 private:
  std::unique_ptr<FileSystem> files_;
};

}  // namespace

std::unique_ptr<cli::Host> make_host() { return std::make_unique<Program>(); }

}  // namespace headrace::app
