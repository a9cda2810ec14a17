// The program's parts together: the project that `headrace init` makes, run, asked and changed.

#include "app/instance.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/component_binding.h"
#include "base/error.h"
#include "http/client.h"
#include "project/new_project.h"

namespace headrace::app {
namespace {

class NewProject : public testing::Test {
 protected:
  NewProject() {
    SeededRandom random;
    directory_ =
        (std::filesystem::temp_directory_path() / ("headrace-app-" + make_uuid(random))).string();
    project::write_new_project(*files_, directory_, "shop");
  }
  ~NewProject() override { files_->remove_all(directory_); }

  project::Project load() {
    config::Problems problems;
    project::Project project =
        project::load_project(*files_, directory_, component_types(), problems);
    EXPECT_TRUE(problems.empty()) << problems.to_text();
    return project;
  }

  static Json ask(Instance& instance, std::string_view method, std::string_view target,
                  std::string body = "", std::string_view content_type = "application/json") {
    const auto client = http::make_local_client(instance.handler());
    http::Request request = body.empty()
                                ? http::make_request(method, target)
                                : http::make_request(method, target, std::move(body), content_type);
    return http::json_of(client->send(std::move(request)));
  }
  static std::string rows(Instance& instance, const std::string& sql) {
    return to_text(
        member(ask(instance, "POST", "/v1/query", to_text(JsonObject{{"sql", sql}})), "rows"));
  }
  static void wait_for(Instance& instance, const std::string& sql, const std::string& expected) {
    SystemClock clock;
    std::string last;
    for (int i = 0; i < 2000 && last != expected; ++i) {
      try {
        last = rows(instance, sql);
      } catch (const Error& error) {
        last = error.message();  // the table may not be there yet
      }
      clock.sleep_for(milliseconds(10), {});
    }
    EXPECT_EQ(last, expected) << sql;
  }

  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  std::string directory_;
};

TEST_F(NewProject, runs_as_it_is_and_survives_a_restart) {
  for (int life = 0; life < 2; ++life) {
    Instance instance(load(), Access::kExclusive);
    instance.start();
    wait_for(instance, "SELECT count(*) FROM silver.events", "[[17]]");
    wait_for(instance, "SELECT sum(events)::BIGINT, count(*) FROM gold.events_per_minute",
             "[[17,10]]");
    EXPECT_EQ(rows(instance, "SELECT count(*) FROM bronze.events"), "[[20]]");
    EXPECT_EQ(rows(instance, "SELECT \"offset\" FROM system.dead_letters ORDER BY 1"),
              "[[7],[12],[16]]");
    EXPECT_EQ(integer_member(ask(instance, "GET", "/v1/status"), "dead_letters"), 3);
    ask(instance, "POST", "/v1/commit", "{}");
    EXPECT_EQ(rows(instance, "SELECT sum(hot_rows)::BIGINT, min(files) FROM system.tables"),
              "[[0,1]]");
  }
  Instance reader(load(), Access::kReadOnly);
  EXPECT_EQ(rows(reader, "SELECT count(*) FROM silver.events"), "[[17]]");
  EXPECT_EQ(rows(reader, "SELECT sum(events)::BIGINT FROM gold.events_per_minute"), "[[17]]");
}

TEST_F(NewProject, sends_dead_letters_through_again_once) {
  Instance instance(load(), Access::kExclusive);
  instance.start();
  wait_for(instance, "SELECT count(*) FROM silver.events", "[[17]]");
  const std::string body = R"({"job":"events","reason_like":"amount is negative"})";
  EXPECT_EQ(integer_member(ask(instance, "POST", "/v1/deadletters/replay", body), "replayed"), 1);
  EXPECT_EQ(integer_member(ask(instance, "POST", "/v1/deadletters/replay", body), "replayed"), 0);
  wait_for(instance,
           "SELECT count(*) FROM system.dead_letters WHERE topic = 'headrace.retry.events'",
           "[[1]]");
  EXPECT_EQ(rows(instance, "SELECT count(*) FROM bronze.events"), "[[20]]");
}

TEST_F(NewProject, takes_up_a_changed_job) {
  Instance instance(load(), Access::kExclusive);
  instance.start();
  wait_for(instance, "SELECT count(*) FROM silver.events", "[[17]]");
  const project::Project before = load();
  std::string job = files_->read(directory_ + "/jobs/events.yaml");
  job +=
      "\n  orders: {type: filter, input: valid, where: \"kind = 'order'\"}\n"
      "  order_table: {type: table, input: orders, table: silver.orders}\n";
  files_->write_atomically(directory_ + "/jobs/events.yaml", job);
  project::Project after = load();
  const project::Difference difference = project::compare(before, after);
  EXPECT_EQ(difference.jobs.changed, std::vector<std::string>{"events"});
  instance.apply(std::move(after), difference);
  wait_for(instance, "SELECT count(*) FROM silver.orders", "[[5]]");
  EXPECT_EQ(rows(instance, "SELECT count(*) FROM silver.events"), "[[17]]");
}

// Jobs read their files and tables their warehouse all the same.
TEST_F(NewProject, keeps_queries_away_from_files_when_told_to) {
  Instance instance(load(), Access::kExclusive, query::FileAccess::kNone);
  instance.start();
  wait_for(instance, "SELECT count(*) FROM silver.events", "[[17]]");
  ask(instance, "POST", "/v1/commit", "{}");
  EXPECT_EQ(rows(instance, "SELECT count(*) FROM silver.events"), "[[17]]");
  EXPECT_EQ(rows(instance, "SELECT count(*) FROM bronze.events"), "[[20]]");
  EXPECT_EQ(rows(instance, "SELECT sum(events)::BIGINT FROM gold.events_per_minute"), "[[17]]");
  EXPECT_EQ(rows(instance, "SELECT count(*) FROM system.dead_letters"), "[[3]]");
  const auto client = http::make_local_client(instance.handler());
  const auto query = [&](const std::string& sql, std::string_view format) {
    return client->send(http::make_request("POST", "/v1/query",
                                           to_text(JsonObject{{"sql", sql}, {"format", format}}),
                                           "application/json"));
  };
  EXPECT_TRUE(query("SELECT * FROM silver.events", "parquet").body.starts_with("PAR1"));
  const std::string file = directory_ + "/data/events.ndjson";
  ASSERT_TRUE(files_->exists(file));
  for (const char* format : {"json", "csv", "arrow", "parquet"}) {
    EXPECT_EQ(query("FROM read_text('" + file + "')", format).status, 403) << format;
    EXPECT_EQ(query("FROM '" + file + "'", format).status, 404) << format;
    EXPECT_EQ(query("EXPLAIN ANALYZE COPY (SELECT 1) TO '" + directory_ + "/out'", format).status,
              400);
  }
  EXPECT_FALSE(files_->exists(directory_ + "/out"));
  // Without the restriction, as for `headrace sql` without a server.
  Instance reader(load(), Access::kReadOnly);
  EXPECT_EQ(rows(reader, "SELECT count(*) FROM read_text('" + file + "')"), "[[1]]");
}

TEST(FileAccessOfQueries, depends_on_who_can_connect) {
  using project::QueryFileAccess;
  const project::ListenAddress here{"127.0.0.1", 0};
  const project::ListenAddress everywhere{"0.0.0.0", 0};
  EXPECT_EQ(to_file_access(QueryFileAccess::kAuto, here), query::FileAccess::kRead);
  EXPECT_EQ(to_file_access(QueryFileAccess::kAuto, everywhere), query::FileAccess::kNone);
  EXPECT_EQ(to_file_access(QueryFileAccess::kRead, everywhere), query::FileAccess::kRead);
  EXPECT_EQ(to_file_access(QueryFileAccess::kNone, here), query::FileAccess::kNone);
}

TEST_F(NewProject, keeps_tables_in_order_by_hand) {
  Instance instance(load(), Access::kExclusive);
  instance.start();
  wait_for(instance, "SELECT count(*) FROM silver.events", "[[17]]");
  ask(instance, "POST", "/v1/commit", "{}");
  const std::string contents = "SELECT sum(hash(e))::VARCHAR, count(*) FROM bronze.events AS e";
  const std::string before = rows(instance, contents);
  const Json history = ask(instance, "GET", "/v1/tables/bronze/events/history");
  const std::string first =
      string_member(member(history, "snapshots").as_array().back(), "snapshot_id");
  ask(instance, "POST", "/v1/topics/events/records", R"({"kind":"broken"})");
  wait_for(instance, "SELECT count(*) FROM bronze.events", "[[21]]");
  ask(instance, "POST", "/v1/commit", "{}");
  EXPECT_EQ(integer_member(ask(instance, "POST", "/v1/tables/bronze/events/optimize"), "merges"),
            1);
  EXPECT_EQ(rows(instance, "SELECT count(*) FROM bronze.events"), "[[21]]");
  EXPECT_EQ(rows(instance, "SELECT count(*) FROM system.files WHERE \"table\" = 'bronze.events'"),
            "[[1]]");
  EXPECT_EQ(rows(instance,
                 "SELECT \"table\", operation, state, files_before, files_after "
                 "FROM system.maintenance WHERE operation = 'merge'"),
            R"([["bronze.events","merge","done",2,1]])");
  // A job that writes is not taken back under itself; paused and resumed it reads again.
  const std::string body = to_text(JsonObject{{"snapshot_id", first}});
  EXPECT_THROW(ask(instance, "POST", "/v1/tables/bronze/events/rollback", body), Error);
  ask(instance, "POST", "/v1/jobs/events/pause");
  ask(instance, "POST", "/v1/tables/bronze/events/rollback", body);
  EXPECT_EQ(rows(instance, contents), before);
  ask(instance, "POST", "/v1/jobs/events/resume");
  wait_for(instance, "SELECT count(*) FROM bronze.events", "[[21]]");
  EXPECT_EQ(integer_member(ask(instance, "POST", "/v1/tables/silver/events/expire",
                               R"({"keep":1,"older_than_ms":0})"),
                           "orphans_removed"),
            0);
  EXPECT_EQ(rows(instance, "SELECT count(*) FROM silver.events"), "[[17]]");
}

// What a user changes of a table is seen by its job, by queries, by the views over it and in the
// log.
TEST_F(NewProject, alters_a_table_under_its_job_and_its_view) {
  Instance instance(load(), Access::kExclusive);
  instance.start();
  wait_for(instance, "SELECT sum(events)::BIGINT FROM gold.events_per_minute", "[[17]]");
  const std::string target = "/v1/tables/silver/events/schema";
  const auto alter = [&](const std::string& body) { return ask(instance, "POST", target, body); };
  const Json altered =
      alter(R"({"add":{"note":"varchar"},"rename":{"user":"who"},"partition_by":["kind"]})");
  EXPECT_THAT(to_text(altered), testing::HasSubstr("note"));
  ask(instance, "POST", "/v1/topics/events/records",
      R"({"id":99,"kind":"order","time":"2026-01-05T09:00:04Z","user":"x","amount":1})");
  const std::string contents = "SELECT count(who), count(note) FROM silver.events";
  wait_for(instance, contents, "[[18,0]]");
  ask(instance, "POST", "/v1/commit", "{}");
  wait_for(instance, contents, "[[18,0]]");
  wait_for(instance, "SELECT sum(events)::BIGINT FROM gold.events_per_minute", "[[18]]");
  EXPECT_THROW(alter(R"({"drop":["kind"]})"), Error);
  EXPECT_THROW(alter(R"({"rename":{"kind":"sort"}})"), Error);  // the view reads it
  EXPECT_THROW(alter(R"({"renam":{}})"), Error);
  EXPECT_THROW(alter("{}"), Error);
  EXPECT_EQ(rows(instance,
                 "SELECT \"table\", change, \"column\", cause FROM system.schema_changes "
                 "ORDER BY change"),
            R"([["silver.events","add","note","user"],)"
            R"(["silver.events","partition",null,"user"],)"
            R"(["silver.events","rename","who","user"]])");
}

TEST_F(NewProject, lets_one_process_own_the_state) {
  Instance owner(load(), Access::kExclusive);
  EXPECT_THROW(Instance(load(), Access::kExclusive), Error);
  EXPECT_NO_THROW(Instance(load(), Access::kReadOnly));
}

TEST_F(NewProject, pauses_and_resumes_a_job) {
  Instance instance(load(), Access::kExclusive);
  instance.start();
  wait_for(instance, "SELECT count(*) FROM silver.events", "[[17]]");
  EXPECT_EQ(string_member(ask(instance, "POST", "/v1/jobs/events/pause", "{}"), "state"), "paused");
  ask(instance, "POST", "/v1/topics/events/records",
      R"({"id":99,"time":"2026-01-07T00:00:00Z","kind":"view","user":"u","amount":1})",
      "application/x-ndjson");
  EXPECT_EQ(rows(instance, "SELECT count(*) FROM silver.events"), "[[17]]");
  ask(instance, "POST", "/v1/jobs/events/resume", "{}");
  wait_for(instance, "SELECT count(*) FROM silver.events", "[[18]]");
}

TEST_F(NewProject, makes_alters_and_deletes_topics) {
  Instance instance(load(), Access::kExclusive);
  ask(instance, "POST", "/v1/topics", R"({"name":"extra","retention_ms":1000})");
  const Json altered = ask(instance, "PATCH", "/v1/topics/extra", R"({"partitions":3})");
  EXPECT_EQ(member(altered, "partitions").as_array().size(), 3u);
  EXPECT_EQ(integer_member(member(altered, "config"), "retention_ms"), 1000);
  EXPECT_THROW(ask(instance, "PATCH", "/v1/topics/extra", R"({"partitons":3})"), Error);
  EXPECT_THROW(ask(instance, "PATCH", "/v1/topics/none", R"({"partitions":3})"), Error);
  const auto client = http::make_local_client(instance.handler());
  EXPECT_EQ(client->send(http::make_request("DELETE", "/v1/topics/extra")).status, 204);
}

TEST_F(NewProject, describes_every_route) {
  Instance instance(load(), Access::kReadOnly);
  const Json openapi = ask(instance, "GET", "/openapi.json");
  for (const char* path : {"/v1/query", "/v1/topics/{topic}/records", "/v1/deadletters/replay",
                           "/v1/status", "/metrics", "/healthz", "/openapi.json"}) {
    EXPECT_NE(find_member(member(openapi, "paths"), path), nullptr) << path;
  }
}

}  // namespace
}  // namespace headrace::app
