// The routes over a real catalog, called in process.

#include <fstream>
#include <map>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "http/client.h"
#include "http/router.h"
#include "iceberg_rest/iceberg_routes.h"
#include "lake/manifest.h"
#include "lake/testing/temporary_directory.h"

namespace headrace::iceberg_rest {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Long before any recorded request.
const Timestamp kStart{std::chrono::seconds(1'700'000'000)};

// Notes what it is told.
class Notes final : public OutsideChanges {
 public:
  void check_may_go(const lake::TableIdentifier& table) override {
    if (table.to_string() == guarded) fail(ErrorKind::kDenied, "{} is in use", guarded);
  }
  void gone(const lake::TableIdentifier& table) noexcept override {
    told.push_back("gone " + table.to_string());
  }
  void committed(const std::vector<lake::TableIdentifier>& tables) noexcept override {
    for (const lake::TableIdentifier& table : tables) {
      told.push_back("committed " + table.to_string());
    }
  }
  std::string guarded;
  std::vector<std::string> told;
};

class RoutesTest : public ::testing::Test {
 protected:
  RoutesTest() {
    lake::CatalogOptions options;
    options.warehouse = directory_.path() + "/warehouse";
    catalog_ = lake::Catalog::open(*store_, *files_, clock_, random_, options);
    add_iceberg_routes(routes_, {*catalog_, catalog_->open_side(), notes_, *metrics_}, pool_,
                       "secret");
    routes_.install(router_);
    client_ = http::make_local_client(router_);
  }

  http::Response send(const std::string& method, const std::string& path,
                      const std::string& body = "", const http::Headers& headers = {}) {
    http::Request request =
        body.empty() ? http::make_request(method, "/iceberg" + path)
                     : http::make_request(method, "/iceberg" + path, body, "application/json");
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    return client_->send(std::move(request));
  }
  Json get(const std::string& path) { return http::json_of(send("GET", path)); }
  Json post(const std::string& path, const std::string& body) {
    return http::json_of(send("POST", path, body));
  }
  void create_table(const std::string& name) {
    post("/v1/namespaces/db/tables", R"({"name": ")" + name + R"(", "schema": {"type": "struct",
        "fields": [{"id": 0, "name": "id", "type": "long", "required": false}]}})");
  }
  // "status type" of an error.
  std::string error(const http::Response& response) {
    const Json body = parse_json(response.body, "the error");
    const Json& error = member(body, "error");
    EXPECT_EQ(integer_member(error, "code"), response.status);
    EXPECT_FALSE(string_member(error, "message").empty());
    return format("{} {}", response.status, string_member(error, "type"));
  }

  lake::TemporaryDirectory directory_{"headrace-iceberg-rest"};
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  ManualClock clock_{kStart};
  SeededRandom random_;
  std::unique_ptr<store::MetadataStore> store_ = store::make_memory_store();
  std::unique_ptr<lake::Catalog> catalog_;
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
  http::WorkerPool pool_{{.threads = 1}, *metrics_};
  Notes notes_;
  server::Routes routes_;
  http::Router router_;
  std::unique_ptr<http::Client> client_;
};

TEST_F(RoutesTest, TellsItsEndpoints) {
  const Json config = get("/v1/config?warehouse=any");
  const JsonArray& endpoints = member(config, "endpoints").as_array();
  for (const char* endpoint :
       {"GET /v1/{prefix}/namespaces", "HEAD /v1/{prefix}/namespaces/{namespace}",
        "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}",
        "POST /v1/{prefix}/transactions/commit", "POST /v1/{prefix}/views/rename"}) {
    EXPECT_THAT(endpoints, Contains(Json(endpoint)));
  }
}

TEST_F(RoutesTest, GivesTheTokenForTheToken) {
  const std::string form = "grant_type=client_credentials&scope=catalog&client_id=x&client_secret=";
  const Json granted = http::json_of(send("POST", "/v1/oauth/tokens", form + "secret"));
  EXPECT_EQ(string_member(granted, "access_token"), "secret");
  EXPECT_EQ(string_member(granted, "token_type"), "bearer");
  EXPECT_EQ(send("POST", "/v1/oauth/tokens", form + "wrong").status, 401);
  EXPECT_EQ(send("POST", "/v1/oauth/tokens", "grant_type=password").status, 400);
}

TEST_F(RoutesTest, NamesErrorsAsIcebergDoes) {
  const std::string ns = "/v1/namespaces";
  EXPECT_EQ(error(send("GET", ns + "/none")), "404 NoSuchNamespaceException");
  EXPECT_EQ(error(send("GET", ns + "/none/tables")), "404 NoSuchNamespaceException");
  EXPECT_EQ(error(send("GET", ns + "?parent=none")), "404 NoSuchNamespaceException");
  post(ns, R"({"namespace": ["db"], "properties": {}})");
  EXPECT_EQ(error(send("POST", ns, R"({"namespace": ["db"]})")), "409 AlreadyExistsException");
  EXPECT_EQ(error(send("POST", ns, R"({"namespace": ["a", "b"]})")), "400 BadRequestException");
  EXPECT_EQ(error(send("POST", ns, R"({"namespace": 5})")), "400 BadRequestException");
  EXPECT_EQ(error(send("POST", ns, "{")), "400 BadRequestException");
  EXPECT_EQ(error(send("GET", ns + "/db/tables/t")), "404 NoSuchTableException");
  EXPECT_EQ(error(send("GET", ns + "/db%1Ft/tables/snapshots")), "404 NoSuchTableException");
  EXPECT_EQ(error(send("GET", ns + "/db/views/v")), "404 NoSuchViewException");
  create_table("t");
  EXPECT_EQ(error(send("DELETE", ns + "/db")), "409 NamespaceNotEmptyException");
  EXPECT_EQ(error(send("POST", ns + "/db/tables/t",
                       R"({"requirements": [{"type": "assert-table-uuid", "uuid": "x"}]})")),
            "409 CommitFailedException");
  EXPECT_EQ(error(send("POST", ns + "/db/tables/t", R"({"updates": [{"action": "x"}]})")),
            "501 UnsupportedOperationException");
  EXPECT_EQ(error(send("POST", "/v1/tables/rename",
                       R"({"source": {"namespace": ["db"], "name": "t"},
                           "destination": {"namespace": ["a", "b"], "name": "t"}})")),
            "404 NoSuchNamespaceException");
  notes_.guarded = "db.t";
  EXPECT_EQ(error(send("DELETE", ns + "/db/tables/t")), "403 ForbiddenException");
  EXPECT_EQ(
      error(send("POST", ns + "/db/properties", R"({"removals": ["a"], "updates": {"a": "1"}})")),
      "422 UnprocessableEntityException");
}

TEST_F(RoutesTest, AnswersOnlyWhatHasChanged) {
  post("/v1/namespaces", R"({"namespace": ["db"]})");
  create_table("t");
  const std::string path = "/v1/namespaces/db/tables/t";
  http::Headers known;
  known.set("If-None-Match", send("GET", path).headers.get_or("ETag", ""));
  EXPECT_EQ(send("GET", path, "", known).status, 304);
  EXPECT_EQ(send("GET", path + "?snapshots=refs", "", known).status, 200);
  post(path, R"({"updates": [{"action": "set-properties", "updates": {"a": "b"}}]})");
  EXPECT_EQ(send("GET", path, "", known).status, 200);
  EXPECT_EQ(send("HEAD", path).status, 204);
  EXPECT_EQ(send("HEAD", "/v1/namespaces/db").status, 204);
  EXPECT_EQ(send("HEAD", "/v1/namespaces/none").status, 404);
}

TEST_F(RoutesTest, ListsPageByPage) {
  post("/v1/namespaces", R"({"namespace": ["db"]})");
  for (const char* name : {"a", "c", "b"}) create_table(name);
  std::vector<std::string> pages;
  std::string token;
  for (bool more = true; more;) {
    const Json page = get("/v1/namespaces/db/tables?pageSize=2&pageToken=" + token);
    std::string names;
    for (const Json& entry : member(page, "identifiers").as_array()) {
      names += string_member(entry, "name");
    }
    pages.push_back(names);
    more = find_member(page, "next-page-token") != nullptr;
    if (more) token = string_member(page, "next-page-token");
  }
  EXPECT_THAT(pages, ElementsAre("ab", "c"));
  EXPECT_THAT(member(get("/v1/namespaces/db/tables"), "identifiers").as_array().size(), 3u);
}

TEST_F(RoutesTest, TellsWhoMustKnow) {
  post("/v1/namespaces", R"({"namespace": ["db"]})");
  create_table("t");
  create_table("u");
  send("POST", "/v1/transactions/commit", R"({"table-changes": [
      {"identifier": {"namespace": ["db"], "name": "t"}, "updates": []},
      {"identifier": {"namespace": ["db"], "name": "u"}, "updates": []}]})");
  send("POST", "/v1/tables/rename", R"({"source": {"namespace": ["db"], "name": "t"},
      "destination": {"namespace": ["db"], "name": "w"}})");
  send("DELETE", "/v1/namespaces/db/tables/u?purgeRequested=True");
  EXPECT_THAT(notes_.told,
              ElementsAre("committed db.t", "committed db.u", "committed db.t", "committed db.u",
                          "gone db.t", "committed db.w", "gone db.u"));
}

TEST_F(RoutesTest, RegistersWhatLiesThere) {
  post("/v1/namespaces", R"({"namespace": ["db"]})");
  create_table("t");
  const std::string location =
      string_member(get("/v1/namespaces/db/tables/t"), "metadata-location");
  EXPECT_EQ(send("DELETE", "/v1/namespaces/db/tables/t?purgeRequested=false").status, 204);
  const std::string body = R"({"name": "again", "metadata-location": ")" + location + R"("})";
  const http::Response registered = send("POST", "/v1/namespaces/db/register", body);
  EXPECT_EQ(registered.status, 200);
  EXPECT_NE(registered.headers.get_or("ETag", ""), "");
  EXPECT_EQ(string_member(parse_json(registered.body, "the table"), "metadata-location"), location);
  EXPECT_EQ(error(send("POST", "/v1/namespaces/db/register", body)), "409 AlreadyExistsException");
  EXPECT_EQ(send("POST", "/v1/namespaces/db/register",
                 R"({"name": "none", "metadata-location": "file:///nowhere/v1.metadata.json"})")
                .status,
            400);
}

// What clients sent to another catalog, one after the other, each with the status it must get. Of
// their files there are none here: manifest lists are made, empty.
class Replay {
 public:
  using Send = std::function<http::Response(const std::string&, const std::string&,
                                            const std::string&, const http::Headers&)>;
  Replay(std::string warehouse, FileSystem& files, ManualClock& clock, lake::Catalog& catalog)
      : warehouse_(std::move(warehouse)), files_(files), clock_(clock), catalog_(catalog) {}

  http::Response play(const Json& recorded, const Send& send) {
    std::string path = string_member(recorded, "path");
    std::string separator = "?";
    if (const Json* query = find_member(recorded, "query")) {
      for (const auto& [name, value] : query->as_object()) {
        path += separator + std::string(name) + "=" + std::string(value.as_string());
        separator = "&";
      }
    }
    http::Headers headers;
    if (find_member(recorded, "if_none_match")) headers.set("If-None-Match", tags_[path]);
    const Json* body = find_member(recorded, "body");
    http::Response response = send(string_member(recorded, "method"), path,
                                   body == nullptr ? "" : prepared(*body, path), headers);
    tags_[path] = response.headers.get_or("ETag", "");
    return response;
  }

 private:
  static void replace(std::string& text, std::string_view what, const std::string& by) {
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what)) {
      text.replace(at, what.size(), by);
    }
  }

  std::string prepared(const Json& recorded, const std::string& path) {
    std::string text = to_text(recorded);
    replace(text, "$WAREHOUSE", warehouse_);
    Json body = parse_json(text, "a request");
    if (find_member(body, "table-changes") != nullptr) {
      for (Json& change : body.as_object()["table-changes"].as_array()) {
        const Json& name = member(change, "identifier");
        prepare_commit(change, {std::string(member(name, "namespace").at(0).as_string()),
                                string_member(name, "name")});
      }
    } else if (find_member(body, "updates") != nullptr &&
               path.find("/tables/") != std::string::npos) {
      const http::Request request = http::make_request("POST", path);
      prepare_commit(body, {request.segments.at(2), request.segments.at(4)});
    }
    return to_text(body);
  }

  void prepare_commit(Json& commit, const lake::TableIdentifier& identifier) {
    std::string text = to_text(commit);
    if (const lake::TablePtr table = catalog_.find(identifier)) {
      replace(text, "$UUID", table->metadata.table_uuid);
    }
    commit = parse_json(text, "a commit");
    for (const Json& update : member(commit, "updates").as_array()) {
      if (string_member(update, "action") != "add-snapshot") continue;
      const Json& recorded = member(update, "snapshot");
      const std::string list = lake::local_path(string_member(recorded, "manifest-list"));
      lake::Snapshot snapshot;
      snapshot.snapshot_id = integer_member(recorded, "snapshot-id");
      files_.create_directories(list.substr(0, list.rfind('/')));
      files_.write_new(list, lake::write_manifest_list({}, snapshot, "0123456789abcdef", 2));
      const Timestamp time{milliseconds(integer_member(recorded, "timestamp-ms"))};
      if (time > clock_.now()) clock_.advance(time - clock_.now());
    }
  }

  std::string warehouse_;
  FileSystem& files_;
  ManualClock& clock_;
  lake::Catalog& catalog_;
  std::map<std::string, std::string> tags_;
};

// What the answer to a kind of request is to hold, by the specification of the REST catalog.
void check_shape(const Json& request, const http::Response& response) {
  const std::string method = string_member(request, "method");
  const std::string path = string_member(request, "path");
  const auto is_of = [&](std::string_view pattern) {
    return std::regex_match(path, std::regex("/v1/" + std::string(pattern)));
  };
  if (response.status == 204 || response.status == 304) {
    EXPECT_EQ(response.body, "");
  }
  if (response.status == 204 || response.status == 304 || method == "HEAD") return;
  const Json body = parse_json(response.body, "an answer");
  if (response.status >= 400) {
    const Json& error = member(body, "error");
    EXPECT_EQ(integer_member(error, "code"), response.status);
    EXPECT_NE(string_member(error, "message"), "");
    EXPECT_TRUE(string_member(error, "type").ends_with("Exception"));
  } else if (is_of("config")) {
    EXPECT_TRUE(member(body, "defaults").is_object() && member(body, "overrides").is_object());
    EXPECT_TRUE(member(body, "endpoints").is_array());
  } else if (is_of("namespaces")) {
    EXPECT_TRUE(member(body, method == "GET" ? "namespaces" : "namespace").is_array());
  } else if (is_of("namespaces/[^/]+")) {
    EXPECT_TRUE(member(body, "properties").is_object());
  } else if (method == "GET" && is_of("namespaces/[^/]+/(tables|views)")) {
    EXPECT_TRUE(member(body, "identifiers").is_array());
  } else if (is_of("namespaces/[^/]+/(tables(/[^/]+)?|register)")) {
    const Json& metadata = member(body, "metadata");
    EXPECT_NE(string_member(metadata, "table-uuid"), "");
    EXPECT_TRUE(member(metadata, "schemas").is_array());
    EXPECT_TRUE(member(metadata, "snapshots").is_array());
    const Json* sent = find_member(request, "body");
    const Json* staged = sent == nullptr ? nullptr : find_member(*sent, "stage-create");
    const bool is_staged = staged != nullptr && staged->is_bool() && staged->as_bool();
    EXPECT_EQ(string_member_or(body, "metadata-location", "").empty(), is_staged);
    EXPECT_EQ(response.headers.get_or("ETag", "").empty(), is_staged);
  } else if (is_of("namespaces/[^/]+/views(/[^/]+)?")) {
    EXPECT_NE(string_member(body, "metadata-location"), "");
    EXPECT_NE(string_member(member(body, "metadata"), "view-uuid"), "");
  } else {
    ADD_FAILURE() << "no shape is known for " << method << " " << path;
  }
}

TEST_F(RoutesTest, AnswersWhatClientsHaveSent) {
  std::ifstream recorded(std::string(HEADRACE_SOURCE_DIR) +
                         "/src/iceberg_rest/tests/data/recorded_requests.jsonl");
  Replay replay(directory_.path() + "/warehouse", *files_, clock_, *catalog_);
  int number = 0;
  for (std::string line; std::getline(recorded, line);) {
    ++number;
    const Json request = parse_json(line, "a recorded request");
    const http::Response response = replay.play(
        request,
        [this](const std::string& method, const std::string& path, const std::string& body,
               const http::Headers& headers) { return send(method, path, body, headers); });
    EXPECT_EQ(response.status, integer_member(request, "status"))
        << "request " << number << ": " << line.substr(0, 400) << "\n"
        << response.body.substr(0, 400);
    check_shape(request, response);
  }
  EXPECT_GT(number, 150);
  EXPECT_THAT(metrics_->expose(),
              HasSubstr("headrace_iceberg_reports_total{type=\"scan-report\"}"));
  // What the last of them left.
  EXPECT_EQ(to_text(member(get("/v1/namespaces"), "namespaces")), R"([["dns"],["pns"],["sns"]])");
}

}  // namespace
}  // namespace headrace::iceberg_rest
