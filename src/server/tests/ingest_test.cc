#include "server/ingest.h"

#include <filesystem>
#include <memory>

#include <gmock/gmock.h>
#include <unistd.h>

#include "http/client.h"
#include "http/router.h"
#include "objects/folder_store.h"
#include "objects/uri.h"
#include "server/tail.h"
#include "server/topic_routes.h"

namespace headrace::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The routes over a real log, called in process.
class ApiTest : public ::testing::Test {
 protected:
  ApiTest()
      : directory_(std::filesystem::temp_directory_path() /
                   format("headrace-server-test-{}", ::getpid())),
        files_(make_posix_file_system()),
        folders_(objects::make_folder_store(*files_)),
        metrics_(telemetry::make_metrics()),
        pool_({.threads = 2}, *metrics_) {
    std::filesystem::remove_all(directory_);
    stream::LogOptions options;
    options.objects = folders_.get();
    log_ = stream::Log::open(directory_, *files_, clock_, *metrics_, options);
    log_->create_topic("one", {});
    log_->create_topic("four", {.partitions = 4});
    ingest_ = std::make_unique<Ingest>(*log_, clock_, *metrics_, limits());
    tail_ = std::make_unique<Tail>(*log_, pool_);
    routes_.add(ingest_->route());
    routes_.add(tail_->route());
    add_topic_routes(routes_, *log_, pool_);
    routes_.add_openapi("0.1.0");
    routes_.install(router_);
    client_ = http::make_local_client(router_);
  }
  ~ApiTest() override {
    tail_.reset();
    log_.reset();
    std::filesystem::remove_all(directory_);
  }
  static IngestLimits limits() {
    IngestLimits limits;
    limits.max_records = 1000;
    limits.max_record_bytes = 10'000;
    return limits;
  }

  http::Response post(std::string_view target, std::string body,
                      std::string_view type = "application/x-ndjson",
                      const http::Headers& headers = {}) {
    http::Request request = http::make_request("POST", target, std::move(body), type);
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    return client_->send(std::move(request));
  }
  http::Response get(std::string_view target) {
    return client_->send(http::make_request("GET", target));
  }
  // Values of a partition's records.
  std::vector<std::string> values(const std::string& topic, int partition = 0) {
    std::vector<std::string> found;
    for (const auto& batch : log_->topic(topic).partition(partition).read(0, 1 << 30)) {
      batch.for_each([&](const stream::RecordView& record) {
        found.emplace_back(record.value.value_or("NULL"));
      });
    }
    return found;
  }
  static http::Headers producer(int64_t id, int64_t sequence) {
    http::Headers headers;
    headers.set("Headrace-Producer-Id", format("{}", id));
    headers.set("Headrace-Sequence", format("{}", sequence));
    return headers;
  }

  const std::filesystem::path directory_;
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<objects::ObjectStore> folders_;
  SystemClock clock_;
  std::unique_ptr<telemetry::Metrics> metrics_;
  http::WorkerPool pool_;
  std::unique_ptr<stream::Log> log_;
  std::unique_ptr<Ingest> ingest_;
  std::unique_ptr<Tail> tail_;
  Routes routes_;
  http::Router router_;
  std::unique_ptr<http::Client> client_;
};

constexpr std::string_view kOne = "/v1/topics/one/records";
constexpr std::string_view kFour = "/v1/topics/four/records";

TEST_F(ApiTest, TakesLinesInAndTellsTheirOffsets) {
  const Json answer = http::json_of(post(kOne, "{\"a\":1}\r\n\n{\"a\":2}"));
  EXPECT_EQ(to_text(answer), R"({"topic":"one","records":2,"duplicate":false,"partitions":)"
                             R"([{"partition":0,"first_offset":0,"last_offset":1}]})");
  EXPECT_THAT(values("one"), ElementsAre("{\"a\":1}", "{\"a\":2}"));
}

TEST_F(ApiTest, TakesArraysAndBytesIn) {
  http::json_of(post(kOne, R"( [ {"a":[1,"]"]} , 2,"x,y" ] )", "application/json; charset=utf-8"));
  http::json_of(
      post(kOne, std::string("\0\0\0\2\xFF\xFE\0\0\0\0", 10), "application/octet-stream"));
  EXPECT_THAT(values("one"), ElementsAre(R"({"a":[1,"]"]})", "2", R"("x,y")", "\xFF\xFE", ""));
}

struct Mistake {
  std::string_view target;
  std::string body;
  std::string_view type;
  int status;
  std::string_view message;
  int64_t line;
};

TEST_F(ApiTest, RefusesAWholeRequestForOneMistake) {
  constexpr std::string_view kLines = "application/x-ndjson";
  constexpr std::string_view kArray = "application/json";
  constexpr std::string_view kBytes = "application/octet-stream";
  const Mistake mistakes[] = {
      {"/v1/topics/none/records", "1\n", kLines, 404, "none", 0},
      {kOne, "", kLines, 400, "no records", 0},
      {kOne, "\n \n", kLines, 400, "no records", 2},
      {kOne, "{\"a\":1}\n{\"a\":\n", kLines, 400, "not one JSON value", 2},
      {kOne, "{} {}\n", kLines, 400, "not one JSON value", 1},
      {kOne, "\"\xFF\"\n", kLines, 400, "not one JSON value", 1},
      {kOne, "[1,2", kArray, 400, "does not end", 2},
      {kOne, "[1,,2]", kArray, 400, "value is missing", 2},
      {kOne, "[1,]", kArray, 400, "value is missing", 2},
      {kOne, "[1] 2", kArray, 400, "after the end", 1},
      {kOne, "[1,{]", kArray, 400, "", 2},
      {kOne, std::string("\0\0\0\5ab", 6), kBytes, 400, "only 2 are left", 1},
      {kOne, std::string("\0\0", 2), kBytes, 400, "four bytes", 1},
      {"/v1/topics/one/records?key=/id", "{\"id\":1}\n{}\n", kLines, 400, "no key at '/id'", 2},
      {"/v1/topics/one/records?key=/id", "x", kBytes, 400, "octet-stream has none", 0},
      {"/v1/topics/one/records?timestamp=/t", "{\"t\":\"soon\"}", kLines, 400, "ISO 8601", 1},
      {"/v1/topics/one/records?partition=1", "1", kLines, 404, "no partition 1", 0},
      {"/v1/topics/one/records?partition=x", "1", kLines, 400, "partition", 0},
      {kOne, "1", "text/html", 415, "text/html", 0},
      {kOne, "\"" + std::string(10'001, 'x') + "\"", kLines, 413, "more than the 10000", 1},
  };
  for (const Mistake& mistake : mistakes) {
    const http::Response response = post(mistake.target, mistake.body, mistake.type);
    EXPECT_EQ(response.status, mistake.status) << mistake.body;
    EXPECT_THAT(response.body, HasSubstr(mistake.message)) << mistake.body;
    const Json body = parse_json(response.body, "answer");
    EXPECT_EQ(integer_member_or(member(body, "error"), "line", 0), mistake.line) << mistake.body;
  }
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "1\n";
  EXPECT_EQ(post(kOne, many).status, 413);
  EXPECT_THAT(values("one"), ElementsAre());
}

TEST_F(ApiTest, StoresUncheckedLinesWhenAskedTo) {
  http::json_of(post("/v1/topics/one/records?validate=false", "not json\n"));
  EXPECT_THAT(values("one"), ElementsAre("not json"));
}

TEST_F(ApiTest, FindsKeysAndTimes) {
  http::json_of(post("/v1/topics/one/records?key=/u/id&timestamp=/t",
                     "{\"u\":{\"id\":\"k\\u0031\"},\"t\":\"2015-09-12T00:46:58.771Z\"}\n"
                     "{\"u\":{\"id\":7},\"t\":1442018818772}\n"));
  EXPECT_THAT(
      get("/v1/topics/one/records").body,
      ::testing::AllOf(HasSubstr(R"("key":"k1")"), HasSubstr(R"("key":"7")"),
                       HasSubstr("2015-09-12T00:46:58.771"), HasSubstr("2015-09-12T00:46:58.772")));
}

TEST_F(ApiTest, KeyedRecordsGoToThePartitionOfTheirKey) {
  std::string body;
  for (int i = 0; i < 100; ++i) body += format("{{\"id\":\"user-{}\"}}\n", i % 10);
  const Json answer = http::json_of(post("/v1/topics/four/records?key=/id", body));
  EXPECT_EQ(integer_member(answer, "records"), 100);
  size_t total = 0;
  for (int partition = 0; partition < 4; ++partition) {
    for (const std::string& value : values("four", partition)) {
      const std::string key = string_member(parse_json(value, "record"), "id");
      EXPECT_EQ(stream::partition_for_key(key, 4), partition);
      ++total;
    }
  }
  EXPECT_EQ(total, 100U);
}

TEST_F(ApiTest, RequestsWithoutKeyTakeTurns) {
  for (int i = 0; i < 8; ++i) http::json_of(post(kFour, "1\n2\n"));
  for (int partition = 0; partition < 4; ++partition) {
    EXPECT_THAT(values("four", partition), ElementsAre("1", "2", "1", "2"));
  }
}

TEST_F(ApiTest, ARepeatedRequestOfAProducerIsANoOp) {
  const auto first = http::json_of(post(kFour, "1\n2\n", "application/x-ndjson", producer(6, 0)));
  const auto again = http::json_of(post(kFour, "1\n2\n", "application/x-ndjson", producer(6, 0)));
  const auto next = http::json_of(post(kFour, "3\n", "application/x-ndjson", producer(6, 2)));
  EXPECT_FALSE(member(first, "duplicate").as_bool());
  EXPECT_TRUE(member(again, "duplicate").as_bool());
  EXPECT_EQ(member(first, "partitions"), member(again, "partitions"));
  EXPECT_FALSE(member(next, "duplicate").as_bool());
  EXPECT_THAT(values("four", 6 % 4), ElementsAre("1", "2", "3"));
  EXPECT_EQ(post(kFour, "9\n", "application/x-ndjson", producer(6, 9)).status, 400);
}

TEST_F(ApiTest, AProducerDoesNotSpreadByKey) {
  const auto keyed = [&](std::string_view query) {
    return post("/v1/topics/four/records?key=/id" + std::string(query), "{\"id\":1}\n",
                "application/x-ndjson", producer(1, 0));
  };
  EXPECT_EQ(keyed("").status, 400);
  EXPECT_EQ(keyed("&partition=2").status, 200);
  http::Headers half;
  half.set("Headrace-Sequence", "0");
  EXPECT_EQ(post(kOne, "1", "application/x-ndjson", half).status, 400);
}

TEST_F(ApiTest, ATopicInObjectStorageIsReadAndShown) {
  const std::string place = objects::file_uri(directory_.string() + "-objects");
  ASSERT_EQ(post("/v1/topics",
                 format(R"({{"name":"tiered","segment_bytes":10,"tiered_storage":{{"uri":"{}"}}}})",
                        place),
                 "application/json")
                .status,
            201);
  for (const char* record : {R"({"id":1})", R"({"id":2})", R"({"id":3})"}) {
    ASSERT_EQ(post("/v1/topics/tiered/records", record).status, 200);
  }
  log_->tend({});
  const http::Response records = get("/v1/topics/tiered/records");
  EXPECT_EQ(std::count(records.body.begin(), records.body.end(), '\n'), 3);
  const Json shown = parse_json(get("/v1/topics/tiered").body, "topic");
  const Json& partition = member(shown, "partitions").as_array().front();
  EXPECT_EQ(integer_member(partition, "remote_segments"), 2);
  EXPECT_EQ(integer_member(partition, "uploaded_offset"), 2);
  EXPECT_GT(integer_member(partition, "remote_bytes"), 0);
  EXPECT_EQ(integer_member(partition, "upload_lag_segments"), 0);
  EXPECT_EQ(string_member(member(member(shown, "config"), "tiered_storage"), "uri"), place);
  http::Request change = http::make_request("PATCH", "/v1/topics/tiered",
                                            R"({"tiered_storage":{"uri":""}})", "application/json");
  EXPECT_EQ(client_->send(std::move(change)).status, 400);
  change = http::make_request("PATCH", "/v1/topics/tiered", R"({"tiered_storage":{"url":""}})",
                              "application/json");
  EXPECT_EQ(client_->send(std::move(change)).status, 400);
  std::filesystem::remove_all(directory_.string() + "-objects");
}

TEST_F(ApiTest, TailsFromAnOffset) {
  http::json_of(post(kOne, "1\n2\n3\n"));
  http::json_of(post(kOne, std::string("\0\0\0\1\xFF", 5), "application/octet-stream"));
  const std::string body = get("/v1/topics/one/records?offset=1&limit=2").body;
  EXPECT_THAT(body, HasSubstr(R"("offset":1)"));
  EXPECT_THAT(body, HasSubstr(R"("offset":2)"));
  EXPECT_EQ(std::count(body.begin(), body.end(), '\n'), 2);
  EXPECT_THAT(get("/v1/topics/one/records?offset=3").body, HasSubstr(R"("value_base64":"/w==")"));
  EXPECT_EQ(get("/v1/topics/one/records?offset=latest").body, "");
  EXPECT_EQ(get("/v1/topics/one/records?offset=5").status, 400);
  EXPECT_EQ(get("/v1/topics/one/records?limit=0").status, 400);
}

TEST_F(ApiTest, TailWaitsForRecords) {
  const auto other = http::make_local_client(router_);
  std::string body;
  std::jthread waiting([&] {
    body = other->send(http::make_request("GET", "/v1/topics/one/records?wait_ms=30000")).body;
  });
  http::json_of(post(kOne, "\"late\"\n"));
  waiting.join();
  EXPECT_THAT(body, HasSubstr("late"));
  EXPECT_EQ(get("/v1/topics/one/records?offset=latest&wait_ms=1").body, "");
}

TEST_F(ApiTest, ManagesTopics) {
  const auto created = post("/v1/topics", R"({"name":"new","partitions":2,"compression":"zstd"})",
                            "application/json");
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(post("/v1/topics", R"({"name":"new"})", "application/json").status, 409);
  EXPECT_EQ(post("/v1/topics", R"({"name":"x","partition":2})", "application/json").status, 400);
  EXPECT_EQ(post("/v1/topics", R"({"name":"x","durability":"ram"})", "application/json").status,
            400);
  EXPECT_THAT(get("/v1/topics").body, HasSubstr(R"({"name":"new","partitions":2,)"));
  EXPECT_THAT(get("/v1/topics/new").body, HasSubstr(R"("compression":"zstd")"));
  EXPECT_EQ(client_->send(http::make_request("DELETE", "/v1/topics/new")).status, 204);
  EXPECT_EQ(get("/v1/topics/new").status, 404);
}

TEST_F(ApiTest, EachRouteIsDescribedAndEachDescriptionHasARoute) {
  const Json api = http::json_of(get("/openapi.json"));
  size_t operations = 0;
  for (const auto& [path, methods] : member(api, "paths").as_object()) {
    for (const auto& [method, operation] : methods.as_object()) {
      ++operations;
      EXPECT_FALSE(string_member(operation, "summary").empty()) << path << method;
      EXPECT_FALSE(string_member(operation, "operationId").empty()) << path << method;
      std::string target(path);
      for (size_t at; (at = target.find('{')) != std::string::npos;) {
        target.replace(at, target.find('}') - at + 1, "absent");
      }
      std::string name(method);
      for (char& c : name) c = static_cast<char>(std::toupper(c));
      const auto response = client_->send(http::make_request(name, target));
      EXPECT_NE(response.status, 405) << name << target;
      EXPECT_THAT(response.body, ::testing::Not(HasSubstr("there is nothing at")));
    }
  }
  EXPECT_EQ(operations, routes_.all().size());
}

}  // namespace
}  // namespace headrace::server
