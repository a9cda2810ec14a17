#include "server/route.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace headrace::server {
namespace {

JsonObject content_of(const JsonObject& schemas) {
  JsonObject content;
  for (const auto& [type, schema] : schemas) content[type] = JsonObject{{"schema", schema}};
  return content;
}

std::vector<std::string> path_parameters(std::string_view pattern) {
  std::vector<std::string> names;
  for (size_t open = pattern.find('{'); open != std::string_view::npos;
       open = pattern.find('{', open + 1)) {
    names.emplace_back(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
  }
  return names;
}

JsonArray parameters_of(const RouteDescription& route) {
  JsonArray parameters;
  for (const std::string& name : path_parameters(route.pattern)) {
    parameters.push_back(JsonObject{{"name", name},
                                    {"in", "path"},
                                    {"required", true},
                                    {"schema", JsonObject{{"type", "string"}}}});
  }
  for (const ParameterDescription& parameter : route.parameters) {
    parameters.push_back(JsonObject{{"name", parameter.name},
                                    {"in", parameter.in},
                                    {"description", parameter.summary},
                                    {"required", parameter.required},
                                    {"schema", parameter.schema}});
  }
  return parameters;
}

std::string_view meaning_of(int status) {
  switch (status) {
    case 400:
      return "The request is wrong; the message says where";
    case 404:
      return "What the path names does not exist";
    case 409:
      return "It exists already, or somebody changed it meanwhile";
    case 413:
      return "The request is larger than allowed";
    case 415:
      return "The content type or encoding is not known";
    case 429:
      return "Too much at once: try again after Retry-After seconds";
    case 503:
      return "Passing overload or fault: try again after Retry-After seconds";
    case 504:
      return "The time allowed was used up";
    default:
      return "Error";
  }
}

JsonObject responses_of(const RouteDescription& route) {
  JsonObject success{{"description", "Success"}};
  if (!route.response.empty()) success["content"] = content_of(route.response);
  JsonObject responses{{std::to_string(route.success_status), std::move(success)}};
  const JsonObject error_content{
      {"application/json",
       JsonObject{{"schema", JsonObject{{"$ref", "#/components/schemas/Error"}}}}}};
  for (const int status : route.error_statuses) {
    responses[std::to_string(status)] =
        JsonObject{{"description", meaning_of(status)}, {"content", error_content}};
  }
  responses["default"] =
      JsonObject{{"description",
                  "Every other failure: a token is missing (401), the way is another "
                  "(405), the server is at fault (500), …"},
                 {"content", error_content}};
  return responses;
}

JsonObject operation_of(const RouteDescription& route) {
  JsonObject operation{{"operationId", route.operation},
                       {"tags", JsonArray{Json(route.group)}},
                       {"summary", route.summary}};
  if (!route.detail.empty()) operation["description"] = route.detail;
  JsonArray parameters = parameters_of(route);
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  if (!route.request.empty()) {
    operation["requestBody"] =
        JsonObject{{"required", true}, {"content", content_of(route.request)}};
  }
  operation["responses"] = responses_of(route);
  return operation;
}

// The body of every error answer (http/message.h).
JsonObject error_schema() {
  const JsonObject text{{"type", "string"}};
  const JsonObject number{{"type", "integer"}};
  const JsonObject members{{"type", text}, {"message", text}, {"code", number}, {"line", number}};
  const JsonObject error{{"type", "object"},
                         {"required", JsonArray{"type", "message", "code"}},
                         {"properties", members}};
  return JsonObject{{"type", "object"},
                    {"required", JsonArray{"error"}},
                    {"properties", JsonObject{{"error", error}}}};
}

// A misspelt parameter is refused: left out in silence, it would do something else than was meant.
http::HandlerFunction with_checked_query(const Route& route) {
  std::vector<std::string> known;
  for (const ParameterDescription& parameter : route.description.parameters) {
    if (parameter.in == "query") known.push_back(parameter.name);
  }
  return [known = std::move(known), handler = route.handler](http::Request request,
                                                             const http::Responder& respond) {
    for (const auto& [name, value] : request.query) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      fail(ErrorKind::kInvalid, "there is no query parameter '{}' here{}{}", name,
           known.empty() ? "" : "; there are: ", join(known, ", "));
    }
    handler(std::move(request), respond);
  };
}

}  // namespace

void Routes::add(Route route) { routes_.push_back(std::move(route)); }

void Routes::add_openapi(const std::string& version) {
  auto text = std::make_shared<std::string>();
  add({.description = {.method = "GET",
                       .pattern = "/openapi.json",
                       .operation = "describeApi",
                       .group = "server",
                       .summary = "This description of the API, in OpenAPI 3.1",
                       .detail = {},
                       .parameters = {},
                       .request = {},
                       .response = {{"application/json", JsonObject{{"type", "object"}}}},
                       .success_status = 200,
                       .error_statuses = {}},
       .handler = [text](http::Request, http::Responder respond) {
         respond(http::text_response(200, *text, "application/json"));
       }});
  *text = to_pretty_text(openapi(version));
}

void Routes::install(http::Router& router) const {
  for (const Route& route : routes_) {
    // Other protocols may come with parameters that this server has no use for.
    const bool is_own = route.description.pattern.starts_with("/v1/");
    router.add(route.description.method, route.description.pattern,
               is_own ? with_checked_query(route) : route.handler);
  }
}

Json Routes::openapi(const std::string& version) const {
  JsonObject paths;
  for (const Route& route : routes_) {
    const RouteDescription& description = route.description;
    if (!paths.contains(description.pattern)) paths[description.pattern] = JsonObject{};
    paths[description.pattern].as_object()[to_lower(description.method)] =
        operation_of(description);
  }
  const JsonObject bearer{{"type", "http"}, {"scheme", "bearer"}};
  return JsonObject{
      {"openapi", "3.1.0"},
      {"info", JsonObject{{"title", "headrace"},
                          {"version", version},
                          {"summary", "Streaming ETL lakehouse: topics, tables and SQL"}}},
      {"paths", std::move(paths)},
      {"components", JsonObject{{"schemas", JsonObject{{"Error", error_schema()}}},
                                {"securitySchemes", JsonObject{{"bearer", bearer}}}}},
      {"security", JsonArray{JsonObject{}, JsonObject{{"bearer", JsonArray{}}}}}};
}

}  // namespace headrace::server
