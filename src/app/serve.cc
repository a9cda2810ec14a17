#include "app/serve.h"

#include <charconv>
#include <csignal>

#include "app/component_binding.h"
#include "app/instance.h"
#include "app/server_file.h"
#include "app/version.h"
#include "base/error.h"
#include "http/server.h"
#include "iceberg_rest/iceberg_routes.h"
#include "project/difference.h"
#include "project/project_files.h"
#include "telemetry/log.h"

namespace headrace::app {
namespace {

constexpr milliseconds kLookInterval{1000};
constexpr milliseconds kStartPatience{1000};

// Blocks the signals that end the server in all threads made from now on; wait() takes one.
class EndSignals {
 public:
  EndSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  ~EndSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;

  bool wait(milliseconds timeout) const {
    const timespec time{timeout.count() / 1000, (timeout.count() % 1000) * 1'000'000};
    return sigtimedwait(&signals_, nullptr, &time) > 0;
  }

 private:
  sigset_t signals_;
  sigset_t before_;
};

void configure(const project::Project& project, const cli::ServeOptions& options) {
  telemetry::LogOptions logs;
  logs.level = to_log_level(project.settings.log.level);
  if (!options.log_level.empty()) {
    for (const auto& choice : project::choices_of(project::LogLevel())) {
      if (choice.name == options.log_level) logs.level = to_log_level(choice.value);
    }
  }
  const bool is_json =
      options.json_logs || project.settings.log.format == project::LogFormat::kJson;
  logs.format = is_json ? telemetry::LogFormat::kJson : telemetry::LogFormat::kText;
  telemetry::configure_logs(logs);
}

// The project's address, or what the command line says instead.
project::ListenAddress listen_address(const project::Project& project,
                                      const cli::ServeOptions& options) {
  project::ListenAddress listen = project.settings.server.listen;
  if (!options.listen.empty()) {
    const size_t colon = options.listen.rfind(':');
    const std::string port = colon == std::string::npos ? "" : options.listen.substr(colon + 1);
    const auto [end, failure] =
        std::from_chars(port.data(), port.data() + port.size(), listen.port);
    if (failure != std::errc() || end != port.data() + port.size() || listen.port < 0 ||
        listen.port > 65535) {
      fail(ErrorKind::kInvalid, "--listen {}: write host:port, for example 127.0.0.1:8642",
           options.listen);
    }
    listen.host = options.listen.substr(0, colon);
  }
  return listen;
}

http::ServerOptions server_options(const project::Project& project,
                                   const project::ListenAddress& listen) {
  http::ServerOptions server;
  server.address = listen.host;
  server.port = static_cast<uint16_t>(listen.port);
  server.token = project.settings.server.token.reveal();
  server.open_paths.emplace_back(iceberg_rest::kTokenPath);
  server.max_connections = static_cast<int>(project.settings.server.max_connections);
  server.max_body_bytes = static_cast<uint64_t>(project.settings.server.max_body_bytes.count);
  return server;
}

// Takes up the project's files when they have changed.
void take_up_changes(FileSystem& files, project::ProjectFiles& known, Instance& instance) {
  try {
    if (!known.changed()) return;
    config::Problems problems;
    project::Project fresh =
        project::load_project(files, instance.project().directory, component_types(), problems);
    if (problems.has_errors()) {
      problems.sort();
      instance.report_broken_project(problems.to_text());
      return;
    }
    const project::Difference difference = project::compare(instance.project(), fresh);
    if (!difference.empty()) instance.apply(std::move(fresh), difference);
  } catch (const std::exception& error) {
    instance.report_broken_project(error.what());
  }
}

}  // namespace

int serve(FileSystem& files, project::Project project, const cli::ServeOptions& options) {
  configure(project, options);
  const EndSignals signals;
  project::ProjectFiles known(files, project.directory);
  known.changed();
  const project::ListenAddress listen = listen_address(project, options);
  const http::ServerOptions http_options = server_options(project, listen);
  const query::FileAccess query_files =
      to_file_access(project.settings.server.query_file_access, listen);
  Instance instance(std::move(project), Access::kExclusive, query_files);
  instance.start();
  instance.wait_until_started(kStartPatience);
  http::Server server(http_options, instance.handler(), instance.workers(), instance.metrics());
  server.start();
  const ServerFile file(files, instance.project(), server.url());
  telemetry::log_info("app", "headrace answers",
                      {{"url", server.url()},
                       {"project", instance.project().settings.name},
                       {"version", kVersion}});
  while (!signals.wait(kLookInterval)) take_up_changes(files, known, instance);
  telemetry::log_info("app", "stopping; hot rows are committed first");
  server.stop();
  instance.stop();
  telemetry::log_info("app", "stopped");
  return 0;
}

}  // namespace headrace::app
