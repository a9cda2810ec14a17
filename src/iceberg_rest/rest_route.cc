#include "iceberg_rest/rest_route.h"

#include <utility>

namespace headrace::iceberg_rest {
namespace {

JsonObject json_content() { return {{"application/json", JsonObject{{"type", "object"}}}}; }

// As the specification names them: "GET /v1/{prefix}/namespaces".
std::string endpoint(std::string_view method, std::string_view path) {
  constexpr std::string_view kVersion = "/v1";
  return format("{} {}/{{prefix}}{}", method, kVersion, path.substr(kVersion.size()));
}

}  // namespace

http::Response no_content() {
  http::Response response;
  response.status = 204;
  return response;
}

std::string existing_namespace(const Catalogs& catalogs, const http::Request& request) {
  const std::string& name = request.path_parameter("namespace");
  if (!catalogs.open.find_namespace(name)) fail_no_namespace(name);
  return name;
}

void RestRoutes::add(RestRoute route, Answer answer) {
  server::RouteDescription description;
  description.method = route.method;
  description.pattern = "/iceberg" + route.path;
  description.operation = route.operation;
  description.group = "iceberg";
  description.summary = route.summary;
  description.parameters = route.parameters;
  if (route.method == "POST") description.request = json_content();
  if (route.success_status == 200) description.response = json_content();
  description.success_status = route.success_status;
  description.error_statuses = {400, 404, 409, 503};
  if (route.is_endpoint) {
    endpoints_->push_back(Json(endpoint(route.method, route.path)));
    if (route.answers_head) endpoints_->push_back(Json(endpoint("HEAD", route.path)));
  }
  auto handler = [route, answer = std::move(answer)](const http::Request& request) {
    try {
      http::Response response = answer(request);
      return request.method == "HEAD" && response.status == 200 ? no_content() : response;
    } catch (...) {
      return rest_error_response(std::current_exception(), route.subject);
    }
  };
  routes_.add({std::move(description), http::on_workers(pool_, std::move(handler))});
}

void add_iceberg_routes(server::Routes& routes, const Catalogs& catalogs, http::WorkerPool& pool,
                        const std::string& token) {
  RestRoutes rest(routes, pool);
  add_session_routes(rest, token);
  add_namespace_routes(rest, catalogs);
  add_table_routes(rest, catalogs);
  add_commit_routes(rest, catalogs);
  add_view_routes(rest, catalogs);
}

}  // namespace headrace::iceberg_rest
