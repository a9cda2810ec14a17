#pragma once

// Structured logs: one JSON object a line on stderr or into a file, or coloured text on a terminal.
// Each entry has time, level, component, message and fields. Thread-safe; never throws.

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/format.h"

namespace headrace::telemetry {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  std::string path;  // empty: stderr
};

// Until it is called, entries of level info and above go to stderr as text. Throws Error
// unavailable when the file cannot be opened; the logs then stay as they were.
void configure_logs(const LogOptions& options);

// Whether entries of this level are written: ask before building costly fields.
bool is_log_enabled(LogLevel level);

struct LogField {
  template <class T>
  LogField(std::string_view field_name, const T& field_value)
      : name(field_name),
        value(format("{}", field_value)),
        is_literal(std::is_integral_v<T> && !std::is_same_v<T, char>) {}
  std::string_view name;
  std::string value;
  bool is_literal;  // a whole number or true/false: stands in JSON without quotes
};

// log(LogLevel::kInfo, "stream", "topic created", {{"topic", name}, {"partitions", 4}});
void log(LogLevel level, std::string_view component, std::string_view message,
         std::initializer_list<LogField> fields = {});

inline void log_debug(std::string_view component, std::string_view message,
                      std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kDebug, component, message, fields);
}
inline void log_info(std::string_view component, std::string_view message,
                     std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kInfo, component, message, fields);
}
inline void log_warning(std::string_view component, std::string_view message,
                        std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kWarning, component, message, fields);
}
inline void log_error(std::string_view component, std::string_view message,
                      std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kError, component, message, fields);
}

}  // namespace headrace::telemetry
