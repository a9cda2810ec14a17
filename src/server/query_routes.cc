#include "server/query_routes.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "server/json_schema.h"

namespace headrace::server {
namespace {

using schema::type;

// The format that an Accept header asks for.
query::Format accepted_format(std::string_view accept) {
  if (accept.find("text/csv") != std::string_view::npos) return query::Format::kCsv;
  if (accept.find("arrow") != std::string_view::npos) return query::Format::kArrow;
  if (accept.find("parquet") != std::string_view::npos) return query::Format::kParquet;
  return query::Format::kJson;
}

std::optional<std::string> parameter_text(const Json& value) {
  if (value.is_null()) return std::nullopt;
  return value.is_string() ? std::string(value.get_string()) : to_text(value);
}

// A caller may name its query, to cancel it. The name becomes a file's for Parquet results.
std::string read_query_id(const http::Request& request) {
  std::string id(request.headers.get_or("Headrace-Query-Id", ""));
  const bool is_fine = id.size() <= 64 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
                         return std::isalnum(c) != 0 || c == '-';
                       });
  if (!is_fine)
    fail(ErrorKind::kInvalid, "the header Headrace-Query-Id is at most 64 letters, digits and '-'");
  return id;
}

Json read_body(const std::string& text) {
  try {
    return parse_json(text, "the query");
  } catch (const Error& error) {
    fail(error.kind(),
         "{}: send {{\"sql\": \"…\"}}, or the SQL as it is with Content-Type: text/plain",
         error.message());
  }
}

query::QueryRequest read_request(const http::Request& request, const QueryLimits& limits) {
  query::QueryRequest query;
  query.timeout = limits.timeout;
  query.max_rows = limits.max_rows;
  query.format = accepted_format(request.headers.get_or("Accept", ""));
  query.id = read_query_id(request);
  if (request.headers.get_or("Content-Type", "").starts_with("text/plain")) {
    query.sql = request.body;
    return query;
  }
  const Json body = read_body(request.body);
  if (!body.is_object())
    fail(ErrorKind::kInvalid, "the query is no JSON object: send {{\"sql\": \"…\"}}");
  for (const auto& [name, value] : body.get_object()) {
    if (name == "sql") {
      query.sql = string_member(body, "sql");
    } else if (name == "parameters") {
      if (!value.is_array())
        fail(ErrorKind::kInvalid, "'parameters' is a list of values for $1, $2, …");
      for (const Json& parameter : value.get_array())
        query.parameters.push_back(parameter_text(parameter));
    } else if (name == "format") {
      query.format = query::format_from_name(string_member(body, "format"));
    } else if (name == "timeout_ms") {
      query.timeout = std::min(limits.timeout, milliseconds(integer_member(body, "timeout_ms")));
    } else if (name == "max_rows") {
      query.max_rows = std::min(limits.max_rows, integer_member(body, "max_rows"));
    } else {
      fail(ErrorKind::kInvalid,
           "'{}' is not part of a query: there are sql, parameters, format, timeout_ms, max_rows",
           std::string_view(name));
    }
  }
  if (query.sql.empty()) fail(ErrorKind::kInvalid, "the query has no 'sql'");
  if (query.max_rows <= 0) fail(ErrorKind::kInvalid, "'max_rows' must be positive");
  if (query.timeout.count() <= 0) fail(ErrorKind::kInvalid, "'timeout_ms' must be positive");
  return query;
}

http::Response start_query(query::QueryService& service, const http::Request& request,
                           const QueryLimits& limits) {
  const query::QueryRequest wanted = read_request(request, limits);
  std::shared_ptr<query::RunningQuery> query = service.start(wanted);
  http::Response response;
  response.headers.set("Content-Type", query::content_type(wanted.format));
  response.headers.set("Headrace-Query-Id", query->id());
  response.stream = [query](std::string& piece) { return query->next(piece); };
  response.on_cancel = [weak = std::weak_ptr(query)] {
    if (const auto running = weak.lock()) running->cancel();
  };
  return response;
}

Json list_queries(const query::QueryService& service) {
  JsonArray queries;
  for (const query::RunningQueryInfo& info : service.running()) {
    queries.push_back(
        JsonObject{{"query_id", info.id},
                   {"sql", info.sql},
                   {"started", to_iso8601(info.started)},
                   {"progress", info.progress < 0 ? Json(nullptr) : Json(info.progress)}});
  }
  return JsonObject{{"queries", std::move(queries)}};
}

JsonObject result_schema() {
  const JsonObject column = schema::object_of({{"name", type("string")}, {"type", type("string")}});
  return schema::object_of({{"query_id", type("string")},
                            {"columns", schema::list_of(column)},
                            {"rows", schema::list_of(type("array"))},
                            {"row_count", type("integer")},
                            {"truncated", type("boolean")},
                            {"elapsed_ms", type("number")},
                            {"files_total", type("integer")},
                            {"files_read", type("integer")}});
}

JsonObject running_queries_schema() {
  const JsonObject query = schema::object_of({{"query_id", type("string")},
                                              {"sql", type("string")},
                                              {"started", type("string")},
                                              {"progress", schema::nullable("number")}});
  return schema::object_of({{"queries", schema::list_of(query)}});
}

RouteDescription describe_query() {
  const JsonObject request{
      {"type", "object"},
      {"required", JsonArray{"sql"}},
      {"properties",
       JsonObject{
           {"sql", type("string")},
           {"parameters", JsonObject{{"type", "array"}, {"description", "values of $1, $2, …"}}},
           {"format", JsonObject{{"enum", JsonArray{"json", "csv", "arrow", "parquet"}}}},
           {"timeout_ms", type("integer")},
           {"max_rows", type("integer")}}}};
  return {
      .method = "POST",
      .pattern = "/v1/query",
      .operation = "runQuery",
      .group = "queries",
      .summary = "Runs one SELECT and streams its rows",
      .detail =
          "The body is a JSON object, or SQL as text/plain with the format in Accept. The header "
          "Headrace-Query-Id names the query while it runs.",
      .request = {{"application/json", request}, {"text/plain", type("string")}},
      .response = {{"application/json", result_schema()},
                   {"text/csv", type("string")},
                   {"application/vnd.apache.arrow.stream", type("string")},
                   {"application/vnd.apache.parquet", type("string")}},
      .error_statuses = {400, 404, 503, 504}};
}

}  // namespace

void add_query_routes(Routes& routes, query::QueryService& service, http::WorkerPool& pool,
                      const QueryLimits& limits) {
  routes.add(
      {describe_query(), http::on_workers(pool, [&service, limits](const http::Request& request) {
         return start_query(service, request, limits);
       })});
  RouteDescription list{.method = "GET",
                        .pattern = "/v1/queries",
                        .operation = "listQueries",
                        .group = "queries",
                        .summary = "Queries that are running",
                        .response = {{"application/json", running_queries_schema()}}};
  routes.add({std::move(list), [&service](const http::Request&, const http::Responder& respond) {
                respond(http::json_response(200, list_queries(service)));
              }});
  RouteDescription cancel{.method = "DELETE",
                          .pattern = "/v1/queries/{id}",
                          .operation = "cancelQuery",
                          .group = "queries",
                          .summary = "Cancels a running query",
                          .success_status = 204,
                          .error_statuses = {404}};
  routes.add(
      {std::move(cancel), [&service](const http::Request& request, const http::Responder& respond) {
         service.cancel(request.path_parameter("id"));
         http::Response response;
         response.status = 204;
         respond(std::move(response));
       }});
}

}  // namespace headrace::server
