#include "server/lakehouse_routes.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/error.h"
#include "server/json_schema.h"
#include "server/lakehouse_schemas.h"

namespace headrace::server {
namespace {

using Blocking = std::function<Json(const http::Request&)>;

using schema::json_content;
using schema::type;

// The members that a route's JSON body may have; empty: any.
std::vector<std::string> members_of(const JsonObject& request) {
  std::vector<std::string> names;
  const Json* schema = request.if_contains("application/json");
  const Json* properties = schema == nullptr ? nullptr : find_member(*schema, "properties");
  if (properties == nullptr) return names;
  for (const auto& [name, property] : properties->as_object()) names.emplace_back(name);
  return names;
}

// A misspelt member is refused: left out in silence, it would do something else than was meant.
void check_members(const http::Request& request, const std::vector<std::string>& known) {
  if (known.empty() || request.body.empty()) return;
  const Json body = parse_json(request.body, "the request");
  if (!body.is_object()) fail(ErrorKind::kInvalid, "the request is no JSON object");
  for (const auto& [name, value] : body.get_object()) {
    if (std::find(known.begin(), known.end(), std::string_view(name)) != known.end()) continue;
    fail(ErrorKind::kInvalid, "'{}' is not part of the request; there are: {}",
         std::string_view(name), join(known, ", "));
  }
}

class RouteAdder {
 public:
  RouteAdder(Routes& routes, http::WorkerPool& pool) : routes_(routes), pool_(pool) {}

  void add(RouteDescription description, Blocking answer) {
    if (description.error_statuses.empty()) description.error_statuses = {404, 503};
    auto members = members_of(description.request);
    const auto handle = [answer = std::move(answer),
                         members = std::move(members)](const http::Request& request) {
      check_members(request, members);
      return http::json_response(200, answer(request));
    };
    routes_.add({std::move(description), http::on_workers(pool_, handle)});
  }

 private:
  Routes& routes_;
  http::WorkerPool& pool_;
};

int64_t number_in_path(const http::Request& request, std::string_view name) {
  const std::string& text = request.path_parameter(name);
  try {
    size_t used = 0;
    const int64_t value = std::stoll(text, &used);
    if (used == text.size() && value >= 0) return value;
  } catch (const std::logic_error&) {
    // Falls through to the complaint.
  }
  fail(ErrorKind::kInvalid, "'{}' in the path is no {}", text, name);
}

JsonObject body_of(JsonObject properties) {
  return {
      {"application/json", JsonObject{{"type", "object"}, {"properties", std::move(properties)}}}};
}

JsonObject milliseconds_or(int64_t otherwise) {
  return {{"type", "integer"}, {"minimum", 0}, {"default", otherwise}};
}

// An empty body is an object without members.
Json body_json(const http::Request& request) {
  return request.body.empty() ? Json(JsonObject{}) : parse_json(request.body, "the request");
}

std::vector<std::string> texts_of(const Json& body, const char* name) {
  std::vector<std::string> texts;
  const Json* list = find_member(body, name);
  if (list == nullptr) return texts;
  const bool is_right =
      list->is_array() && std::all_of(list->get_array().begin(), list->get_array().end(),
                                      [](const Json& text) { return text.is_string(); });
  if (!is_right) fail(ErrorKind::kInvalid, "the request: \"{}\" must be a list of texts", name);
  for (const Json& text : list->get_array()) texts.emplace_back(text.get_string());
  return texts;
}

int64_t number_of(const Json& body, const char* name, int64_t otherwise, int64_t minimum,
                  int64_t maximum) {
  const int64_t value = integer_member_or(body, name, otherwise);
  if (value >= minimum && value <= maximum) return value;
  fail(ErrorKind::kInvalid, "the request: \"{}\" is {}; it goes from {} to {}", name, value,
       minimum, maximum);
}

void add_maintenance_routes(RouteAdder& routes, Lakehouse& lakehouse) {
  constexpr int64_t kDayMs = 24 * 3'600'000LL;
  constexpr int64_t kLongestMs = 36'500 * kDayMs;
  const auto database = [](const http::Request& request) {
    return request.path_parameter("database");
  };
  const auto table = [](const http::Request& request) { return request.path_parameter("table"); };
  routes.add({.method = "GET",
              .pattern = "/v1/tables/{database}/{table}/files",
              .operation = "listTableFiles",
              .group = "tables",
              .summary = "The data files of a table's current snapshot",
              .response = json_content(schema::table_files())},
             [=, &lakehouse](const http::Request& request) {
               return lakehouse.table_files(database(request), table(request));
             });
  routes.add({.method = "GET",
              .pattern = "/v1/tables/{database}/{table}/history",
              .operation = "listTableSnapshots",
              .group = "tables",
              .summary = "All snapshots of a table, newest first",
              .response = json_content(schema::table_history())},
             [=, &lakehouse](const http::Request& request) {
               return lakehouse.table_history(database(request), table(request));
             });
  routes.add(
      {.method = "POST",
       .pattern = "/v1/tables/{database}/{table}/optimize",
       .operation = "optimizeTable",
       .group = "tables",
       .summary = "Merges small files now, and sorts their rows if columns are given",
       .request = body_of({{"sort_by", JsonObject{{"type", "array"}, {"items", type("string")}}}}),
       .response = json_content(schema::optimized()),
       .error_statuses = {400, 404, 503}},
      [=, &lakehouse](const http::Request& request) {
        return lakehouse.optimize_table(database(request), table(request),
                                        texts_of(body_json(request), "sort_by"));
      });
  routes.add(
      {.method = "POST",
       .pattern = "/v1/tables/{database}/{table}/expire",
       .operation = "expireTable",
       .group = "tables",
       .summary = "Removes old snapshots, and files that nothing refers to any more",
       .request = body_of({{"keep", JsonObject{{"type", "integer"}, {"default", 1}}},
                           {"older_than_ms", milliseconds_or(5 * kDayMs)},
                           {"orphans_older_than_ms", milliseconds_or(3 * kDayMs)}}),
       .response = json_content(schema::expired()),
       .error_statuses = {400, 404, 503}},
      [=, &lakehouse](const http::Request& request) {
        const Json body = body_json(request);
        return lakehouse.expire_table(
            database(request), table(request),
            static_cast<int>(number_of(body, "keep", 1, 1, 1'000'000)),
            milliseconds(number_of(body, "older_than_ms", 5 * kDayMs, 0, kLongestMs)),
            milliseconds(number_of(body, "orphans_older_than_ms", 3 * kDayMs, 0, kLongestMs)));
      });
  routes.add(
      {.method = "POST",
       .pattern = "/v1/tables/{database}/{table}/rollback",
       .operation = "rollBackTable",
       .group = "tables",
       .summary = "Makes an older snapshot the current one; no job may be writing",
       .request = {{"application/json",
                    JsonObject{{"type", "object"},
                               {"required", JsonArray{"snapshot_id"}},
                               {"properties", JsonObject{{"snapshot_id", type("string")}}}}}},
       .response = json_content(schema::snapshot()),
       .error_statuses = {400, 404, 409, 503}},
      [=, &lakehouse](const http::Request& request) {
        // As text: not every JSON reader keeps 64 bits.
        const std::string text = string_member(body_json(request), "snapshot_id");
        int64_t id = 0;
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
        if (failure != std::errc() || end != text.data() + text.size()) {
          fail(ErrorKind::kInvalid, "the request: \"snapshot_id\" is no number: {}", text);
        }
        return lakehouse.roll_back_table(database(request), table(request), id);
      });
}

void add_alteration_route(RouteAdder& routes, Lakehouse& lakehouse) {
  const JsonObject texts{{"type", "object"}, {"additionalProperties", type("string")}};
  const JsonObject list{{"type", "array"}, {"items", type("string")}};
  routes.add({.method = "POST",
              .pattern = "/v1/tables/{database}/{table}/schema",
              .operation = "alterTable",
              .group = "tables",
              .summary = "Renames, drops, adds or widens columns, changes the partitioning of new "
                         "files, or raises the format version; files that are there stay as they "
                         "are",
              .request = body_of({{"drop", list},
                                  {"rename", texts},
                                  {"type", texts},
                                  {"add", texts},
                                  {"partition_by", list},
                                  {"format_version", type("integer")}}),
              .response = json_content(schema::table()),
              .error_statuses = {400, 404, 409, 503}},
             [&lakehouse](const http::Request& request) {
               return lakehouse.alter_table(request.path_parameter("database"),
                                            request.path_parameter("table"), body_json(request));
             });
}

void add_table_routes(RouteAdder& routes, Lakehouse& lakehouse) {
  add_alteration_route(routes, lakehouse);
  routes.add(
      {.method = "GET",
       .pattern = "/v1/tables",
       .operation = "listTables",
       .group = "tables",
       .summary = "All tables with rows, hot rows, files and bytes",
       .response = json_content(schema::tables())},
      [&lakehouse](const http::Request&) { return JsonObject{{"tables", lakehouse.tables()}}; });
  routes.add({.method = "GET",
              .pattern = "/v1/tables/{database}/{table}",
              .operation = "getTable",
              .group = "tables",
              .summary = "One table: schema, partitioning, snapshots, files",
              .response = json_content(schema::table())},
             [&lakehouse](const http::Request& request) {
               return lakehouse.table(request.path_parameter("database"),
                                      request.path_parameter("table"));
             });
  routes.add({.method = "POST",
              .pattern = "/v1/commit",
              .operation = "commitTables",
              .group = "tables",
              .summary = "Writes all hot rows to files, and answers when they are committed",
              .parameters = {{"timeout_ms", "query", "How long to wait",
                              JsonObject{{"type", "integer"}, {"default", 60000}}}},
              .response = json_content(schema::object_of({{"committed", type("boolean")}})),
              .error_statuses = {503, 504}},
             [&lakehouse](const http::Request& request) {
               return lakehouse.commit(
                   milliseconds(request.integer_parameter("timeout_ms", 60'000, 1, 3'600'000)));
             });
}

void add_job_routes(RouteAdder& routes, Lakehouse& lakehouse) {
  routes.add({.method = "GET",
              .pattern = "/v1/jobs",
              .operation = "listJobs",
              .group = "jobs",
              .summary = "All jobs with state, records and lag",
              .response = json_content(schema::jobs())},
             [&lakehouse](const http::Request&) { return JsonObject{{"jobs", lakehouse.jobs()}}; });
  routes.add({.method = "GET",
              .pattern = "/v1/jobs/{job}",
              .operation = "getJob",
              .group = "jobs",
              .summary = "One job: nodes, positions, last error",
              .response = json_content(schema::job())},
             [&lakehouse](const http::Request& request) {
               return lakehouse.job(request.path_parameter("job"));
             });
  routes.add({.method = "POST",
              .pattern = "/v1/jobs/{job}/pause",
              .operation = "pauseJob",
              .group = "jobs",
              .summary = "Stops a job after the batch in hand; it keeps its place",
              .response = json_content(schema::running_job())},
             [&lakehouse](const http::Request& request) {
               return lakehouse.pause_job(request.path_parameter("job"));
             });
  routes.add({.method = "POST",
              .pattern = "/v1/jobs/{job}/resume",
              .operation = "resumeJob",
              .group = "jobs",
              .summary = "Lets a paused or failed job go on",
              .response = json_content(schema::running_job())},
             [&lakehouse](const http::Request& request) {
               return lakehouse.resume_job(request.path_parameter("job"));
             });
  routes.add({.method = "POST",
              .pattern = "/v1/jobs/{job}/run",
              .operation = "runJob",
              .group = "jobs",
              .summary = "Runs a job in batch mode over what is new",
              .detail = "Answers when it has begun; its state says when it is finished.",
              .response = json_content(schema::running_job()),
              .error_statuses = {404, 409, 503}},
             [&lakehouse](const http::Request& request) {
               return lakehouse.begin_job(request.path_parameter("job"));
             });
}

void add_dead_letter_routes(RouteAdder& routes, Lakehouse& lakehouse) {
  routes.add(
      {.method = "GET",
       .pattern = "/v1/deadletters",
       .operation = "listDeadLetters",
       .group = "deadletters",
       .summary = "Records that jobs refused, newest first",
       .parameters = {{"job", "query", "Only those of this job", type("string")},
                      {"limit", "query", "Most to answer with",
                       JsonObject{{"type", "integer"}, {"default", 100}, {"maximum", 10000}}}},
       .response = json_content(schema::dead_letters())},
      [&lakehouse](const http::Request& request) {
        return JsonObject{
            {"dead_letters",
             lakehouse.dead_letters(std::string(request.query_parameter("job").value_or("")),
                                    request.integer_parameter("limit", 100, 1, 10'000))}};
      });
  routes.add(
      {.method = "GET",
       .pattern = "/v1/deadletters/{job}/{partition}/{offset}",
       .operation = "getDeadLetter",
       .group = "deadletters",
       .summary = "One dead letter with its record",
       .parameters = {{"topic", "query", "Its topic, when the job reads several", type("string")}},
       .response = json_content(schema::dead_letter()),
       .error_statuses = {400, 404, 503}},
      [&lakehouse](const http::Request& request) {
        return lakehouse.dead_letter(request.path_parameter("job"),
                                     std::string(request.query_parameter("topic").value_or("")),
                                     static_cast<int>(number_in_path(request, "partition")),
                                     number_in_path(request, "offset"));
      });
  routes.add(
      {.method = "POST",
       .pattern = "/v1/deadletters/replay",
       .operation = "replayDeadLetters",
       .group = "deadletters",
       .summary = "Sends a job's dead letters through it again",
       .request = {{"application/json",
                    JsonObject{{"type", "object"},
                               {"required", JsonArray{"job"}},
                               {"properties", JsonObject{{"job", type("string")},
                                                         {"reason_like", type("string")}}}}}},
       .response = json_content(schema::replayed()),
       .error_statuses = {400, 404, 503}},
      [&lakehouse](const http::Request& request) {
        const Json body = parse_json(request.body, "the request");
        return lakehouse.replay(string_member(body, "job"),
                                string_member_or(body, "reason_like", ""));
      });
}

}  // namespace

void add_lakehouse_routes(Routes& routes, Lakehouse& lakehouse, http::WorkerPool& pool) {
  RouteAdder adder(routes, pool);
  adder.add({.method = "GET",
             .pattern = "/v1/status",
             .operation = "getStatus",
             .group = "status",
             .summary = "How everything stands: topics, sources, jobs, tables, views, problems",
             .response = json_content(schema::status())},
            [&lakehouse](const http::Request&) { return lakehouse.status(); });
  add_table_routes(adder, lakehouse);
  add_maintenance_routes(adder, lakehouse);
  add_job_routes(adder, lakehouse);
  add_dead_letter_routes(adder, lakehouse);
}

}  // namespace headrace::server
