#include "telemetry/log.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "base/error.h"
#include "telemetry/log_line.h"

namespace headrace::telemetry {
namespace {

// The line's time and level are spdlog's, the rest is the payload made in log_line.cc.
constexpr const char* kTextPattern = "%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})";

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Where entries go; replaced as a whole by configure_logs.
struct Output {
  LogFormat format = LogFormat::kText;
  std::shared_ptr<spdlog::logger> logger;
};

std::shared_ptr<const Output> make_output(const LogOptions& options) {
  spdlog::sink_ptr sink;
  if (options.path.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.path);
  }
  auto output = std::make_shared<Output>();
  output->format = options.format;
  output->logger = std::make_shared<spdlog::logger>("headrace", std::move(sink));
  const bool json = options.format == LogFormat::kJson;
  output->logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      json ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc));
  output->logger->set_level(spdlog::level::trace);
  output->logger->flush_on(spdlog::level::trace);
  return output;
}

class Current {
 public:
  std::shared_ptr<const Output> get() {
    std::lock_guard lock(mutex_);
    if (output_ == nullptr) output_ = make_output({});
    return output_;
  }
  void set(std::shared_ptr<const Output> output) {
    std::lock_guard lock(mutex_);
    output_ = std::move(output);
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const Output> output_;
};

Current& current() {
  // Never destroyed: threads may log while the process ends.
  static Current* const instance = new Current;
  return *instance;
}

std::atomic<LogLevel> lowest_level = LogLevel::kInfo;

}  // namespace

void configure_logs(const LogOptions& options) {
  try {
    current().set(make_output(options));
  } catch (const std::exception& error) {
    fail(ErrorKind::kUnavailable, "opening the log file '{}': {}", options.path, error.what());
  }
  lowest_level = options.level;
}

bool is_log_enabled(LogLevel level) {
  return level >= lowest_level.load(std::memory_order_relaxed);
}

void log(LogLevel level, std::string_view component, std::string_view message,
         std::initializer_list<LogField> fields) {
  if (!is_log_enabled(level)) return;
  try {
    const auto output = current().get();
    const std::string line = output->format == LogFormat::kJson
                                 ? json_log_line(component, message, fields)
                                 : text_log_line(component, message, fields);
    output->logger->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
  } catch (const std::exception&) {
    // A log that cannot be written must not stop what is being logged.
  }
}

}  // namespace headrace::telemetry
