// Records sent over a real socket: compressed bodies, and a log that cannot keep up.

#include <future>
#include <thread>

#include <gmock/gmock.h>

#include "codec/compression.h"
#include "http/client.h"
#include "http/router.h"
#include "http/server.h"
#include "server/ingest.h"
#include "stream/testing/temporary_directory.h"

namespace headrace::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kQueueBytes = 4'000;

class IngestSocketTest : public ::testing::Test {
 protected:
  IngestSocketTest() {
    log_ = stream::Log::open(directory_.path(), *files_, clock_, *metrics_,
                             {.max_queued_bytes = kQueueBytes});
    // Bytes in the queue are those of the records.
    log_->create_topic("events", {.compression = stream::Compression::kNone});
    ingest_ = std::make_unique<Ingest>(*log_, clock_, *metrics_);
    routes_.add(ingest_->route());
    routes_.install(router_);
    http::ServerOptions options;
    options.port = 0;
    server_ = std::make_unique<http::Server>(options, router_, pool_, *metrics_);
    server_->start();
  }

  // Each call has a connection of its own.
  http::Response post(std::string body, std::string_view encoding = "identity") {
    http::Request request = http::make_request("POST", "/v1/topics/events/records", std::move(body),
                                               "application/x-ndjson");
    request.headers.set("Content-Encoding", encoding);
    return http::make_http_client(server_->url())->send(std::move(request));
  }
  std::vector<std::string> values() {
    std::vector<std::string> found;
    for (const auto& batch : log_->topic("events").partition(0).read(0, 1 << 30)) {
      batch.for_each([&](const stream::RecordView& record) {
        found.emplace_back(record.value.value_or("NULL"));
      });
    }
    return found;
  }

  stream::TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  SystemClock clock_;
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
  http::WorkerPool pool_{{.threads = 2}, *metrics_};
  std::unique_ptr<stream::Log> log_;
  std::unique_ptr<Ingest> ingest_;
  Routes routes_;
  http::Router router_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(IngestSocketTest, TakesCompressedBodies) {
  using codec::Codec;
  EXPECT_EQ(post(codec::compress(Codec::kGzip, "{\"a\":1}\n{\"a\":2}\n"), "gzip").status, 200);
  EXPECT_EQ(post(codec::compress(Codec::kZstd, "{\"a\":3}\n"), "zstd").status, 200);
  EXPECT_EQ(post("{\"a\":4}\n").status, 200);
  EXPECT_THAT(values(), ElementsAre("{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}"));
}

TEST_F(IngestSocketTest, TellsTheLineOfAMistakeInACompressedBody) {
  const auto answer = post(codec::compress(codec::Codec::kGzip, "{}\n{\n"), "gzip");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("\"line\":2"));
  EXPECT_EQ(post("{}\n", "gzip").status, 400);
  EXPECT_EQ(post("{}\n", "br").status, 415);
  EXPECT_THAT(values(), ElementsAre());
}

// The log's writer is held, as by a disk that does not come back from a sync.
TEST_F(IngestSocketTest, AFullQueueIsBackpressureThatEnds) {
  std::promise<void> writer_held;
  std::promise<void> let_go;
  stream::BatchBuilder builder(stream::Compression::kNone);
  builder.add(0, std::nullopt, "0");
  log_->topic("events").partition(0).append_async(
      builder.encode(), [&](const stream::AppendResult*, const std::exception_ptr&) {
        writer_held.set_value();
        let_go.get_future().wait();
      });
  writer_held.get_future().wait();
  const std::string large = '"' + std::string(kQueueBytes, 'x') + '"';

  const http::Response refused = post(large);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.get_or("Retry-After", "none"), "1");
  EXPECT_THAT(refused.body, HasSubstr("waiting to be written"));
  EXPECT_THAT(metrics_->expose(), HasSubstr("headrace_log_refused_appends_total 1"));

  std::future<int> waiting = std::async(std::launch::async, [&] { return post("2").status; });
  let_go.set_value();
  EXPECT_EQ(waiting.get(), 200);
  // What was refused is stored once when it is sent again. Room is made just after the answers.
  int status = 0;
  while ((status = post(large).status) == 429) std::this_thread::yield();
  EXPECT_EQ(status, 200);
  EXPECT_THAT(values(), ElementsAre("0", "2", large));
}

}  // namespace
}  // namespace headrace::server
