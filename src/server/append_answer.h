#pragma once

// Waits, without a thread, for all appends of one request and then answers it.

#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/handler.h"
#include "stream/log.h"

namespace headrace::server {

class AppendAnswer {
 public:
  AppendAnswer(std::string topic, http::Responder respond);

  // One call for each append, from any thread. The answer goes out when `close` was called and
  // every append that expect() announced has its result.
  void expect();
  void done(int partition, const stream::AppendResult* result, const std::exception_ptr& error);
  // An append was refused before it was queued: the queue is full, the client is to slow down.
  void refuse(const std::exception_ptr& error);
  void close();

 private:
  struct Appended {
    int partition;
    stream::AppendResult result;
  };
  void settle(std::unique_lock<std::mutex> lock);
  http::Response response();

  const std::string topic_;
  const http::Responder respond_;
  std::mutex mutex_;
  size_t missing_ = 1;  // the appends, and close()
  bool refused_ = false;
  std::exception_ptr error_;
  std::vector<Appended> appended_;
};

}  // namespace headrace::server
