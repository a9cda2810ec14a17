#pragma once

// How an entry is written after its time and level.

#include <initializer_list>
#include <string>
#include <string_view>

#include "telemetry/log.h"

namespace headrace::telemetry {

// stream: topic created topic=orders partitions=4
std::string text_log_line(std::string_view component, std::string_view message,
                          std::initializer_list<LogField> fields);

// "component":"stream","message":"topic created","topic":"orders","partitions":4
// Always valid UTF-8: other bytes become U+FFFD.
std::string json_log_line(std::string_view component, std::string_view message,
                          std::initializer_list<LogField> fields);

}  // namespace headrace::telemetry
