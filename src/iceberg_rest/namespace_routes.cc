// Namespaces: list, create, load, drop, properties.

#include "iceberg_rest/identifiers.h"
#include "iceberg_rest/rest_route.h"
#include "lake/metadata_json.h"

namespace headrace::iceberg_rest {
namespace {

JsonObject properties_json(const lake::Properties& properties) {
  JsonObject members;
  for (const auto& [name, value] : properties) members[name] = value;
  return members;
}

lake::Properties existing_properties(const Catalogs& catalogs, const std::string& name) {
  auto properties = catalogs.open.find_namespace(name);
  if (!properties) fail_no_namespace(name);
  return *std::move(properties);
}

http::Response describe_namespace(const Catalogs& catalogs, const std::string& name) {
  return http::json_response(
      200, JsonObject{{"namespace", namespace_json(name)},
                      {"properties", properties_json(existing_properties(catalogs, name))}});
}

http::Response list_namespaces(const Catalogs& catalogs, const http::Request& request) {
  std::vector<std::string> names;
  const auto parent = request.query_parameter("parent");
  if (parent && !parent->empty()) {
    existing_properties(catalogs, std::string(*parent));  // it has none below it
  } else {
    names = catalogs.tables.databases();
  }
  Page page = page_of(std::move(names), request);
  JsonArray namespaces;
  for (const std::string& name : page.names) namespaces.push_back(namespace_json(name));
  return http::json_response(200, JsonObject{{"namespaces", std::move(namespaces)},
                                             {"next-page-token", std::move(page.next_token)}});
}

http::Response create_namespace(const Catalogs& catalogs, const http::Request& request) {
  const Json body = parse_json(request.body, "the request");
  const JsonArray* levels = member(body, "namespace").if_array();
  if (levels != nullptr && levels->size() > 1) {
    fail(ErrorKind::kInvalid, "creating namespace {}: headrace has namespaces of one level",
         to_text(member(body, "namespace")));
  }
  const std::string name = namespace_from_json(member(body, "namespace"));
  catalogs.open.create_namespace(name, lake::properties_from_json(find_member(body, "properties")));
  return describe_namespace(catalogs, name);
}

http::Response change_namespace(const Catalogs& catalogs, const http::Request& request) {
  const std::string& name = request.path_parameter("namespace");
  const Json body = parse_json(request.body, "the request");
  lake::Properties properties = existing_properties(catalogs, name);
  const lake::Properties updates = lake::properties_from_json(find_member(body, "updates"));
  JsonArray updated;
  JsonArray removed;
  JsonArray missing;
  if (const Json* removals = find_member(body, "removals")) {
    for (const Json& key : removals->as_array()) {
      const std::string property(key.as_string());
      if (updates.contains(property)) {
        return http::json_response(
            422, JsonObject{{"error", JsonObject{{"message", property + " is set and removed"},
                                                 {"type", "UnprocessableEntityException"},
                                                 {"code", 422}}}});
      }
      (properties.erase(property) > 0 ? removed : missing).push_back(key);
    }
  }
  for (const auto& [key, value] : updates) {
    properties[key] = value;
    updated.push_back(Json(key));
  }
  catalogs.open.set_namespace_properties(name, properties);
  return http::json_response(200, JsonObject{{"updated", std::move(updated)},
                                             {"removed", std::move(removed)},
                                             {"missing", std::move(missing)}});
}

http::Response drop_namespace(const Catalogs& catalogs, const http::Request& request) {
  catalogs.open.drop_namespace(request.path_parameter("namespace"));
  return no_content();
}

}  // namespace

void add_namespace_routes(RestRoutes& routes, const Catalogs& catalogs) {
  const auto bound = bound_to(catalogs);
  const std::string one = "/v1/namespaces/{namespace}";
  routes.add({.method = "GET",
              .path = "/v1/namespaces",
              .operation = "icebergListNamespaces",
              .summary = "Iceberg REST: all namespaces",
              .subject = Subject::kNamespace},
             bound(list_namespaces));
  routes.add({.method = "POST",
              .path = "/v1/namespaces",
              .operation = "icebergCreateNamespace",
              .summary = "Iceberg REST: creates a namespace",
              .subject = Subject::kNamespace},
             bound(create_namespace));
  routes.add({.method = "GET",
              .path = one,
              .operation = "icebergLoadNamespace",
              .summary = "Iceberg REST: a namespace with its properties",
              .subject = Subject::kNamespace,
              .answers_head = true},
             [catalogs](const http::Request& request) {
               return describe_namespace(catalogs, request.path_parameter("namespace"));
             });
  routes.add({.method = "DELETE",
              .path = one,
              .operation = "icebergDropNamespace",
              .summary = "Iceberg REST: drops an empty namespace",
              .subject = Subject::kNamespace,
              .success_status = 204},
             bound(drop_namespace));
  routes.add({.method = "POST",
              .path = one + "/properties",
              .operation = "icebergSetNamespaceProperties",
              .summary = "Iceberg REST: sets and removes properties of a namespace",
              .subject = Subject::kNamespace},
             bound(change_namespace));
}

}  // namespace headrace::iceberg_rest
