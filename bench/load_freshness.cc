// Sends click events at a steady pace and looks when they are visible to SQL:
//   load_freshness PORT TOPIC TABLE EVENTS_PER_S SECONDS
// One connection sends a batch every 10 ms; another asks for count(*) of the table every 2 ms.
// An event is visible when the count reaches its place among the acknowledged ones; the count
// starts from what is there at the beginning. Prints one JSON object: events, percentiles of the
// time from acknowledgement to visible, the pace that was reached, and the time of a query.

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "click_events.h"
#include "load_connection.h"

namespace headrace::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::chrono::milliseconds kPace{10};
constexpr std::chrono::milliseconds kPause{2};
constexpr std::chrono::seconds kPatience{60};

// That `events` were acknowledged, or visible, at an instant.
struct Mark {
  int64_t events;
  Clock::time_point at;
};

class Marks {
 public:
  void add(int64_t events) {
    const std::lock_guard lock(mutex_);
    marks_.push_back({events, Clock::now()});
  }
  // Only once nobody adds any more.
  const std::vector<Mark>& all() const { return marks_; }

 private:
  std::mutex mutex_;
  std::vector<Mark> marks_;
};

std::vector<Mark> send_at_pace(int port, const std::string& topic, int64_t events_per_s,
                               int64_t seconds) {
  const int64_t batch = events_per_s * kPace.count() / 1000;
  const int64_t batches = events_per_s * seconds / batch;
  ClickEvents source(batch * batches, 0.0);
  std::vector<std::string> bodies(static_cast<size_t>(batches));
  for (std::string& body : bodies) {
    for (int64_t i = 0; i < batch; ++i) source.append_next(body);
  }

  LoadConnection connection(port);
  const std::string path = "/v1/topics/" + topic + "/records";
  Marks acknowledged;
  Clock::time_point due = Clock::now();
  int64_t sent = 0;
  for (const std::string& body : bodies) {
    std::this_thread::sleep_until(due);
    due += kPace;
    const int status =
        connection.exchange(post_head(path, "application/x-ndjson", body.size()), body);
    if (status != 200) end_with("a batch was answered " + std::to_string(status));
    acknowledged.add(sent += batch);
  }
  return acknowledged.all();
}

// The first number of the first row of a JSON answer: …"rows":[[N]]…
int64_t counted(std::string_view answer) {
  constexpr std::string_view kRows = "\"rows\":[[";
  const size_t at = answer.find(kRows);
  int64_t count = -1;
  if (at != std::string_view::npos) {
    const char* begin = answer.data() + at + kRows.size();
    std::from_chars(begin, answer.data() + answer.size(), count);
  }
  if (count < 0) end_with("the query was answered: " + std::string(answer.substr(0, 500)));
  return count;
}

class Counter {
 public:
  Counter(int port, const std::string& table)
      : connection_(port), body_(R"({"sql":"SELECT count(*) FROM )" + table + "\"}") {
    head_ = post_head("/v1/query", "application/json", body_.size());
  }

  int64_t count() {
    connection_.exchange(head_, body_);
    return counted(connection_.answer());
  }

 private:
  LoadConnection connection_;
  std::string body_;
  std::string head_;
};

// Counts until `wanted` events are visible.
std::vector<Mark> watch(Counter& counter, int64_t start, const std::atomic<int64_t>& wanted,
                        int64_t& queries) {
  Marks visible;
  Clock::time_point last_change = Clock::now();
  int64_t seen = 0;
  while (wanted < 0 || seen < wanted) {
    std::this_thread::sleep_for(kPause);
    const int64_t now = counter.count() - start;
    ++queries;
    if (now != seen) {
      visible.add(seen = now);
      last_change = Clock::now();
    } else if (Clock::now() - last_change > kPatience) {
      end_with("nothing new became visible for a minute, at " + std::to_string(seen) + " events");
    }
  }
  return visible.all();
}

// Each acknowledged batch waits for the first count that covers its last event.
std::vector<double> waits_ms(const std::vector<Mark>& acknowledged,
                             const std::vector<Mark>& visible) {
  std::vector<double> waits;
  size_t next = 0;
  for (const Mark& batch : acknowledged) {
    while (visible[next].events < batch.events) ++next;
    waits.push_back(std::max(0.0, Milliseconds(visible[next].at - batch.at).count()));
  }
  std::sort(waits.begin(), waits.end());
  return waits;
}

double percentile(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<size_t>(static_cast<double>(sorted.size() - 1) * share)];
}

void run(int port, const std::string& topic, const std::string& table, int64_t events_per_s,
         int64_t seconds) {
  Counter counter(port, table);
  const int64_t start = counter.count();
  std::atomic<int64_t> wanted = -1;
  int64_t queries = 0;
  std::vector<Mark> visible;
  const Clock::time_point begin = Clock::now();
  std::jthread watcher([&] { visible = watch(counter, start, wanted, queries); });
  const std::vector<Mark> acknowledged = send_at_pace(port, topic, events_per_s, seconds);
  const Milliseconds sending = acknowledged.back().at - acknowledged.front().at;
  wanted = acknowledged.back().events;
  watcher.join();

  const Milliseconds watching = visible.back().at - begin;
  const std::vector<double> waits = waits_ms(acknowledged, visible);
  const double pace =
      static_cast<double>(acknowledged.back().events - acknowledged.front().events) /
      sending.count() * 1000;
  std::printf(
      "{\"events\":%lld,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f,"
      "\"events_per_s\":%.0f,\"query_ms\":%.2f}\n",
      static_cast<long long>(acknowledged.back().events), percentile(waits, 0.5),
      percentile(waits, 0.99), waits.back(), pace, watching.count() / static_cast<double>(queries));
}

}  // namespace
}  // namespace headrace::bench

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: %s PORT TOPIC TABLE EVENTS_PER_S SECONDS\n", argv[0]);
    return 64;
  }
  headrace::bench::run(std::atoi(argv[1]), argv[2], argv[3], std::strtoll(argv[4], nullptr, 10),
                       std::strtoll(argv[5], nullptr, 10));
  return 0;
}
