#pragma once

// A topic's configuration while others read it, and its form in topic.json. Private to this module.

#include <mutex>
#include <string>
#include <string_view>

#include "stream/log.h"

namespace headrace::stream {

class TopicSettings {
 public:
  explicit TopicSettings(const TopicConfig& config) : config_(config) {}
  TopicConfig get() const {
    std::lock_guard lock(mutex_);
    return config_;
  }
  void set(const TopicConfig& config) {
    std::lock_guard lock(mutex_);
    config_ = config;
  }

 private:
  mutable std::mutex mutex_;
  TopicConfig config_;
};

// Throws invalid, naming the setting.
void check_topic_config(const TopicConfig& config);
// As Kafka: 1–249 of [a-zA-Z0-9._-], not "." or "..". Throws invalid.
void check_topic_name(const std::string& name);

std::string to_json_text(const TopicConfig& config);
TopicConfig parse_topic_config(std::string_view text);  // invalid

}  // namespace headrace::stream
