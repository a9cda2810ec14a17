#include "server/tail.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <limits>
#include <utility>

#include "server/topic_json.h"

namespace headrace::server {
namespace {

constexpr int64_t kMaxRecords = 10'000;
constexpr int64_t kMaxWaitMs = 60'000;
constexpr size_t kMaxReadBytes = 4 * 1024 * 1024;
constexpr size_t kMaxWaiting = 1'000;
// How often those who wait are looked after; a person or a dashboard is at the other end.
constexpr std::chrono::milliseconds kLookInterval{10};

stream::Offset read_offset(const http::Request& request, const stream::Partition& partition) {
  const auto text = request.query_parameter("offset").value_or("earliest");
  if (text == "earliest") return partition.start_offset();
  if (text == "latest") return partition.end_offset();
  const auto offset =
      request.integer_parameter("offset", 0, 0, std::numeric_limits<int64_t>::max());
  if (offset > partition.end_offset()) {
    fail(ErrorKind::kInvalid, "the offset {} is past the end of the partition, which is {}", offset,
         partition.end_offset());
  }
  return offset;
}

}  // namespace

Tail::~Tail() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Tail::Query Tail::read_query(const http::Request& request) const {
  const stream::Topic& topic = log_.topic(request.path_parameter("topic"));
  const auto index = static_cast<int>(
      request.integer_parameter("partition", 0, 0, std::numeric_limits<int>::max()));
  const stream::Partition& partition = topic.partition(index);
  return {&partition, index, read_offset(request, partition),
          request.integer_parameter("limit", 100, 1, kMaxRecords)};
}

void Tail::handle(const http::Request& request, const http::Responder& respond) {
  const stream::Topic& topic = log_.topic(request.path_parameter("topic"));
  if (topic.config().tiered_storage.uri.empty()) return handle_now(request, respond);
  const bool is_admitted = pool_.try_submit([this, request, respond] {
    try {
      handle_now(request, respond);
    } catch (...) {
      respond.fail(std::current_exception());
    }
  });
  if (!is_admitted) {
    fail(ErrorKind::kUnavailable, "too many requests wait for a worker: try again in a moment");
  }
}

void Tail::handle_now(const http::Request& request, const http::Responder& respond) {
  const Query query = read_query(request);
  const int64_t wait_ms = request.integer_parameter("wait_ms", 0, 0, kMaxWaitMs);
  if (wait_ms == 0 || query.partition->end_offset() > query.from) return answer(query, respond);
  wait({query, std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms),
        request.cancelled, respond});
}

http::Response Tail::read(const Query& query) {
  std::string lines;
  int64_t left = query.limit;
  stream::Offset from = query.from;
  std::vector<stream::RecordView> records;
  while (left > 0 && lines.size() < kMaxReadBytes) {
    const auto batches = query.partition->read(from, kMaxReadBytes);
    if (batches.empty()) break;
    for (const stream::Batch& batch : batches) {
      batch.records(records);
      for (const stream::RecordView& record : records) {
        if (record.offset < from || left == 0) continue;
        append_record_line(lines, query.partition_index, record);
        --left;
      }
      from = batch.last_offset() + 1;
      if (left == 0 || lines.size() >= kMaxReadBytes) break;
    }
  }
  return http::text_response(200, std::move(lines), "application/x-ndjson");
}

void Tail::answer(const Query& query, const http::Responder& respond) {
  try {
    respond(read(query));
  } catch (...) {
    respond.fail(std::current_exception());
  }
}

void Tail::wait(Waiting waiting) {
  std::lock_guard lock(mutex_);
  if (stopped_ || waiting_.size() >= kMaxWaiting) {
    return waiting.respond(http::error_response(
        Error(ErrorKind::kUnavailable, "too many requests wait for records: try again")));
  }
  waiting_.push_back(std::move(waiting));
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

// The caller holds the lock.
std::list<Tail::Waiting> Tail::take_ready(bool all) {
  const auto now = std::chrono::steady_clock::now();
  std::list<Waiting> ready;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto here = it++;
    if (all || here->cancelled.stop_requested() || here->deadline <= now ||
        here->query.partition->end_offset() > here->query.from) {
      ready.splice(ready.end(), waiting_, here);
    }
  }
  return ready;
}

void Tail::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopped_ || !waiting_.empty(); });
    std::list<Waiting> ready = take_ready(stopped_);
    if (stopped_ && ready.empty()) return;
    lock.unlock();
    for (const Waiting& waiting : ready) answer(waiting.query, waiting.respond);
    ready.clear();
    lock.lock();
    if (!stopped_) changed_.wait_for(lock, kLookInterval, [&] { return stopped_; });
  }
}

}  // namespace headrace::server
