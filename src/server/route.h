#pragma once

// The routes of the API, each with its description. From this one table come the router and
// /openapi.json, so that neither can know a route that the other does not.

#include <string>
#include <vector>

#include "base/json.h"
#include "http/router.h"

namespace headrace::server {

struct ParameterDescription {
  std::string name;
  std::string in;  // "query", "header"; those of the path are found in the pattern
  std::string summary;
  JsonObject schema;  // JSON Schema
  bool required = false;
};

struct RouteDescription {
  std::string method = {};
  std::string pattern = {};    // /v1/topics/{topic}
  std::string operation = {};  // a name for generated clients: createTopic
  std::string group = {};      // topics
  std::string summary = {};
  std::string detail = {};  // may be empty
  std::vector<ParameterDescription> parameters = {};
  JsonObject request = {};   // content type → JSON Schema; empty: no body
  JsonObject response = {};  // content type → JSON Schema of a success; empty: no body
  int success_status = 200;
  std::vector<int> error_statuses = {};
};

struct Route {
  RouteDescription description;
  http::HandlerFunction handler;
};

class Routes {
 public:
  void add(Route route);
  // Adds GET /openapi.json, which describes all routes, itself too.
  void add_openapi(const std::string& version);
  void install(http::Router& router) const;
  Json openapi(const std::string& version) const;  // OpenAPI 3.1
  const std::vector<Route>& all() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace headrace::server
