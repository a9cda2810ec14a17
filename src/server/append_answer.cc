#include "server/append_answer.h"

#include <algorithm>
#include <utility>

namespace headrace::server {

AppendAnswer::AppendAnswer(std::string topic, http::Responder respond)
    : topic_(std::move(topic)), respond_(std::move(respond)) {}

void AppendAnswer::expect() {
  std::lock_guard lock(mutex_);
  ++missing_;
}

void AppendAnswer::done(int partition, const stream::AppendResult* result,
                        const std::exception_ptr& error) {
  std::unique_lock lock(mutex_);
  if (result != nullptr) {
    appended_.push_back({partition, *result});
  } else if (error_ == nullptr) {
    error_ = error;
  }
  settle(std::move(lock));
}

void AppendAnswer::refuse(const std::exception_ptr& error) {
  std::unique_lock lock(mutex_);
  refused_ = true;
  if (error_ == nullptr) error_ = error;
  settle(std::move(lock));
}

void AppendAnswer::close() { settle(std::unique_lock(mutex_)); }

void AppendAnswer::settle(std::unique_lock<std::mutex> lock) {
  if (--missing_ > 0) return;
  http::Response answer = response();
  lock.unlock();
  respond_(std::move(answer));
}

http::Response AppendAnswer::response() {
  if (error_ != nullptr) {
    http::Response answer = http::error_response(error_);
    if (!refused_ || answer.status != 503) return answer;
    try {
      std::rethrow_exception(error_);
    } catch (const std::exception& error) {
      answer = http::error_response(429, "unavailable", error.what());
    }
    answer.headers.set("Retry-After", "1");
    return answer;
  }
  std::sort(appended_.begin(), appended_.end(), [](const Appended& a, const Appended& b) {
    return std::pair(a.partition, a.result.base_offset) <
           std::pair(b.partition, b.result.base_offset);
  });
  int64_t records = 0;
  bool duplicate = true;
  JsonArray partitions;
  for (const auto& [partition, result] : appended_) {
    records += result.last_offset - result.base_offset + 1;
    duplicate = duplicate && result.duplicate;
    if (!partitions.empty() && integer_member(partitions.back(), "partition") == partition) {
      partitions.back().as_object()["last_offset"] = result.last_offset;
      continue;
    }
    partitions.push_back(JsonObject{{"partition", partition},
                                    {"first_offset", result.base_offset},
                                    {"last_offset", result.last_offset}});
  }
  return http::json_response(200, JsonObject{{"topic", topic_},
                                             {"records", records},
                                             {"duplicate", duplicate},
                                             {"partitions", std::move(partitions)}});
}

}  // namespace headrace::server
