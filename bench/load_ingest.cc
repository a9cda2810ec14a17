// Sends click events to a topic as fast as it acknowledges them:
//   load_ingest PORT TOPIC CLIENTS EVENTS BATCH
// Each client keeps one connection and sends batches that were built before the clock starts.
// Prints one JSON object: events, bytes, seconds, and the percentiles of the time to
// acknowledgement.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "click_events.h"
#include "load_connection.h"

namespace headrace::bench {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::vector<std::string> build_batches(int64_t events, int64_t batch) {
  ClickEvents source(events, 0.0);
  std::vector<std::string> batches;
  for (int64_t done = 0; done < events; done += batch) {
    std::string& body = batches.emplace_back();
    for (int64_t i = 0; i < std::min(batch, events - done); ++i) source.append_next(body);
  }
  return batches;
}

// Client number `client` of `clients` sends every clients-th batch; returns the time of each in ms.
std::vector<double> send_share(int port, const std::string& path, size_t client, size_t clients,
                               const std::vector<std::string>& batches) {
  LoadConnection connection(port);
  std::vector<double> times_ms;
  for (size_t i = client; i < batches.size(); i += clients) {
    const std::string head = post_head(path, "application/x-ndjson", batches[i].size());
    const Clock::time_point begin = Clock::now();
    int status = connection.exchange(head, batches[i]);
    while (status == 429) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      status = connection.exchange(head, batches[i]);
    }
    if (status != 200) {
      end_with("a batch was answered " + std::to_string(status) + ": " +
               std::string(connection.answer()));
    }
    times_ms.push_back(milliseconds_since(begin));
  }
  return times_ms;
}

double percentile(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<size_t>(static_cast<double>(sorted.size() - 1) * share)];
}

void run(int port, const std::string& topic, size_t clients, int64_t events, int64_t batch) {
  const std::vector<std::string> batches = build_batches(events, batch);
  size_t bytes = 0;
  for (const std::string& body : batches) bytes += body.size();

  std::vector<std::vector<double>> times(clients);
  const Clock::time_point begin = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (size_t client = 0; client < clients; ++client) {
      threads.emplace_back([&, client] {
        times[client] =
            send_share(port, "/v1/topics/" + topic + "/records", client, clients, batches);
      });
    }
  }
  const double seconds = milliseconds_since(begin) / 1000;

  std::vector<double> all;
  for (const auto& some : times) all.insert(all.end(), some.begin(), some.end());
  std::sort(all.begin(), all.end());
  std::printf("{\"events\":%lld,\"bytes\":%zu,\"seconds\":%.4f,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
              static_cast<long long>(events), bytes, seconds, percentile(all, 0.5),
              percentile(all, 0.99));
}

}  // namespace
}  // namespace headrace::bench

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: %s PORT TOPIC CLIENTS EVENTS BATCH\n", argv[0]);
    return 64;
  }
  headrace::bench::run(std::atoi(argv[1]), argv[2], std::strtoull(argv[3], nullptr, 10),
                       std::strtoll(argv[4], nullptr, 10), std::strtoll(argv[5], nullptr, 10));
  return 0;
}
