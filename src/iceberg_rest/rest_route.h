#pragma once

// Registers routes of the REST catalog: all under /iceberg, on the worker pool, with Iceberg's
// errors. From what is registered comes the list of endpoints that clients are told.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/worker_pool.h"
#include "iceberg_rest/iceberg_routes.h"
#include "iceberg_rest/rest_error.h"

namespace headrace::iceberg_rest {

struct RestRoute {
  std::string method = {};
  std::string path = {};  // /v1/namespaces/{namespace}
  std::string operation = {};
  std::string summary = {};
  Subject subject = Subject::kTable;
  int success_status = 200;
  bool answers_head = false;  // HEAD is answered 204, without a body
  bool is_endpoint = true;    // told to clients
  std::vector<server::ParameterDescription> parameters = {};
};

class RestRoutes {
 public:
  using Answer = std::function<http::Response(const http::Request&)>;

  RestRoutes(server::Routes& routes, http::WorkerPool& pool)
      : routes_(routes), pool_(pool), endpoints_(std::make_shared<JsonArray>()) {}

  void add(RestRoute route, Answer answer);
  // Complete when all routes are added.
  std::shared_ptr<const JsonArray> endpoints() const { return endpoints_; }

 private:
  server::Routes& routes_;
  http::WorkerPool& pool_;
  std::shared_ptr<JsonArray> endpoints_;
};

// 204.
http::Response no_content();
// The namespace in the request's path. Error not_found.
std::string existing_namespace(const Catalogs& catalogs, const http::Request& request);
// Makes answers of functions that take the catalogs and the request.
inline auto bound_to(const Catalogs& catalogs) {
  return [catalogs](auto function) {
    return
        [catalogs, function](const http::Request& request) { return function(catalogs, request); };
  };
}

// Each file of routes has one of these.
void add_session_routes(RestRoutes& routes, const std::string& token);
void add_namespace_routes(RestRoutes& routes, const Catalogs& catalogs);
void add_table_routes(RestRoutes& routes, const Catalogs& catalogs);
void add_commit_routes(RestRoutes& routes, const Catalogs& catalogs);
void add_view_routes(RestRoutes& routes, const Catalogs& catalogs);

}  // namespace headrace::iceberg_rest
